"""What buyers write when their case did not come."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_told_to_customers"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reference", models.CharField(max_length=48, verbose_name="order and line")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("nothing", "The machine gave me nothing"),
                            ("empty", "It says that it is ready, but there is nothing in the tray"),
                            ("stuck", "I see it, but it is stuck in the machine"),
                            ("spoiled", "I got one that is spoiled or not mine"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                        verbose_name="what happened",
                    ),
                ),
                ("words", models.TextField(blank=True, verbose_name="in their words")),
                ("contact", models.CharField(blank=True, max_length=120, verbose_name="how to reach them")),
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
                        related_name="case_reports",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
            ],
            options={
                "verbose_name": "case not received",
                "verbose_name_plural": "cases not received",
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["order", "-id"], name="casereport_order")],
            },
        ),
    ]
