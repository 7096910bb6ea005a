"""A refund may be paid as credits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0021_told_to_customers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="refund",
            name="kind",
            field=models.CharField(
                choices=[("provider", "by the provider"), ("manual", "by hand"), ("credits", "as credits")],
                max_length=12,
                verbose_name="kind",
            ),
        ),
    ]
