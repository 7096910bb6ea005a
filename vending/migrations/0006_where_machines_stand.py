"""How people find a machine: floor, landmark, opening hours, a place on the map; and whether its screen needs a key."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("vending", "0005_told_to_customers"),
    ]

    operations = [
        migrations.AddField(
            model_name="machine",
            name="floor",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=60, verbose_name="floor"
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="landmark",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What somebody who looks for it sees first: “between the escalator and the bakery”.",
                max_length=200,
                verbose_name="landmark",
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="latitude",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="Degrees, north is positive.",
                max_digits=8,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(-90),
                    django.core.validators.MaxValueValidator(90),
                ],
                verbose_name="latitude",
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="longitude",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="Degrees, east is positive.",
                max_digits=9,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(-180),
                    django.core.validators.MaxValueValidator(180),
                ],
                verbose_name="longitude",
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="opening_hours",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="opening hours"
            ),
        ),
        migrations.AddField(
            model_name="machine",
            name="screen_locked",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Only the address below is its screen. Whoever opens it without the key sees the code alone.",
                verbose_name="its screen needs the key",
            ),
        ),
        migrations.AddConstraint(
            model_name="machine",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("latitude", None), ("longitude", None)),
                    models.Q(
                        ("latitude__isnull", False),
                        ("latitude__range", (-90, 90)),
                        ("longitude__isnull", False),
                        ("longitude__range", (-180, 180)),
                    ),
                    _connector="OR",
                ),
                name="machine_place_is_whole",
                violation_error_message="A place on the map needs latitude and longitude.",
            ),
        ),
    ]
