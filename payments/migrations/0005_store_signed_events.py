"""`payments_store_event` keeps every signed event, also one whose payment it does not find by our number.

Where a post is proof, only the provider can have written it, and it may name the payment by the provider's reference
alone: the work on it looks further. A hint about an unknown number still leaves no row.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("payments.migrations.0003_store_event").STORE
AFTER = BEFORE.replace(
    "IF NOT FOUND THEN RETURN; END IF;", "IF NOT FOUND AND NOT p_proof THEN RETURN; END IF;"
)


def _replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_online_payments")]

    operations = [migrations.RunSQL(_replacing(AFTER), _replacing(BEFORE))]
