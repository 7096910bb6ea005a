"""A price is a row that is never changed: with the moment from which it counts, who decided it and why."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

#: What stood there has counted since it was written. One change only: what has not started yet is called off, once.
APPEND_ONLY = """
UPDATE catalog_price SET starts_at = created_at;
CREATE FUNCTION catalog_price_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.called_off_at IS NULL AND NEW.called_off_at IS NOT NULL
       AND OLD.starts_at > clock_timestamp()
       AND (OLD.id, OLD.product_id, OLD.currency, OLD.amount_minor, OLD.starts_at, OLD.actor, OLD.reason, OLD.created_at)
           IS NOT DISTINCT FROM
           (NEW.id, NEW.product_id, NEW.currency, NEW.amount_minor, NEW.starts_at, NEW.actor, NEW.reason, NEW.created_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER catalog_price_append_only BEFORE UPDATE OR DELETE ON catalog_price
    FOR EACH ROW EXECUTE FUNCTION catalog_price_append_only();
"""
AND_BACK = """
DROP TRIGGER catalog_price_append_only ON catalog_price;
DROP FUNCTION catalog_price_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_shell_safe_mm"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="price",
            options={
                "ordering": ["product", "currency", "-starts_at", "-id"],
                "verbose_name": "price",
                "verbose_name_plural": "prices",
            },
        ),
        migrations.RemoveConstraint(
            model_name="price",
            name="price_product_currency",
        ),
        migrations.RemoveConstraint(
            model_name="price",
            name="price_is_positive",
        ),
        migrations.AddField(
            model_name="price",
            name="actor",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="who"),
        ),
        migrations.AddField(
            model_name="price",
            name="called_off_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="called off"),
        ),
        migrations.AddField(
            model_name="price",
            name="called_off_by",
            field=models.CharField(blank=True, default="", max_length=120, verbose_name="called off by"),
        ),
        migrations.AddField(
            model_name="price",
            name="reason",
            field=models.CharField(blank=True, default="", max_length=500, verbose_name="why"),
        ),
        migrations.AddField(
            model_name="price",
            name="starts_at",
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name="from"),
        ),
        migrations.AlterField(
            model_name="price",
            name="amount_minor",
            field=models.PositiveBigIntegerField(
                help_text="Empty: not sold in this currency.", null=True, verbose_name="amount in minor units"
            ),
        ),
        migrations.AlterField(
            model_name="price",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prices",
                to="catalog.product",
                verbose_name="product",
            ),
        ),
        migrations.AddIndex(
            model_name="price",
            index=models.Index(fields=["product", "currency", "-starts_at", "-id"], name="price_by_time"),
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor", None), ("amount_minor__gt", 0), _connector="OR"),
                name="price_is_positive",
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, AND_BACK),
    ]
