"""`payments_take_in` leaves a payment that is disputed already to the plain way, which freezes what it buys.

A dispute may be heard of before the payment that it is about: settled at the door, its credits would be given while the
bank has the money.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("payments.migrations.0011_settle_at_the_door").TAKE_IN
LAST = "AND (o.kind = 'credits' AND o.user_id IS NOT NULL OR o.kind = 'merchant')"
AFTER = BEFORE.replace(
    LAST,
    f"{LAST}\n      AND NOT EXISTS (SELECT 1 FROM payments_dispute d WHERE d.intent_id = p.id)",  # noqa: S608
)


def _replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payments", "0012_days_of_statements")]

    operations = [migrations.RunSQL(_replacing(AFTER), _replacing(BEFORE))]
