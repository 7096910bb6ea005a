"""Credits that pay a part of an order in money (docs/adr/0016)."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_guests_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(default=1)),
                ("credits", models.PositiveBigIntegerField(verbose_name="credits")),
                (
                    "covers_minor",
                    models.PositiveBigIntegerField(verbose_name="instead of so much money, minor units"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="when"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_parts",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="whose credits",
                    ),
                ),
            ],
            options={
                "verbose_name": "part paid with credits",
                "verbose_name_plural": "parts paid with credits",
                "constraints": [
                    models.UniqueConstraint(fields=("order", "number"), name="creditpart_number"),
                    models.CheckConstraint(
                        condition=models.Q(("covers_minor__gt", 0), ("credits__gt", 0)),
                        name="creditpart_is_something",
                    ),
                ],
            },
        ),
    ]
