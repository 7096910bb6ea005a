"""The four roles of the desk as groups, with the rights of accounts.services.roles.

Their permissions belong to models of every app; Django makes permissions after the last migration, so here they are made
before they are given away.
"""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from accounts.services import roles


def make_roles(apps: Any, schema_editor: Any) -> None:
    for label in (*roles.OURS, *roles.MIRROR):
        if label not in apps.app_configs:
            continue  # the mirror of Stripe is off
        config = apps.get_app_config(label)
        config.models_module = True  # create_permissions looks whether there are models
        create_permissions(config, apps=apps, verbosity=0)
    roles.keep(apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_logged_out_everywhere"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0003_designs_at_home"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("core", "0004_append_only_audit"),
        ("credits", "0009_seals"),
        ("orders", "0007_told_to_customers"),
        ("payments", "0023_deliveries_told"),
        ("vending", "0005_told_to_customers"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
