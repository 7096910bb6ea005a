"""Which events the buyer was told of. Those from before this migration count as told: nobody gets old news."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0020_joined_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="refundevent",
            name="told",
            field=models.BooleanField(
                db_default=True,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AlterField(
            model_name="refundevent",
            name="told",
            field=models.BooleanField(
                db_default=False,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AddIndex(
            model_name="refundevent",
            index=models.Index(
                condition=models.Q(("to_status__in", ["created", "succeeded"]), ("told", False)),
                fields=["id"],
                name="refundevent_untold",
            ),
        ),
    ]
