"""A confirmation at a machine in two statements: `payments_take_up` before the manufacturer is asked, and
`payments_settle_at_once` after it, which now ends the event too.

payments.services.at_once is their only caller and says what they promise. The lease of an event has a column of its own,
in no index, so that taking it writes no index; so does the right to ask, which leaves the plan of the next question alone
where it lies ahead. `payments_settle_at_once` locks nothing ahead any more: each UPDATE names what was read before.
"""

from django.db import migrations, models

TAKE_UP = """
CREATE FUNCTION payments_take_up(
    p_event bigint, p_now timestamptz, p_leased_until timestamptz, p_lately timestamptz, p_undecided text[],
    p_ended text[]
) RETURNS TABLE (
    event payments_webhookevent, intent payments_paymentintent, order_no text, session_id text, may_ask boolean
) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments_webhookevent e SET leased_until = p_leased_until
    WHERE e.id = p_event AND e.status = 'received' AND e.due_at <= p_now
      AND (e.leased_until IS NULL OR e.leased_until <= p_now)
    RETURNING e.* INTO event;
    IF NOT FOUND THEN RETURN; END IF;

    may_ask := FALSE;
    SELECT p.* INTO intent FROM payments_paymentintent p
    WHERE p.out_trade_no = event.subject AND p.gateway = event.gateway;
    IF FOUND THEN
        SELECT o.order_no, o.session_id INTO order_no, session_id FROM orders_order o WHERE o.id = intent.order_id;
        -- What the event says itself is applied without a question; a plan that is due or missing is made in Python.
        IF NOT event.payload ? 'facts' AND (
            intent.next_query_at > p_now AND intent.status = ANY(p_undecided)
            OR intent.next_query_at IS NULL AND intent.status = ANY(p_ended)
        ) THEN
            UPDATE payments_paymentintent p SET last_query_at = p_now
            WHERE p.id = intent.id AND p.status = intent.status
              AND (p.last_query_at IS NULL OR p.last_query_at <= p_lately)
              AND NOT EXISTS (SELECT 1 FROM payments_paymentintent other
                              WHERE other.order_id = p.order_id AND other.id <> p.id);
            may_ask := FOUND;
            IF may_ask THEN intent.last_query_at := p_now; END IF;
        END IF;
    END IF;
    RETURN NEXT;
END $$
"""

SETTLE = """
CREATE FUNCTION payments_settle_at_once(
    p_intent bigint, p_askable text[], p_unpaid text[], p_session_from text[], p_source text, p_actor text,
    p_told jsonb, p_provider_ref text, p_delay interval, p_job jsonb, p_now timestamptz, p_event bigint, p_outcome text
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    i record;
    l orders_orderline;
    s record;
    job bigint;
    jobs bigint[] := '{}';
BEGIN
    -- Whatever is unusual is left to the plain way: NULL.
    SELECT p.id, p.status, p.out_trade_no, o.id AS order_id, o.status AS order_status, o.order_no, o.session_id,
           o.currency, o.total_minor, m.id AS machine INTO i
    FROM payments_paymentintent p JOIN orders_order o ON o.id = p.order_id
        JOIN vending_machine m ON m.machine_id = o.machine_id
    WHERE p.id = p_intent AND p.status = ANY(p_askable) AND o.kind = 'case' AND o.status = ANY(p_unpaid);
    IF NOT FOUND OR EXISTS (SELECT 1 FROM orders_orderline WHERE order_id = i.order_id AND design_id IS NULL)
    THEN RETURN NULL; END IF;

    -- Locks from the top down, by writing: payment, order, session.
    UPDATE payments_paymentintent SET
        status = 'succeeded', captured_minor = amount_minor, succeeded_at = p_now, next_query_at = NULL,
        leased_until = NULL, error_code = '', error_message = '', settles_order = TRUE, is_surplus = FALSE,
        provider_ref = COALESCE(NULLIF(p_provider_ref, ''), provider_ref), updated_at = p_now
    WHERE id = i.id AND status = i.status;
    IF NOT FOUND THEN RETURN NULL; END IF;
    INSERT INTO payments_paymentevent (intent_id, from_status, at, to_status, source, actor, reason, data)
    VALUES (i.id, i.status, p_now, 'succeeded', p_source, p_actor, '', p_told);

    UPDATE orders_order SET status = 'paid', paid_at = p_now, updated_at = p_now
    WHERE id = i.order_id AND status = i.order_status;
    IF NOT FOUND THEN RAISE raise_exception; END IF;
    INSERT INTO orders_orderevent (order_id, from_status, at, to_status, source, actor, reason, data)
    VALUES (i.order_id, i.order_status, p_now, 'paid', p_source, '', '', '{}');

    FOR l IN SELECT * FROM orders_orderline WHERE order_id = i.order_id ORDER BY position LOOP
        INSERT INTO vending_printjob SELECT (jsonb_populate_record(NULL::vending_printjob, p_job || jsonb_build_object(
            'id', nextval(pg_get_serial_sequence('vending_printjob', 'id')),
            'created_at', p_now, 'updated_at', p_now, 'due_at', p_now + p_delay,
            'reference', i.order_no || '/' || l.position, 'order_no', i.order_no, 'session_id', i.session_id,
            'machine_id', i.machine, 'payment_third_id', i.out_trade_no, 'currency', i.currency,
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

    IF i.session_id <> '' THEN
        SELECT v.id, v.status INTO s FROM vending_vendingsession v
        WHERE v.session_id = i.session_id AND v.status = ANY(p_session_from);
        IF FOUND THEN
            UPDATE vending_vendingsession SET
                status = 'payment_completed', order_no = i.order_no, amount_minor = i.total_minor,
                currency = i.currency, updated_at = p_now
            WHERE id = s.id AND status = s.status;
            IF NOT FOUND THEN RAISE raise_exception; END IF;
            INSERT INTO vending_sessionevent (session_id, from_status, at, to_status, source, actor, reason, data)
            VALUES (s.id, s.status, p_now, 'payment_completed', p_source, '', '', '{}');
        END IF;
    END IF;

    IF p_event IS NOT NULL THEN
        UPDATE payments_webhookevent SET
            status = 'processed', due_at = NULL, leased_until = NULL, attempts = attempts + 1, outcome = p_outcome
        WHERE id = p_event AND status = 'received';
        IF FOUND THEN
            INSERT INTO payments_webhookeventchange
                (event_id, from_status, at, to_status, source, actor, reason, data)
            VALUES (p_event, 'received', p_now, 'processed', 'worker', '', '', '{}');
        END IF;
    END IF;
    RETURN jobs;
EXCEPTION
    WHEN raise_exception THEN RETURN NULL;  -- order or session moved meanwhile: all of it is taken back
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_room_on_the_page")]

    operations = [
        migrations.AddField(
            model_name="webhookevent",
            name="leased_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        # Whoever holds a payment for longer than that keeps no provider waiting: the event is stored for the worker.
        migrations.RunSQL(
            "ALTER FUNCTION payments_take_in SET lock_timeout = '1s'",
            "ALTER FUNCTION payments_take_in RESET lock_timeout",
        ),
        migrations.RunSQL(
            TAKE_UP + ";" + SETTLE,
            "DROP FUNCTION IF EXISTS payments_take_up;"
            "DROP FUNCTION IF EXISTS payments_settle_at_once(bigint, text[], text[], text[], text, text, jsonb, text,"
            " interval, jsonb, timestamptz, bigint, text)",
        ),
    ]
