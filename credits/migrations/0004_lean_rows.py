"""The ledger's rows cost less to write (docs/adr/0013): no foreign key locks a row that everybody points at, an index
holds only rows that some query looks for, and `remaining` of a lot is in none of them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: What postings, lots and their changes point at is never removed and keeps its number. (TRUNCATE is not refused.)
#: Whom an account belongs to was a CHECK; PostgreSQL reads a CHECK anew for each statement that writes to the table, and
#: this one cost a third of a new balance, for columns that never change. A trigger looks when they are written.
GUARDS = """
CREATE TRIGGER credits_account_stays BEFORE DELETE OR UPDATE OF id ON credits_creditaccount
    FOR EACH ROW EXECUTE FUNCTION credits_append_only();
CREATE TRIGGER credits_lot_stays BEFORE DELETE OR UPDATE OF id ON credits_lot
    FOR EACH ROW EXECUTE FUNCTION credits_append_only();
CREATE FUNCTION credits_account_belongs_to_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (CASE NEW.kind
        WHEN 'user' THEN NEW.user_id IS NOT NULL AND NEW.email = '' AND NEW.name = ''
        WHEN 'debt' THEN NEW.user_id IS NOT NULL AND NEW.email = '' AND NEW.name = ''
        WHEN 'waiting' THEN NEW.user_id IS NULL AND NEW.email <> '' AND NEW.email = lower(NEW.email) AND NEW.name = ''
        WHEN 'system' THEN NEW.user_id IS NULL AND NEW.email = '' AND NEW.name <> ''
        ELSE FALSE
    END) THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'a credit account belongs to a user, an address or the shop' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER credits_account_belongs_to_one BEFORE INSERT OR UPDATE OF kind, user_id, email, name
    ON credits_creditaccount FOR EACH ROW EXECUTE FUNCTION credits_account_belongs_to_one();
ALTER TABLE credits_creditaccount SET (fillfactor = 80);
ALTER TABLE credits_lot SET (fillfactor = 80);
"""
AND_BACK = """
ALTER TABLE credits_lot RESET (fillfactor);
ALTER TABLE credits_creditaccount RESET (fillfactor);
DROP TRIGGER credits_lot_stays ON credits_lot;
DROP TRIGGER credits_account_belongs_to_one ON credits_creditaccount;
DROP FUNCTION credits_account_belongs_to_one;
DROP TRIGGER credits_account_stays ON credits_creditaccount;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0003_grant_at_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="creditaccount",
            name="account_belongs_to_one",
        ),
        migrations.RemoveConstraint(
            model_name="lotchange",
            name="lotchange_once",
        ),
        migrations.RemoveIndex(
            model_name="lot",
            name="lot_spendable",
        ),
        migrations.RemoveIndex(
            model_name="lot",
            name="lot_to_expire",
        ),
        migrations.RemoveIndex(
            model_name="posting",
            name="posting_source",
        ),
        migrations.RemoveIndex(
            model_name="posting",
            name="posting_destination",
        ),
        migrations.AddField(
            model_name="lot",
            name="is_open",
            field=models.GeneratedField(
                db_persist=True, expression=models.Q(("remaining__gt", 0)), output_field=models.BooleanField()
            ),
        ),
        migrations.AlterField(
            model_name="creditaccount",
            name="user",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="user",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="credits.creditaccount",
                verbose_name="account",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="posting",
            field=models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot",
                to="credits.posting",
                verbose_name="granted by",
            ),
        ),
        migrations.AlterField(
            model_name="lotchange",
            name="lot",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="changes",
                to="credits.lot",
            ),
        ),
        migrations.AlterField(
            model_name="lotchange",
            name="posting",
            field=models.ForeignKey(
                db_constraint=False,
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
                db_constraint=False,
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
                db_constraint=False,
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
                fields=["account", "is_open", "expires_at", "origin", "id"], name="lot_of_account"
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("is_open", True)),
                fields=["expires_at"],
                name="lot_to_expire",
            ),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("source_after__isnull", False)),
                fields=["source", "id"],
                name="posting_source",
            ),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(
                condition=models.Q(("destination_after__isnull", False)),
                fields=["destination", "id"],
                name="posting_destination",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotchange",
            constraint=models.UniqueConstraint(fields=("lot", "posting"), name="lotchange_once"),
        ),
        migrations.RunSQL(GUARDS, AND_BACK),
    ]
