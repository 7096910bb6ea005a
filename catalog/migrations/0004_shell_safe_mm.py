from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_designs_at_home"),
    ]

    operations = [
        migrations.AddField(
            model_name="shell",
            name="safe_mm",
            field=models.DecimalField(
                decimal_places=2,
                default=3,
                help_text="Words nearer to the edge than this are warned about.",
                max_digits=4,
                verbose_name="safe distance from the edge, mm",
            ),
        ),
    ]
