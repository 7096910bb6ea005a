"""Invariants of payments (GUARANTEES.md, first block), each a query that finds the rows that break it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from payments import states
from pimpshop.core import invariants


def _rows(sql: str, params: list[Any] | None = None) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or [])
        yield from cursor.fetchall()


@invariants.check("4 what an account that was joined owned is the other's")
def _joined_accounts_own_nothing() -> Iterator[str]:
    # A request on its way may leave something there: the sweeper gathers it within a minute.
    for (user,) in _rows(
        """SELECT j.user_id FROM payments_joinedaccount j WHERE j.joined_at < now() - interval '5 minutes' AND (
               EXISTS (SELECT 1 FROM orders_order o WHERE o.user_id = j.user_id)
            OR EXISTS (SELECT 1 FROM credits_creditaccount a WHERE a.user_id = j.user_id
                       AND (a.balance <> 0 OR EXISTS (SELECT 1 FROM credits_lot l WHERE l.account_id = a.id)))
            OR EXISTS (SELECT 1 FROM credits_planterm t WHERE t.user_id = j.user_id))"""
    ):
        yield f"user {user}"


@invariants.check("1 a paid order is settled once, by its own total: money, and what credits pay of it")
def _settled_once() -> Iterator[str]:
    for order_no, status, settled, covered, total in _rows(
        """SELECT * FROM (
               SELECT o.order_no, o.status, COALESCE(SUM(p.captured_minor), 0) AS settled,
                      COALESCE((SELECT SUM(c.covers_minor) FROM orders_creditpart c JOIN credits_hold h
                                  ON h.reference = o.order_no || '/c' || c.number AND h.status = 'committed'
                                WHERE c.order_id = o.id), 0) AS covered,
                      o.total_minor, o.paid_at
               FROM orders_order o LEFT JOIN payments_paymentintent p ON p.order_id = o.id AND p.settles_order
               GROUP BY o.id) paid
           WHERE settled + covered <> CASE WHEN paid_at IS NULL THEN 0 ELSE total_minor END"""
    ):
        yield f"order {order_no} is {status}: settled {settled} and {covered} by credits of {total} minor units"


@invariants.check("1 credits are spent exactly for what they paid, and back exactly if all of it is back")
def _credits_pay() -> Iterator[str]:
    for reference, status in _rows(
        """SELECT h.reference, h.status FROM credits_hold h
           LEFT JOIN payments_paymentintent p ON p.out_trade_no = h.reference AND p.gateway = 'credits'
               AND p.status IN ('succeeded', 'partially_refunded', 'refunded') AND p.captured_minor = h.amount
           LEFT JOIN orders_order o ON o.order_no = h.subject
           LEFT JOIN orders_creditpart c ON c.order_id = o.id AND h.reference = o.order_no || '/c' || c.number
               AND c.credits = h.amount
           WHERE (h.status = 'committed') <> (p.id IS NOT NULL OR c.id IS NOT NULL AND h.status = 'committed')
              OR h.status = 'committed' AND p.id IS NOT NULL
                 AND h.returned NOT BETWEEN p.refunded_minor AND p.refund_reserved_minor
              OR h.status = 'committed' AND c.id IS NOT NULL
                 AND h.returned <> CASE o.status WHEN 'refunded' THEN h.amount ELSE 0 END"""
    ):
        yield f"hold {reference} is {status}, and its payment says something else"


@invariants.check("1 every success settles its order or is surplus")
def _success_counts() -> Iterator[str]:
    for number, status in _rows(
        """SELECT out_trade_no, status FROM payments_paymentintent
           WHERE (status IN ('succeeded', 'partially_refunded', 'refunded')) <> (settles_order OR is_surplus)
              OR (status IN ('succeeded', 'partially_refunded', 'refunded') AND captured_minor <> amount_minor
                  AND NOT (manual_capture AND captured_minor > 0))"""
    ):
        yield f"payment {number} ({status})"


@invariants.check("1 surplus has a refund or an open staff item")
def _surplus_given_back() -> Iterator[str]:
    for (number,) in _rows(
        """SELECT p.out_trade_no FROM payments_paymentintent p WHERE p.is_surplus
             AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.intent_id = p.id AND r.status <> 'failed')
             AND NOT EXISTS (SELECT 1 FROM core_staffitem s
                             WHERE s.resolved_at IS NULL AND (s.subject = p.out_trade_no OR s.subject IN (
                                 SELECT failed.out_refund_no FROM payments_refund failed
                                 WHERE failed.intent_id = p.id)))"""
    ):
        yield f"payment {number}"


@invariants.check("2 refunds that did not fail are within what was captured")
def _refunds_fit() -> Iterator[str]:
    for number, refunded, captured in _rows(
        """SELECT p.out_trade_no, SUM(r.amount_minor), p.captured_minor
           FROM payments_paymentintent p JOIN payments_refund r ON r.intent_id = p.id AND r.status <> 'failed'
           GROUP BY p.id HAVING SUM(r.amount_minor) > p.captured_minor"""
    ):
        yield f"payment {number}: {refunded} of {captured} minor units"


@invariants.check(
    "2 what is reserved for refunds is the sum of those that did not fail, and what is done is done"
)
def _reservations_tell() -> Iterator[str]:
    for number, reserved, refunded in _rows(
        """SELECT p.out_trade_no, p.refund_reserved_minor, p.refunded_minor
           FROM payments_paymentintent p LEFT JOIN payments_refund r ON r.intent_id = p.id
           GROUP BY p.id
           HAVING p.refund_reserved_minor <> COALESCE(SUM(r.amount_minor) FILTER (WHERE r.status <> 'failed'), 0)
               OR p.refunded_minor <> COALESCE(SUM(r.amount_minor) FILTER (WHERE r.status = 'succeeded'), 0)"""
    ):
        yield f"payment {number}: {reserved} reserved, {refunded} paid back"


@invariants.check("2 a refund that is not decided is sent or asked about")
def _refunds_go_on() -> Iterator[str]:
    for number, status in _rows(
        """SELECT out_refund_no, status FROM payments_refund
           WHERE kind = 'provider' AND status IN ('created', 'pending') AND next_query_at IS NULL"""
    ):
        yield f"refund {number} is {status} and nobody will ask about it"


@invariants.check("5 a case that no machine has taken is held exactly while a bank decides about its payment")
def _disputed_cases_are_held() -> Iterator[str]:
    # What was being sent when the bank took the money stays held until people have looked.
    for reference, held in _rows(
        """SELECT j.reference, j.held FROM vending_printjob j
           LEFT JOIN LATERAL (
               SELECT COUNT(*) AS open FROM payments_dispute d
               JOIN payments_paymentintent p ON p.id = d.intent_id JOIN orders_order o ON o.id = p.order_id
               WHERE o.order_no = j.order_no AND p.settles_order AND d.money_moved AND d.status = ANY(%s)) x ON true
           WHERE j.status IN ('waiting', 'announcing', 'confirming', 'submitting', 'failed', 'gave_up')
             AND (j.held <> '') <> (x.open > 0)
             AND NOT (j.held <> '' AND EXISTS (SELECT 1 FROM core_staffitem s
                                               WHERE s.subject = j.reference AND s.resolved_at IS NULL))""",
        [list(states.DISPUTED)],
    ):
        yield f"print job {reference}: held {held or 'not'}"


@invariants.check("6 every stored event ends: processed, ignored or with staff")
def _events_end() -> Iterator[str]:
    for gateway, event_id, status in _rows(
        """SELECT gateway, event_id, status FROM payments_webhookevent
           WHERE (status = 'received') <> (due_at IS NOT NULL)
              OR (status = 'received' AND last_seen_at < %s AND attempts = 0)""",
        [timezone.now() - timedelta(hours=1)],
    ):
        yield f"event {gateway} {event_id} is {status}"


@invariants.check("3 whoever may still pay is asked about")
def _undecided_is_asked_about() -> Iterator[str]:
    for number, status in _rows(
        """SELECT out_trade_no, status FROM payments_paymentintent
           WHERE status = ANY(%s) AND next_query_at IS NULL""",
        [list(states.UNDECIDED)],
    ):
        yield f"payment {number} is {status} and nobody will ask about it"


_EVENTS = {
    "payment": ("payments_paymentintent", "payments_paymentevent", "intent_id", "out_trade_no"),
    "refund": ("payments_refund", "payments_refundevent", "refund_id", "out_refund_no"),
    "dispute": ("payments_dispute", "payments_disputeevent", "dispute_id", "provider_ref"),
    "order": ("orders_order", "orders_orderevent", "order_id", "order_no"),
    "hold of credits": ("credits_hold", "credits_holdevent", "hold_id", "reference"),
    "session": ("vending_vendingsession", "vending_sessionevent", "session_id", "session_id"),
    "print job": ("vending_printjob", "vending_printjobevent", "print_job_id", "reference"),
}


@invariants.check("8 every state has the event that made it")
def _events_tell() -> Iterator[str]:
    """The newest event about the status says the status; an untouched row has its creation. Remarks do not count: the
    status in them is the one that their writer had read."""
    for name, (table, events, link, label) in _EVENTS.items():
        # Table names are constants of this module.
        for number, status in _rows(
            f"""SELECT t."{label}", t.status FROM "{table}" t
                WHERE t.status IS DISTINCT FROM (
                    SELECT e.to_status FROM "{events}" e WHERE e."{link}" = t.id AND NOT (e.data ? 'column')
                    ORDER BY e.from_status <> e.to_status DESC, e.id DESC LIMIT 1)"""  # noqa: S608
        ):
            yield f"{name} {number} is {status} without an event that says so"


@invariants.check("24 nobody was told of money that did not go back")
def _told_of_refunds() -> Iterator[str]:
    """A refund that failed after it had been said to be done was true when it was told."""
    for kind, number in _rows(
        """SELECT n.kind, n.reference FROM core_notification n
           WHERE n.outcome = 'sent' AND n.kind IN ('refunded', 'giving_back') AND NOT EXISTS (
               SELECT 1 FROM payments_refund r JOIN payments_refundevent e ON e.refund_id = r.id
               WHERE r.out_refund_no = n.reference AND (n.kind = 'giving_back' OR e.to_status = 'succeeded'))"""
    ):
        yield f"message {kind} {number}"
