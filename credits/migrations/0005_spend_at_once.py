"""The function `credits_spend_at_once`: the usual spending of a user's credits in one statement; and a quicker grant.

credits.services.at_once calls it for `ledger.spend`, whose plain way (`ledger._spend_plainly`) it must equal:
tests/credits/test_at_once.py compares all rows of both. Change it by a further migration with CREATE OR REPLACE.

Returns {posting, account, the shop's account, balance after}; or NULL, with all rows as they were, when anything is
unusual: the reference is booked already, there is too little, something has ended, or nobody ever spent in this shop.
Locks the user's account until the transaction ends. Words come in from the caller: p_kind a Posting.Kind ('spend'),
p_to the shop's account that receives ('spent').
"""

from django.db import migrations

SPEND = """
CREATE FUNCTION credits_spend_at_once(
    p_user bigint, p_amount bigint, p_kind text, p_to text, p_reference text, p_reason text, p_actor text,
    p_now timestamptz
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    a bigint;  -- the user's account, and what it holds after
    holds bigint;
    shops bigint;
    p bigint;
    l record;
    missing bigint := p_amount;
BEGIN
    UPDATE credits_creditaccount SET balance = balance - p_amount
    WHERE user_id = p_user AND kind = 'user' AND balance >= p_amount RETURNING id, balance INTO a, holds;
    IF NOT FOUND THEN RETURN NULL; END IF;

    -- A statement of its own, so that it sees what was committed while the first one waited for the account.
    INSERT INTO credits_posting
        (kind, reference, source_id, destination_id, amount, source_after, destination_after, actor, reason, at)
    SELECT p_kind, p_reference, a, s.id, p_amount, holds, NULL, left(p_actor, 120), left(p_reason, 500), p_now
    FROM credits_creditaccount s
    WHERE s.kind = 'system' AND s.name = p_to
      AND NOT EXISTS (SELECT 1 FROM credits_lot e WHERE e.account_id = a AND e.is_open AND e.expires_at <= p_now)
    ON CONFLICT (kind, reference) DO NOTHING RETURNING id, destination_id INTO p, shops;
    IF NOT FOUND THEN
        UPDATE credits_creditaccount SET balance = holds + p_amount WHERE id = a;
        RETURN NULL;
    END IF;

    -- As books.draw: what ends soonest first, given ('bonus') before bought ('purchased'), oldest first.
    FOR l IN SELECT id, remaining FROM credits_lot
             WHERE account_id = a AND is_open ORDER BY expires_at, origin, id LOOP
        UPDATE credits_lot SET remaining = GREATEST(l.remaining - missing, 0) WHERE id = l.id;
        INSERT INTO credits_lotchange (posting_id, lot_id, amount) VALUES (p, l.id, -LEAST(l.remaining, missing));
        missing := missing - l.remaining;
        EXIT WHEN missing <= 0;
    END LOOP;
    IF missing > 0 THEN
        RAISE EXCEPTION 'account % has % credits fewer in lots than in its balance', a, missing;
    END IF;
    RETURN ARRAY[p, a, shops, holds];
END $$
"""

#: As in 0003, with the account locked and changed by one statement.
GRANT = """
CREATE OR REPLACE FUNCTION credits_grant_at_once(
    p_user bigint, p_amount bigint, p_kind text, p_from text, p_origin text, p_reference text,
    p_payment_reference text, p_expires_at timestamptz, p_reason text, p_actor text, p_now timestamptz
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    a bigint;  -- the user's account, and what it holds after
    holds bigint;
    shops bigint;
    p bigint;
    l bigint;
BEGIN
    UPDATE credits_creditaccount SET balance = balance + p_amount
    WHERE user_id = p_user AND kind = 'user' RETURNING id, balance INTO a, holds;
    IF NOT FOUND THEN
        IF EXISTS (SELECT 1 FROM credits_posting WHERE kind = p_kind AND reference = p_reference)
            OR NOT EXISTS (SELECT 1 FROM credits_creditaccount WHERE kind = 'system' AND name = p_from)
        THEN RETURN NULL; END IF;
        INSERT INTO credits_creditaccount (kind, user_id, email, name, balance, created_at)
        VALUES ('user', p_user, '', '', 0, p_now) ON CONFLICT DO NOTHING;
        UPDATE credits_creditaccount SET balance = balance + p_amount
        WHERE user_id = p_user AND kind = 'user' RETURNING id, balance INTO a, holds;
    END IF;

    -- A statement of its own, so that it sees what was committed while the first one waited for the account.
    INSERT INTO credits_posting
        (kind, reference, source_id, destination_id, amount, source_after, destination_after, actor, reason, at)
    SELECT p_kind, p_reference, s.id, a, p_amount, NULL, holds, left(p_actor, 120), left(p_reason, 500), p_now
    FROM credits_creditaccount s
    WHERE s.kind = 'system' AND s.name = p_from
      AND NOT EXISTS (SELECT 1 FROM credits_creditaccount d
                      WHERE d.user_id = p_user AND d.kind = 'debt' AND d.balance < 0)
    ON CONFLICT (kind, reference) DO NOTHING RETURNING id, source_id INTO p, shops;
    IF NOT FOUND THEN
        UPDATE credits_creditaccount SET balance = holds - p_amount WHERE id = a;
        RETURN NULL;
    END IF;

    INSERT INTO credits_lot
        (account_id, posting_id, payment_reference, origin, amount, remaining, expired, reversed, expires_at, created_at)
    VALUES (a, p, p_payment_reference, p_origin, p_amount, p_amount, 0, 0, p_expires_at, p_now) RETURNING id INTO l;
    INSERT INTO credits_lotchange (posting_id, lot_id, amount) VALUES (p, l, p_amount);
    RETURN ARRAY[p, a, shops, holds];
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0004_lean_rows"),
    ]

    operations = [
        migrations.RunSQL(SPEND, "DROP FUNCTION IF EXISTS credits_spend_at_once"),
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
    ]
