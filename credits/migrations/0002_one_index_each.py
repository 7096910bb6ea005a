"""One index for each number: it answers `=` and "begins with" (pimpshop.core.models.PREFIX); no index on a foreign key
that another index begins with. A paid case writes a third less (bench/RESULTS.md, B2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0001_ledger"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lot",
            name="payment_reference",
            field=models.CharField(blank=True, max_length=120, verbose_name="payment"),
        ),
        migrations.AlterField(
            model_name="lotchange",
            name="posting",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="credits.posting",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="destination",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="received",
                to="credits.creditaccount",
                verbose_name="to",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sent",
                to="credits.creditaccount",
                verbose_name="from",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                fields=["payment_reference"], name="lot_payment", opclasses=["varchar_pattern_ops"]
            ),
        ),
    ]
