"""The index `intent_one_settles` again: of the attempts of an order one settles it, and the database holds it.

Migration 0009 took the index of the foreign key `order` away, and with it this one: Django then drops every index over
that column alone, also that of a constraint with a condition. Where two attempts settled one order meanwhile, this stops
and names the order (`manage.py check_invariants` lists them): people decide which of them is surplus.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0016_machine_in_two_statements")]

    operations = [
        migrations.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS intent_one_settles ON payments_paymentintent (order_id)"
            " WHERE settles_order",
            migrations.RunSQL.noop,
        ),
    ]
