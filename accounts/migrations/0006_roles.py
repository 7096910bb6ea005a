"""The four roles of the desk as groups, with the rights of accounts.services.roles.

Their permissions belong to models of every app; Django makes permissions after the last migration, so here they are made
before they are given away. The mirror of Stripe may be switched on years later: it gives its own rights away
(pimpshop/stripe_mirror/migrations/0002_roles.py), and nothing here waits for it.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from accounts.services import roles


def make_roles(apps: Any, schema_editor: Any) -> None:
    for label in roles.OURS:
        config = apps.get_app_config(label)
        config.models_module = True  # create_permissions looks whether there are models
        create_permissions(config, apps=apps, verbosity=0)
    roles.keep(apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_logged_out_everywhere"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0004_shell_safe_mm"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("core", "0005_second_person"),
        ("credits", "0010_who_owes"),
        ("orders", "0008_cases_not_received"),
        ("payments", "0024_find_by_last_four"),
        ("vending", "0006_where_machines_stand"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
