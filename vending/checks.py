"""Invariants of machines and print jobs (GUARANTEES.md 5)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from pimpshop.core import invariants


def _rows(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        rows: list[tuple[object, ...]] = cursor.fetchall()
    return rows


@invariants.check("5 the picture of a print job is the one that was frozen")
def _picture_is_frozen() -> Iterator[str]:
    for reference, wanted, stored in _rows(
        """SELECT j.reference, j.print_sha256, d.print_sha256 FROM vending_printjob j
           LEFT JOIN catalog_design d ON d.id = j.design_id
           WHERE d.id IS NULL OR d.frozen_at IS NULL OR d.print_sha256 <> j.print_sha256"""
    ):
        yield f"print job {reference}: {wanted} but the design has {stored}"


@invariants.check("5 an accepted print job is known by one third_id")
def _accepted_once() -> Iterator[str]:
    for reference, status in _rows(
        """SELECT reference, status FROM vending_printjob
           WHERE (status IN ('accepted', 'printing', 'printed', 'collected')) AND accepted_at IS NULL"""
    ):
        yield f"print job {reference} is {status} but was never accepted"
    for number, count in _rows(
        """SELECT manufacturer_order_id, COUNT(*) FROM vending_printjob WHERE manufacturer_order_id <> ''
           GROUP BY 1 HAVING COUNT(*) > 1"""
    ):
        yield f"print order {number} stands for {count} jobs"


@invariants.check("5 an unsent print job has a next step due")
def _unsent_is_due() -> Iterator[str]:
    for reference, status in _rows(
        """SELECT reference, status FROM vending_printjob
           WHERE status IN ('announcing', 'confirming', 'submitting') AND due_at IS NULL"""
    ):
        yield f"print job {reference} is {status} and nothing is due"
    for (reference,) in _rows(
        """SELECT j.reference FROM vending_printjob j
           WHERE j.status IN ('announcing', 'confirming', 'submitting') AND j.due_at > now() + interval '30 days'
             AND j.held = ''
             AND NOT EXISTS (SELECT 1 FROM core_staffitem s
                             WHERE s.subject = j.reference AND s.resolved_at IS NULL)"""
    ):
        yield f"print job {reference} is paused and nobody is on it"


@invariants.check("5 a case that the machine keeps for more than two days is known to staff")
def _late_is_told() -> Iterator[str]:
    # An hour of grace: the last look is due after 48 h. A person who closed the item has decided.
    for reference, status in _rows(
        """SELECT j.reference, j.status FROM vending_printjob j
           WHERE j.status IN ('accepted', 'printing') AND j.accepted_at < now() - interval '49 hours'
             AND NOT EXISTS (SELECT 1 FROM core_staffitem s
                             WHERE s.subject = j.reference AND s.created_at >= j.accepted_at
                               AND (s.resolved_at IS NULL OR s.resolved_by <> 'system'))"""
    ):
        yield f"print job {reference} is {status}"
