"""The roles once more: support takes shared designs down."""

import importlib
from typing import Any

from django.db import migrations


def make_roles(apps: Any, schema_editor: Any) -> None:
    importlib.import_module("accounts.migrations.0006_roles").make_roles(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_desk_questions"),
        ("catalog", "0007_shared_designs_taken_down"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
