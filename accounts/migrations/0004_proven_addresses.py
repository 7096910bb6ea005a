"""Every person who is there already was made by staff or on the command line: their addresses count as proven."""

from django.db import migrations

FORWARDS = """
    INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM accounts_user WHERE email IS NOT NULL
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_wechat_identity"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
