"""Holds: credits set apart for something that is being paid (docs/adr/0015)."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0006_given_back_terms"),
    ]

    operations = [
        migrations.AlterField(
            model_name="creditaccount",
            name="name",
            field=models.CharField(
                blank=True,
                choices=[
                    ("issuance", "sold"),
                    ("bonus", "given"),
                    ("spent", "spent"),
                    ("held", "held"),
                    ("expired", "expired"),
                ],
                max_length=16,
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="kind",
            field=models.CharField(
                choices=[
                    ("purchase", "bought"),
                    ("bonus", "given"),
                    ("spend", "spent"),
                    ("reverse", "taken back"),
                    ("reverse-expired", "taken back, had expired"),
                    ("shortfall", "owed"),
                    ("restore", "restored"),
                    ("repay", "debt paid"),
                    ("expire", "expired"),
                    ("claim", "claimed"),
                    ("hold", "held"),
                    ("release", "free again"),
                    ("give-back", "given back"),
                    ("take-again", "not given back after all"),
                    ("repay-back", "debt paid by what came back"),
                ],
                max_length=16,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("reference", models.CharField(max_length=120, verbose_name="reference")),
                ("subject", models.CharField(max_length=120, verbose_name="about")),
                ("amount", models.BigIntegerField(verbose_name="credits")),
                ("returned", models.BigIntegerField(default=0, verbose_name="given back")),
                (
                    "status",
                    models.CharField(
                        choices=[("held", "held"), ("committed", "committed"), ("released", "released")],
                        default="held",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="held until")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="credits.creditaccount",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
            },
        ),
        migrations.CreateModel(
            name="HoldEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                ("from_status", models.CharField(blank=True, max_length=32, verbose_name="from")),
                ("to_status", models.CharField(max_length=32, verbose_name="to")),
                (
                    "source",
                    models.CharField(
                        help_text="The door it came through.", max_length=32, verbose_name="source"
                    ),
                ),
                ("actor", models.CharField(blank=True, max_length=120, verbose_name="who")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="why")),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="details")),
                (
                    "hold",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="credits.hold"
                    ),
                ),
            ],
            options={
                "verbose_name": "hold event",
                "verbose_name_plural": "hold events",
                "ordering": ["at", "id"],
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "held")), fields=["expires_at"], name="hold_due"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "held")), fields=["account"], name="hold_of_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                fields=("reference",), name="hold_number", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("held", "committed"))),
                fields=("subject",),
                name="hold_one_for_each_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="hold_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("returned", 0),
                    models.Q(
                        ("returned__gt", 0), ("returned__lte", models.F("amount")), ("status", "committed")
                    ),
                    _connector="OR",
                ),
                name="hold_returned_was_spent",
            ),
        ),
    ]
