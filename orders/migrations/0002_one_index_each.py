"""One index for each number: it answers `=` and "begins with" (pimpshop.core.models.PREFIX); no index on a foreign key
that another index begins with. A paid case writes a third less (bench/RESULTS.md, B2)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="order_no",
            field=models.CharField(max_length=32, verbose_name="order number"),
        ),
        migrations.AlterField(
            model_name="order",
            name="session_id",
            field=models.CharField(blank=True, max_length=90, verbose_name="session"),
        ),
        migrations.AlterField(
            model_name="order",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="orderline",
            name="order",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="orders.order",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["session_id"], name="order_session", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                fields=("order_no",), name="order_number", opclasses=["varchar_pattern_ops"]
            ),
        ),
    ]
