"""What a confirmation changes finds room on the row's own page, and one index less.

PostgreSQL writes a changed row beside its old version while there is room: then the log holds only what differs, no
lock is logged for it, and where no indexed column changed no index is written (a lease, the right to ask).
The share of the page that INSERT leaves free is that of one or two versions of the row. An attempt's idempotency key is
made of order number and attempt, which are unique together.
"""

from django.db import migrations

#: Table -> per cent of a page that INSERT fills.
FILL = {
    "orders_order": 80,
    "payments_paymentintent": 80,
    "payments_webhookevent": 85,
    "vending_printjob": 80,
    "vending_vendingsession": 80,
}


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0014_refuse_anothers_payment"),
        ("orders", "0002_one_index_each"),
        ("vending", "0003_one_index_each"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="paymentintent", name="intent_idempotency_key"),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (fillfactor = {fill})", f"ALTER TABLE {table} RESET (fillfactor)"
            )
            for table, fill in FILL.items()
        ),
    ]
