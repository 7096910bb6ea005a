"""The function `payments_take_in`: a signed success is stored and, in the usual case, settled by the same statement.

payments.services.at_the_door is its only caller and says what it promises; what it must equal is the plain way: the
event is stored, a worker leases it, settles and ends it. tests/payments/test_at_the_door.py compares all rows of both.
Change it by a further migration with CREATE OR REPLACE.

Nothing is locked ahead: what the first reading found is named again by each UPDATE, in the order of the house (payment,
order, account of credits). Where one of them finds it changed, or whatever else goes wrong, the block is rolled back,
and the event is stored for the worker instead, in the same statement.
"""

from django.db import migrations

TAKE_IN = """
CREATE FUNCTION payments_take_in(
    p_gateway text, p_account text, p_event text, p_kind text, p_subject text, p_live boolean, p_payload jsonb,
    p_facts jsonb, p_now timestamptz, p_mirror_at timestamptz, p_amount bigint, p_currency text, p_provider_ref text,
    p_transaction_ref text, p_details jsonb, p_receipt text, p_told jsonb, p_askable text[], p_unpaid text[],
    p_grant text[], p_outcome text,
    OUT known bigint, OUT same bigint, OUT same_status text, OUT stored bigint, OUT stored_status text,
    OUT settled text
) LANGUAGE plpgsql AS $$
DECLARE
    i record;
    l record;
BEGIN
    SELECT e.id, e.status INTO same, same_status FROM payments_webhookevent e
    WHERE e.gateway = p_gateway AND e.account = p_account AND e.event_id = p_event;
    IF FOUND THEN RETURN; END IF;

    SELECT p.id, p.order_id, p.status, p.provider_ref, p.transaction_ref, o.status AS order_status, o.order_no, o.kind,
           o.user_id INTO i
    FROM payments_paymentintent p JOIN orders_order o ON o.id = p.order_id
    WHERE p.out_trade_no = p_subject AND p.gateway = p_gateway AND p.status = ANY(p_askable)
      AND p.account IN ('', p_account) AND p.live = p_live AND p.amount_minor = p_amount AND p.currency = p_currency
      -- The provider's references are the known ones, or the first that are told.
      AND (p.provider_ref = '' AND p.transaction_ref = ''
           OR p.transaction_ref IN ('', p_transaction_ref) AND p.provider_ref = p_provider_ref AND p_provider_ref <> ''
           OR p.transaction_ref IN ('', p_transaction_ref) AND p_provider_ref = '' AND p_transaction_ref <> '')
      AND o.status = ANY(p_unpaid) AND o.total_minor = p_amount AND o.session_id = ''
      AND (o.kind = 'credits' AND o.user_id IS NOT NULL OR o.kind = 'merchant');
    IF FOUND THEN
        BEGIN
            UPDATE payments_paymentintent SET
                status = 'succeeded', captured_minor = amount_minor, succeeded_at = p_now, next_query_at = NULL,
                leased_until = NULL, error_code = '', error_message = '', settles_order = TRUE, is_surplus = FALSE,
                provider_ref = COALESCE(NULLIF(provider_ref, ''), p_provider_ref),
                transaction_ref = COALESCE(NULLIF(p_transaction_ref, ''), transaction_ref),
                method_details = COALESCE(p_details, method_details),
                receipt_url = COALESCE(NULLIF(p_receipt, ''), receipt_url), updated_at = p_now
            WHERE id = i.id AND status = i.status AND provider_ref = i.provider_ref
              AND transaction_ref = i.transaction_ref;
            IF NOT FOUND THEN RAISE raise_exception; END IF;
            INSERT INTO payments_paymentevent (intent_id, from_status, at, to_status, source, actor, reason, data)
            VALUES (i.id, i.status, p_now, 'succeeded', 'webhook', '', '', p_told);

            UPDATE orders_order SET status = 'completed', paid_at = p_now, completed_at = p_now, updated_at = p_now
            WHERE id = i.order_id AND status = i.order_status AND session_id = '';
            IF NOT FOUND THEN RAISE raise_exception; END IF;
            INSERT INTO orders_orderevent (order_id, from_status, at, to_status, source, actor, reason, data)
            VALUES (i.order_id, i.order_status, p_now, 'paid', 'webhook', '', '', '{}'),
                   (i.order_id, 'paid', p_now, 'completed', 'webhook', '',
                    CASE i.kind WHEN 'merchant' THEN 'another shop''s order' ELSE 'granted' END, '{}');

            IF i.kind = 'credits' THEN
                FOR l IN SELECT position, quantity, snapshot FROM orders_orderline WHERE order_id = i.order_id
                         ORDER BY position LOOP
                    -- Anything but a number of credits (points, a plan's days) is the plain way's.
                    IF jsonb_typeof(l.snapshot -> 'credits') IS DISTINCT FROM 'number'
                        OR l.snapshot ->> 'term_days' IS NOT NULL
                        OR credits_grant_at_once(
                            i.user_id, (l.snapshot ->> 'credits')::bigint * l.quantity, p_grant[1], p_grant[2],
                            p_grant[3], i.order_no || '/' || l.position, i.order_no, NULL,
                            COALESCE(l.snapshot ->> 'name', ''), '', p_now) IS NULL
                    THEN RAISE raise_exception; END IF;
                END LOOP;
            END IF;

            INSERT INTO payments_webhookevent
                (gateway, account, event_id, kind, subject, live, payload, status, count, received_at, last_seen_at,
                 due_at, attempts, outcome, mirror_due_at)
            VALUES (p_gateway, p_account, p_event, p_kind, p_subject, p_live, p_payload, 'processed', 1, p_now, p_now,
                    NULL, 1, p_outcome, p_mirror_at)
            RETURNING id, status INTO stored, stored_status;
            known := i.id;
            settled := i.order_no;
            RETURN;
        EXCEPTION
            WHEN raise_exception THEN NULL;  -- changed meanwhile, or unusual goods
            WHEN OTHERS THEN RAISE LOG 'event % was not settled at once: %', p_event, SQLERRM;
        END;
    END IF;

    SELECT s.known, s.same, s.same_status, s.stored, s.stored_status
    INTO known, same, same_status, stored, stored_status
    FROM payments_store_event(
        p_gateway, p_account, p_event, p_kind, p_subject, p_live, p_payload || p_facts, TRUE, p_now, p_now) s;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0010_disputes_turn_round"),
        ("orders", "0002_one_index_each"),
        ("credits", "0003_grant_at_once"),
    ]

    operations = [migrations.RunSQL(TAKE_IN, "DROP FUNCTION IF EXISTS payments_take_in")]
