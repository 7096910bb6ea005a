"""The function `payments_settle_at_once`: the usual confirmation at a machine in one statement.

What it does is said in payments/services/at_once.py, which is its only caller; what it must equal is the plain way
(payments.services.settlement, orders.services.fulfilment, vending.services). tests/payments/test_at_once.py compares
all rows of both. Change it by a further migration with CREATE OR REPLACE.

Why a function: its plans are kept per connection (planning thirteen statements costs more than running them), it is
one round trip, and it works behind a pooler of any kind. Words (states, sources) come in from Python: the tables of
states stay the only place that knows which moves there are.
"""

from django.db import migrations

SETTLE = """
CREATE FUNCTION payments_settle_at_once(
    p_intent bigint, p_askable text[], p_unpaid text[], p_session_from text[], p_source text, p_actor text,
    p_told jsonb, p_provider_ref text, p_delay interval, p_job jsonb, p_now timestamptz
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    i payments_paymentintent;
    o orders_order;
    l orders_orderline;
    m bigint;
    s bigint;
    was text;
    job bigint;
    jobs bigint[] := '{}';
BEGIN
    -- Locks from the top down: payment, order, session. Whatever is unusual is left to the plain way: NULL.
    SELECT * INTO i FROM payments_paymentintent WHERE id = p_intent AND status = ANY(p_askable) FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    SELECT * INTO o FROM orders_order WHERE id = i.order_id FOR NO KEY UPDATE;
    IF o.kind <> 'case' OR o.status <> ALL(p_unpaid) THEN RETURN NULL; END IF;
    SELECT id INTO m FROM vending_machine WHERE machine_id = o.machine_id;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF EXISTS (SELECT 1 FROM orders_orderline WHERE order_id = o.id AND design_id IS NULL) THEN RETURN NULL; END IF;

    UPDATE payments_paymentintent SET
        status = 'succeeded', captured_minor = amount_minor, succeeded_at = p_now, next_query_at = NULL,
        leased_until = NULL, error_code = '', error_message = '', settles_order = TRUE, is_surplus = FALSE,
        provider_ref = COALESCE(NULLIF(p_provider_ref, ''), provider_ref), updated_at = p_now
    WHERE id = i.id;
    INSERT INTO payments_paymentevent (intent_id, from_status, at, to_status, source, actor, reason, data)
    VALUES (i.id, i.status, p_now, 'succeeded', p_source, p_actor, '', p_told);

    UPDATE orders_order SET status = 'paid', paid_at = p_now, updated_at = p_now WHERE id = o.id;
    INSERT INTO orders_orderevent (order_id, from_status, at, to_status, source, actor, reason, data)
    VALUES (o.id, o.status, p_now, 'paid', p_source, '', '', '{}');

    FOR l IN SELECT * FROM orders_orderline WHERE order_id = o.id ORDER BY position LOOP
        INSERT INTO vending_printjob SELECT (jsonb_populate_record(NULL::vending_printjob, p_job || jsonb_build_object(
            'id', nextval(pg_get_serial_sequence('vending_printjob', 'id')),
            'created_at', p_now, 'updated_at', p_now, 'due_at', p_now + p_delay,
            'reference', o.order_no || '/' || l.position, 'order_no', o.order_no, 'session_id', o.session_id,
            'machine_id', m, 'payment_third_id', i.out_trade_no, 'currency', o.currency,
            'amount_minor', l.unit_minor, 'shell_id', l.shell_id, 'design_id', l.design_id,
            'third_order_id', l.snapshot -> 'third_order_id', 'print_sha256', l.snapshot -> 'print_sha256',
            'mobile_model_id', l.snapshot -> 'mobile_model_id', 'mobile_shell_id', l.snapshot -> 'mobile_shell_id'
        ))).* ON CONFLICT (reference) DO NOTHING RETURNING id INTO job;
        IF FOUND THEN
            INSERT INTO vending_printjobevent (print_job_id, from_status, at, to_status, source, actor, reason, data)
            VALUES (job, p_job ->> 'status', p_now, p_job ->> 'status', 'system', '', 'created',
                    jsonb_build_object('third_order_id', l.snapshot -> 'third_order_id'));
            jobs := jobs || job;
        END IF;
    END LOOP;

    SELECT id, status INTO s, was FROM vending_vendingsession
    WHERE session_id = o.session_id AND o.session_id <> '' AND status = ANY(p_session_from) FOR NO KEY UPDATE;
    IF FOUND THEN
        UPDATE vending_vendingsession SET
            status = 'payment_completed', order_no = o.order_no, amount_minor = o.total_minor,
            currency = o.currency, updated_at = p_now
        WHERE id = s;
        INSERT INTO vending_sessionevent (session_id, from_status, at, to_status, source, actor, reason, data)
        VALUES (s, was, p_now, 'payment_completed', p_source, '', '', '{}');
    END IF;
    RETURN jobs;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_initial"),
        ("orders", "0001_initial"),
        ("vending", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(SETTLE, "DROP FUNCTION IF EXISTS payments_settle_at_once"),
    ]
