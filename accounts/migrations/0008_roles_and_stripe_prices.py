"""The roles once more: all of them see what Stripe says that things cost."""

import importlib
from typing import Any

from django.db import migrations


def make_roles(apps: Any, schema_editor: Any) -> None:
    importlib.import_module("accounts.migrations.0006_roles").make_roles(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_roles_and_prices"),
        ("catalog", "0006_prices_at_stripe"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
