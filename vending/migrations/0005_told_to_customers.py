"""Which events the buyer was told of. Those from before this migration count as told: nobody gets old news."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vending", "0004_held_print_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="printjobevent",
            name="told",
            field=models.BooleanField(
                db_default=True,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AlterField(
            model_name="printjobevent",
            name="told",
            field=models.BooleanField(
                db_default=False,
                editable=False,
                help_text="The messages to the buyer that follow from it are written.",
            ),
        ),
        migrations.AddIndex(
            model_name="printjobevent",
            index=models.Index(
                condition=models.Q(("to_status", "accepted"), ("told", False)),
                fields=["id"],
                name="printjobevent_untold",
            ),
        ),
    ]
