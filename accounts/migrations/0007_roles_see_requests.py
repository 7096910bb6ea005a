"""The roles once more: they may look at the requests for a second person, the limits, and what staff moved."""

from importlib import import_module

from django.db import migrations

make_roles = import_module("accounts.migrations.0006_roles").make_roles


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_roles"),
        ("core", "0005_second_person"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
