"""The desk finds payments by the last four digits of a card."""

import django.db.models.fields.json
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_told_to_customers"),
        ("payments", "0023_deliveries_told"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="paymentintent",
            index=models.Index(
                django.db.models.fields.json.KeyTextTransform("last_four", "method_details"),
                models.F("id"),
                condition=models.Q(("method_details__has_key", "last_four")),
                name="intent_last_four",
            ),
        ),
    ]
