"""Notifications are sent from their rows. Those from before this migration have ended: nobody gets old news."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="notification",
            name="again",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Each time is a message of its own.", verbose_name="sent again by staff"
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="channel",
            field=models.CharField(blank=True, max_length=12, verbose_name="sent by"),
        ),
        migrations.AddField(
            model_name="notification",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="next attempt"),
        ),
        migrations.AlterField(
            model_name="notification",
            name="due_at",
            field=models.DateTimeField(
                blank=True, default=django.utils.timezone.now, null=True, verbose_name="next attempt"
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("sent", "sent"),
                    ("nobody", "nobody to tell"),
                    ("overtaken", "overtaken by a later message"),
                    ("unwanted", "not wanted by its receiver"),
                    ("shown", "shown on the status page"),
                    ("gave_up", "given up"),
                ],
                max_length=12,
                verbose_name="how it ended",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="attempts"),
        ),
        migrations.AlterField(
            model_name="notification",
            name="language",
            field=models.CharField(default="en", max_length=10, verbose_name="language"),
        ),
        migrations.AlterField(
            model_name="notification",
            name="last_error",
            field=models.CharField(blank=True, max_length=500, verbose_name="last error"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="notification_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("sent_at", None), models.Q(("due_at", None), ("outcome", "sent")), _connector="OR"
                ),
                name="notification_sent_is_over",
            ),
        ),
    ]
