"""Seals of postings (docs/adr/0020), append-only like what they prove."""

import django.contrib.postgres.fields
import django.utils.timezone
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER credits_seal_append_only BEFORE UPDATE OR DELETE ON credits_seal
    FOR EACH ROW EXECUTE FUNCTION credits_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0008_join_postings"),
    ]

    operations = [
        migrations.CreateModel(
            name="SealMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_id", models.BigIntegerField()),
                (
                    "writing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("after_id", models.BigIntegerField(unique=True, verbose_name="after posting")),
                ("last_id", models.BigIntegerField(unique=True, verbose_name="up to posting")),
                ("count", models.PositiveIntegerField(verbose_name="postings")),
                ("marks", models.BinaryField(verbose_name="marks")),
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
                (
                    "made_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="made"
                    ),
                ),
            ],
            options={
                "verbose_name": "seal",
                "verbose_name_plural": "seals",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("last_id__gt", models.F("after_id"))), name="seal_goes_on"
                    )
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER credits_seal_append_only ON credits_seal"),
    ]
