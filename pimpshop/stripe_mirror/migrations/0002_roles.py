"""Who may look at the mirror of Stripe (accounts.services.roles), from the moment it is switched on."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from accounts.services import roles


def let_them_look(apps: Any, schema_editor: Any) -> None:
    for label in roles.MIRROR:
        config = apps.get_app_config(label)
        config.models_module = True  # create_permissions looks whether there are models
        create_permissions(config, apps=apps, verbosity=0)
    roles.keep(apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects)


class Migration(migrations.Migration):
    dependencies = [("djstripe", "0001_dj_stripe_2_11"), ("accounts", "0006_roles")]

    operations = [migrations.RunPython(let_them_look, migrations.RunPython.noop)]
