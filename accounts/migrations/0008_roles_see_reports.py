"""The roles once more: they may look at what buyers wrote about a case that did not come."""

from importlib import import_module

from django.db import migrations

make_roles = import_module("accounts.migrations.0006_roles").make_roles


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_roles_see_requests"),
        ("catalog", "0004_shell_safe_mm"),
        ("core", "0005_second_person"),
        ("orders", "0008_cases_not_received"),
        ("payments", "0024_find_by_last_four"),
        ("vending", "0006_where_machines_stand"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
