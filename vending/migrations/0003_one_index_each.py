"""One index for each number: it answers `=` and "begins with" (pimpshop.core.models.PREFIX); no index on a foreign key
that another index begins with. A paid case writes a third less (bench/RESULTS.md, B2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_initial"),
        ("vending", "0002_mirror_and_figures"),
    ]

    operations = [
        migrations.AlterField(
            model_name="printjob",
            name="machine",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="print_jobs",
                to="vending.machine",
                verbose_name="machine",
            ),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="manufacturer_order_id",
            field=models.CharField(blank=True, max_length=64, verbose_name="MSOR"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="order_no",
            field=models.CharField(max_length=32, verbose_name="order"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="payment_third_id",
            field=models.CharField(help_text="The payment's third_id.", max_length=32, verbose_name="PYEN"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="queue_no",
            field=models.CharField(blank=True, max_length=32, verbose_name="queue number"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="reference",
            field=models.CharField(max_length=48, verbose_name="order and line"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="session_id",
            field=models.CharField(blank=True, max_length=90, verbose_name="session"),
        ),
        migrations.AlterField(
            model_name="printjob",
            name="third_order_id",
            field=models.CharField(max_length=32, verbose_name="OREN"),
        ),
        migrations.AlterField(
            model_name="vendingsession",
            name="machine",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="vending.machine",
                verbose_name="machine",
            ),
        ),
        migrations.AlterField(
            model_name="vendingsession",
            name="order_no",
            field=models.CharField(blank=True, max_length=32, verbose_name="order"),
        ),
        migrations.AlterField(
            model_name="vendingsession",
            name="session_id",
            field=models.CharField(max_length=90, verbose_name="session id"),
        ),
        migrations.AlterField(
            model_name="vendingsession",
            name="third_id",
            field=models.CharField(blank=True, max_length=32, verbose_name="payment third_id"),
        ),
        migrations.AddIndex(
            model_name="printjob",
            index=models.Index(
                fields=["order_no"], name="printjob_order_no", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="printjob",
            index=models.Index(
                fields=["session_id"], name="printjob_session", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="printjob",
            index=models.Index(
                fields=["payment_third_id"], name="printjob_pyen", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="printjob",
            index=models.Index(
                fields=["manufacturer_order_id"], name="printjob_msor", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="printjob",
            index=models.Index(
                fields=["queue_no"], name="printjob_queue_no", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="vendingsession",
            index=models.Index(
                fields=["order_no"], name="session_order_no", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="vendingsession",
            index=models.Index(
                fields=["third_id"], name="session_third_id", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="printjob",
            constraint=models.UniqueConstraint(
                fields=("reference",), name="printjob_reference", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="printjob",
            constraint=models.UniqueConstraint(
                fields=("third_order_id",), name="printjob_oren", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="vendingsession",
            constraint=models.UniqueConstraint(
                fields=("session_id",), name="session_number", opclasses=["varchar_pattern_ops"]
            ),
        ),
    ]
