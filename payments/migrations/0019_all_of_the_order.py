"""`payments_settle_at_once` takes an attempt over all of its order, as `payments_take_in` does.

An attempt over a part of it (another price meanwhile, something else that pays the rest) is the plain way's, which says
what the order's total is then.
"""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("payments.migrations.0018_what_came_meanwhile").SETTLE
LAST = "AND o.kind = 'case' AND o.status = ANY(p_unpaid)"
AFTER = BEFORE.replace(LAST, f"{LAST}\n      AND o.total_minor = p.amount_minor")


def _replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payments", "0018_what_came_meanwhile")]

    operations = [migrations.RunSQL(_replacing(AFTER), _replacing(BEFORE))]
