"""The address of a customer that a request for a second person names: in a column of its own, which may be emptied."""

from __future__ import annotations

from django.db import migrations, models

#: As migration 0005 has it, and a row's person may be emptied, whatever its state.
GUARD = """
CREATE OR REPLACE FUNCTION core_staff_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided CONSTANT text[] := '{status,updated_at,decided_by,decided_by_id,person}';
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'core_staffrequest' THEN
        IF NEW.person IN (OLD.person, '') AND (
               (OLD.status = 'asked' AND to_jsonb(OLD) - decided = to_jsonb(NEW) - decided)
            OR to_jsonb(OLD) - 'person' - 'updated_at' = to_jsonb(NEW) - 'person' - 'updated_at') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""
#: Addresses that were kept among what was typed: an open request needs its one, the others are over.
MOVE = """
ALTER TABLE core_staffrequest DISABLE TRIGGER core_staffrequest_append_only;
UPDATE core_staffrequest
   SET person = CASE WHEN status = 'asked' THEN left(coalesce(typed->>'person', ''), 254) ELSE '' END,
       typed = typed - 'person'
 WHERE typed ? 'person';
ALTER TABLE core_staffrequest ENABLE TRIGGER core_staffrequest_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0006_desk_questions")]
    operations = [
        migrations.AddField(
            model_name="staffrequest",
            name="person",
            field=models.EmailField(
                blank=True,
                db_default="",
                default="",
                help_text="A customer's address that was typed; emptied when this is over, and when they are erased.",
                max_length=254,
                verbose_name="whom it is about",
            ),
        ),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
