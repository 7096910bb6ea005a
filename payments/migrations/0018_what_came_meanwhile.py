"""The quick confirmations see what was committed while they waited, and two attempts of one order never wait for each other.

`payments_take_in` (at the door):
- A dispute is looked for once the payment is locked. Whoever writes one holds the payment's row and changes nothing of
  it: looked for before, it was missed, and what the bank disputes was given.
- A guest without an address who paid on the provider's page is the plain way's: it asks the provider for the address.
- The reason of a grant is as long as the plain way's.

`payments_settle_at_once` (at the machine):
- A print job's row is made once. As `(function(…)).*` PostgreSQL made it once for each column, and took as many numbers.

Both: the plain way holds the order before it says which attempt settled it. Where an order has several attempts the quick
ones now do so too; else one waited for the order, the other for `intent_one_settles`.
"""

from importlib import import_module
from textwrap import indent

from django.db import migrations

TAKE_IN_BEFORE = import_module("payments.migrations.0013_disputed_at_the_door").AFTER.replace(
    "LANGUAGE plpgsql AS", "LANGUAGE plpgsql SET lock_timeout = '1s' AS"
)  # of 0016; CREATE OR REPLACE forgets what ALTER FUNCTION set
SETTLE_BEFORE = import_module("payments.migrations.0016_machine_in_two_statements").SETTLE

#: In both: the first reading tells whether there are others, and what follows stands before the first UPDATE.
SEVERAL = """,
           EXISTS (SELECT 1 FROM payments_paymentintent other
                   WHERE other.order_id = p.order_id AND other.id <> p.id) AS several INTO i"""
HOLD = """\
IF i.several THEN
    PERFORM 1 FROM payments_paymentintent WHERE id = i.id FOR NO KEY UPDATE;
    PERFORM 1 FROM orders_order WHERE id = i.order_id AND status = i.order_status FOR NO KEY UPDATE;
    IF NOT FOUND THEN RAISE raise_exception; END IF;
END IF;
"""


def _changed(sql: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        if sql.count(before) != 1:
            raise ValueError(f"{before!r} stands {sql.count(before)} times in the function")
        sql = sql.replace(before, after)
    return sql


TAKE_IN = _changed(
    TAKE_IN_BEFORE,
    (" INTO i\n", f"{SEVERAL}\n"),
    (
        "OR o.kind = 'merchant')\n      AND NOT EXISTS (SELECT 1 FROM payments_dispute d WHERE d.intent_id = p.id);",
        "OR o.kind = 'merchant')\n      AND (o.user_id IS NOT NULL OR o.email <> '' OR p.method <> 'checkout');",
    ),
    (
        "    IF FOUND THEN\n        BEGIN\n            UPDATE payments_paymentintent SET",
        f"    IF FOUND THEN\n        BEGIN\n{indent(HOLD, ' ' * 12)}            UPDATE payments_paymentintent SET",
    ),
    (
        "AND transaction_ref = i.transaction_ref;\n            IF NOT FOUND THEN",
        """AND transaction_ref = i.transaction_ref;
            -- Read here, in a statement of its own: whoever held the payment may have written one.
            IF NOT FOUND OR EXISTS (SELECT 1 FROM payments_dispute WHERE intent_id = i.id) THEN""",
    ),
    ("COALESCE(l.snapshot ->> 'name', '')", "left(COALESCE(l.snapshot ->> 'name', ''), 200)"),
)
SETTLE = _changed(
    SETTLE_BEFORE,
    (" INTO i\n", f"{SEVERAL}\n"),
    (
        "    -- Locks from the top down, by writing: payment, order, session.\n",
        f"    -- Locks from the top down, by writing: payment, order, session.\n{indent(HOLD, ' ' * 4)}",
    ),
    ("SELECT (jsonb_populate_record(", "SELECT made.* FROM jsonb_populate_record("),
    (
        "'mobile_shell_id', l.snapshot -> 'mobile_shell_id'\n        ))).* ON CONFLICT",
        "'mobile_shell_id', l.snapshot -> 'mobile_shell_id'\n        )) AS made ON CONFLICT",
    ),
)


def _replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payments", "0017_one_attempt_settles")]

    operations = [
        migrations.RunSQL(_replacing(TAKE_IN), _replacing(TAKE_IN_BEFORE)),
        migrations.RunSQL(_replacing(SETTLE), _replacing(SETTLE_BEFORE)),
    ]
