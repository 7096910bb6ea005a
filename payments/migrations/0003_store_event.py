"""The function `payments_store_event`: the inbox's storing statement, its plans kept per connection.

payments.services.inbox is its only caller and says what it promises. As one statement of common table expressions it
did the same, and PostgreSQL planned longer than it ran (bench/RESULTS.md, B1 and B3). Change it by a further migration
with CREATE OR REPLACE.
"""

from django.db import migrations

STORE = """
CREATE FUNCTION payments_store_event(
    p_gateway text, p_account text, p_event text, p_kind text, p_subject text, p_live boolean, p_payload jsonb,
    p_proof boolean, p_now timestamptz, p_lately timestamptz,
    OUT known bigint, OUT same bigint, OUT same_status text, OUT stored bigint, OUT stored_status text
) LANGUAGE plpgsql AS $$
DECLARE
    seen timestamptz;
BEGIN
    -- Is the number ours?
    SELECT i.id INTO known FROM payments_paymentintent i WHERE i.out_trade_no = p_subject AND i.gateway = p_gateway;
    IF NOT FOUND THEN RETURN; END IF;
    -- Was the same said just now (or, where a post is proof, ever)? Then nothing is written.
    SELECT e.id, e.status, e.last_seen_at INTO same, same_status, seen FROM payments_webhookevent e
    WHERE e.gateway = p_gateway AND e.account = p_account AND e.event_id = p_event;
    IF FOUND AND (p_proof OR seen > p_lately) THEN RETURN; END IF;
    -- Else insert or count.
    INSERT INTO payments_webhookevent AS e
        (gateway, account, event_id, kind, subject, live, payload, status, count, received_at, last_seen_at, due_at,
         attempts, outcome)
    VALUES (p_gateway, p_account, p_event, p_kind, p_subject, p_live, p_payload, 'received', 1, p_now, p_now, p_now,
            0, '')
    ON CONFLICT (gateway, account, event_id) DO UPDATE
        SET count = e.count + 1, last_seen_at = EXCLUDED.last_seen_at,
            due_at = CASE WHEN e.status = 'received' THEN LEAST(e.due_at, EXCLUDED.due_at) ELSE e.due_at END
    RETURNING e.id, e.status INTO stored, stored_status;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_settle_at_once")]

    operations = [migrations.RunSQL(STORE, "DROP FUNCTION IF EXISTS payments_store_event")]
