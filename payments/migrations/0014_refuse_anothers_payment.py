"""`payments_store_event` answers 'foreign', and stores nothing, when a signed event names by our number a payment of another
gateway: the door refuses the post (GUARANTEES 6). A hint about one is as unknown as before."""

from importlib import import_module

from django.db import migrations

BEFORE = import_module("payments.migrations.0005_store_signed_events").AFTER
AFTER = BEFORE.replace(
    "IF NOT FOUND AND NOT p_proof THEN RETURN; END IF;",
    """IF NOT FOUND THEN
        IF NOT p_proof THEN RETURN; END IF;
        IF EXISTS (SELECT 1 FROM payments_paymentintent i WHERE i.out_trade_no = p_subject) THEN
            same_status := 'foreign';
            RETURN;
        END IF;
    END IF;""",
)


def _replacing(sql: str) -> str:
    return sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_disputed_at_the_door")]

    operations = [migrations.RunSQL(_replacing(AFTER), _replacing(BEFORE))]
