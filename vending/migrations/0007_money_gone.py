"""Print jobs know that the money of their order went back."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vending", "0006_where_machines_stand")]
    operations = [
        migrations.AddField(
            model_name="printjob",
            name="money_gone_at",
            field=models.DateTimeField(
                blank=True,
                help_text="All the money of its order went back then, or began to.",
                null=True,
                verbose_name="paid back",
            ),
        )
    ]
