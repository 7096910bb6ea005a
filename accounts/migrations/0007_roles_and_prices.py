"""The roles once more: finance says what things cost, whoever stands at the machine does not."""

import importlib
from typing import Any

from django.db import migrations


def make_roles(apps: Any, schema_editor: Any) -> None:
    importlib.import_module("accounts.migrations.0006_roles").make_roles(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_roles"),
        ("catalog", "0005_prices_with_a_start"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
