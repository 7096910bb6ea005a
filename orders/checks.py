"""Invariants of orders (GUARANTEES.md 4): what was paid for is there, or somebody is on it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from pimpshop.core import invariants


@invariants.check("4 a paid case has its print job, a refund or an open staff item")
def _paid_case_has_a_job() -> Iterator[str]:
    # Surplus that is paid back is another payment's, and a refund that was only asked for has given nothing back.
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT o.order_no, l.position FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
               WHERE o.kind = 'case' AND o.paid_at IS NOT NULL AND o.status <> 'refunded'
                 AND NOT EXISTS (SELECT 1 FROM vending_printjob j
                                 WHERE j.reference = o.order_no || '/' || l.position
                                   AND (j.status NOT IN ('failed', 'gave_up', 'canceled')
                                        OR EXISTS (SELECT 1 FROM core_staffitem s
                                                   WHERE s.subject = j.reference AND s.resolved_at IS NULL)))
                 AND NOT EXISTS (SELECT 1 FROM core_staffitem s
                                 WHERE s.subject = o.order_no AND s.resolved_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM payments_refund r JOIN payments_paymentintent p ON p.id = r.intent_id
                                 WHERE p.order_id = o.id AND p.settles_order
                                   AND r.status IN ('pending', 'succeeded'))
                 AND NOT EXISTS (SELECT 1 FROM payments_dispute d JOIN payments_paymentintent p ON p.id = d.intent_id
                                 WHERE p.order_id = o.id AND p.settles_order
                                   AND d.money_moved AND d.status = 'lost')"""
        )
        rows = cursor.fetchall()
    for order_no, position in rows:
        yield f"order {order_no} line {position}"


@invariants.check("4 nothing is printed for an order that is not paid")
def _no_free_printing() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT j.reference, j.status FROM vending_printjob j
               LEFT JOIN orders_order o ON o.order_no = j.order_no
               WHERE o.id IS NULL OR o.paid_at IS NULL"""
        )
        rows = cursor.fetchall()
    for reference, status in rows:
        yield f"print job {reference} ({status})"


@invariants.check("4 paid credits and plans were granted, or somebody is on it")
def _paid_goods_are_granted() -> Iterator[str]:
    yield from _numbers(
        """SELECT DISTINCT o.order_no FROM orders_order o JOIN orders_orderline l ON l.order_id = o.id
           WHERE o.kind IN ('credits', 'plan') AND o.paid_at IS NOT NULL AND o.status <> 'refunded'
             AND NOT EXISTS (SELECT 1 FROM core_staffitem s WHERE s.subject = o.order_no AND s.resolved_at IS NULL)
             AND (NOT EXISTS (SELECT 1 FROM credits_posting c
                              WHERE c.kind = 'purchase' AND c.reference = o.order_no || '/' || l.position)
                  OR (o.kind = 'plan' AND NOT EXISTS (SELECT 1 FROM credits_planterm t
                              WHERE t.reference = o.order_no || '/' || l.position)))"""
    )


@invariants.check("4 nothing is granted for an order that is not paid")
def _no_free_credits() -> Iterator[str]:
    yield from _numbers(
        """SELECT DISTINCT o.order_no FROM credits_lot l JOIN orders_order o ON o.order_no = l.payment_reference
           WHERE o.paid_at IS NULL"""
    )


@invariants.check("4 with all of the money, all of the credits went back")
def _refunded_credits_are_back() -> Iterator[str]:
    yield from _numbers(
        """SELECT DISTINCT o.order_no FROM credits_lot l JOIN orders_order o ON o.order_no = l.payment_reference
           WHERE o.status = 'refunded' AND l.reversed <> l.amount"""
    )


@invariants.check("4 what is to be taken back waits only while nothing was given")
def _early_take_backs_wait() -> Iterator[str]:
    yield from _numbers(
        """SELECT DISTINCT o.order_no FROM orders_earlytakeback e JOIN orders_order o ON o.id = e.order_id
           WHERE EXISTS (SELECT 1 FROM credits_lot l WHERE l.payment_reference = o.order_no)
              OR EXISTS (SELECT 1 FROM credits_planterm t WHERE t.payment_reference = o.order_no)"""
    )


@invariants.check("24 what a buyer was told had happened")
def _messages_are_true() -> Iterator[str]:
    yield from _numbers(
        """SELECT DISTINCT n.kind || ' ' || n.reference FROM core_notification n
           LEFT JOIN orders_order o ON o.order_no = n.reference
           WHERE n.outcome = 'sent' AND n.kind IN (
                 'paid', 'case_accepted', 'case_printed', 'case_late', 'case_delayed', 'credits_granted', 'plan_began')
             AND (o.paid_at IS NULL OR n.kind IN ('case_accepted', 'case_printed') AND NOT EXISTS (
                      SELECT 1 FROM vending_printjob j WHERE j.order_no = o.order_no AND (j.accepted_at IS NOT NULL
                          OR EXISTS (SELECT 1 FROM vending_printjobevent e
                                     WHERE e.print_job_id = j.id AND e.to_status = 'accepted'))))""",
        "message",
    )  # one that is printed again is on its way anew; what was said of the first time stays true


@invariants.check("24 a message that was sent says to whom, and one that ended is not due")
def _messages_end_once() -> Iterator[str]:
    yield from _numbers(
        """SELECT kind || ' ' || reference FROM core_notification
           WHERE (outcome = 'sent') <> (sent_at IS NOT NULL) OR outcome = 'sent' AND (recipient = '' OR channel = '')
              OR outcome <> '' AND due_at IS NOT NULL""",
        "message",
    )


def _numbers(sql: str, what: str = "order") -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows = cursor.fetchall()
    for (order_no,) in rows:
        yield f"{what} {order_no}"
