"""Which events the buyer was told of. Those from before this migration count as told: nobody gets old news."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0006_credit_parts"),
    ]

    operations = [
        migrations.AddField(
            model_name="orderevent",
            name="told",
            field=models.BooleanField(
                db_default=True,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AlterField(
            model_name="orderevent",
            name="told",
            field=models.BooleanField(
                db_default=False,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AddIndex(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("to_status__in", ["paid", "completed"]), ("told", False)),
                fields=["id"],
                name="orderevent_untold",
            ),
        ),
    ]
