"""The function `credits_grant_at_once`: the usual grant of credits to a user in one statement.

credits.services.at_once calls it for `ledger.grant`; another function of the database may call it too. What it must
equal is the plain way (`ledger._grant_plainly`): tests/credits/test_at_once.py compares all rows of both. Change it by
a further migration with CREATE OR REPLACE.

Returns {posting, account, the shop's account, balance after}; or NULL, and nothing was written, when anything is
unusual: the reference is booked already, the user owes credits, or the shop's account was never used. Locks the user's
account until the transaction ends. Words come in from the caller: p_kind a Posting.Kind ('purchase', 'bonus'), p_from
the shop's account that gives ('issuance', 'bonus'), p_origin a Lot.Origin ('purchased', 'bonus'); p_expires_at NULL for
never.
"""

from django.db import migrations

GRANT = """
CREATE FUNCTION credits_grant_at_once(
    p_user bigint, p_amount bigint, p_kind text, p_from text, p_origin text, p_reference text,
    p_payment_reference text, p_expires_at timestamptz, p_reason text, p_actor text, p_now timestamptz
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    a bigint;  -- the user's account, and what it holds
    had bigint;
    shops bigint;
    p bigint;
    l bigint;
BEGIN
    SELECT id, balance INTO a, had FROM credits_creditaccount
    WHERE user_id = p_user AND kind = 'user' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        IF EXISTS (SELECT 1 FROM credits_posting WHERE kind = p_kind AND reference = p_reference)
            OR NOT EXISTS (SELECT 1 FROM credits_creditaccount WHERE kind = 'system' AND name = p_from)
        THEN RETURN NULL; END IF;
        INSERT INTO credits_creditaccount (kind, user_id, email, name, balance, created_at)
        VALUES ('user', p_user, '', '', 0, p_now) ON CONFLICT DO NOTHING;
        SELECT id, balance INTO a, had FROM credits_creditaccount
        WHERE user_id = p_user AND kind = 'user' FOR NO KEY UPDATE;
    END IF;

    -- A statement of its own, so that it sees what was committed while this one waited for the lock.
    INSERT INTO credits_posting
        (kind, reference, source_id, destination_id, amount, source_after, destination_after, actor, reason, at)
    SELECT p_kind, p_reference, s.id, a, p_amount, NULL, had + p_amount, left(p_actor, 120), left(p_reason, 500), p_now
    FROM credits_creditaccount s
    WHERE s.kind = 'system' AND s.name = p_from
      AND NOT EXISTS (SELECT 1 FROM credits_creditaccount d
                      WHERE d.user_id = p_user AND d.kind = 'debt' AND d.balance < 0)
    ON CONFLICT (kind, reference) DO NOTHING RETURNING id, source_id INTO p, shops;
    IF NOT FOUND THEN RETURN NULL; END IF;

    UPDATE credits_creditaccount SET balance = had + p_amount WHERE id = a;
    INSERT INTO credits_lot
        (account_id, posting_id, payment_reference, origin, amount, remaining, expired, reversed, expires_at, created_at)
    VALUES (a, p, p_payment_reference, p_origin, p_amount, p_amount, 0, 0, p_expires_at, p_now) RETURNING id INTO l;
    INSERT INTO credits_lotchange (posting_id, lot_id, amount) VALUES (p, l, p_amount);
    RETURN ARRAY[p, a, shops, had + p_amount];
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0002_one_index_each"),
    ]

    operations = [
        migrations.RunSQL(GRANT, "DROP FUNCTION IF EXISTS credits_grant_at_once"),
    ]
