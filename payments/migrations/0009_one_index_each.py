"""One index for each number: it answers `=` and "begins with" (pimpshop.core.models.PREFIX); no index on a foreign key
that another index begins with. A paid case writes a third less (bench/RESULTS.md, B2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_one_index_each"),
        ("payments", "0008_mirror_and_figures"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="webhookevent",
            name="webhookevent_subject",
        ),
        migrations.AlterField(
            model_name="deliveryattempt",
            name="delivery",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="log",
                to="payments.webhookdelivery",
            ),
        ),
        migrations.AlterField(
            model_name="paymentintent",
            name="idempotency_key",
            field=models.CharField(max_length=255),
        ),
        migrations.AlterField(
            model_name="paymentintent",
            name="order",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment_intents",
                to="orders.order",
                verbose_name="order",
            ),
        ),
        migrations.AlterField(
            model_name="paymentintent",
            name="out_trade_no",
            field=models.CharField(max_length=64, verbose_name="our number"),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="endpoint",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="payments.webhookendpoint",
                verbose_name="endpoint",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(
                fields=["subject"], name="webhookevent_about", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentintent",
            constraint=models.UniqueConstraint(
                fields=("out_trade_no",), name="intent_number", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentintent",
            constraint=models.UniqueConstraint(fields=("idempotency_key",), name="intent_idempotency_key"),
        ),
    ]
