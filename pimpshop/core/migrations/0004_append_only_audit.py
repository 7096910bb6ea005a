"""What staff did stays as it was written down: the database itself refuses to change or remove it."""

from django.db import migrations, models

#: (TRUNCATE, which tests use, is not refused.)
APPEND_ONLY = """
CREATE FUNCTION core_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER core_auditentry_append_only BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION core_append_only();
"""
AND_BACK = """
DROP TRIGGER core_auditentry_append_only ON core_auditentry;
DROP FUNCTION core_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_owners_and_notes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "permissions": [("export_audit", "Can take the audit log out as a file")],
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
            },
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["at"], name="auditentry_at"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor", "at"], name="auditentry_actor"),
        ),
        migrations.RunSQL(APPEND_ONLY, AND_BACK),
    ]
