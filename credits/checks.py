"""Invariants of credits (GUARANTEES.md 3, and 4 as far as the ledger knows), each a query for the rows that break it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from credits.services import seals
from pimpshop.core import invariants


def _rows(sql: str) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        yield from cursor.fetchall()


@invariants.check("3 a balance is the sum of its postings")
def _balance_is_sum_of_postings() -> Iterator[str]:
    for account, balance, total in _rows(
        """SELECT a.id, a.balance, SUM(s.amount) FROM credits_creditaccount a JOIN (
               SELECT destination_id AS account_id, amount FROM credits_posting
               UNION ALL SELECT source_id, -amount FROM credits_posting
               UNION ALL SELECT id, 0 FROM credits_creditaccount) s ON s.account_id = a.id
           WHERE a.kind <> 'system' GROUP BY a.id HAVING a.balance <> SUM(s.amount)"""
    ):
        yield f"account {account} says {balance}, its postings {total}"


@invariants.check("3 a balance is the sum of its lots")
def _balance_is_sum_of_lots() -> Iterator[str]:
    for account, balance, total in _rows(
        """SELECT a.id, a.balance, COALESCE(SUM(l.remaining), 0)
           FROM credits_creditaccount a LEFT JOIN credits_lot l ON l.account_id = a.id
           WHERE a.kind IN ('user', 'waiting') GROUP BY a.id HAVING a.balance <> COALESCE(SUM(l.remaining), 0)"""
    ):
        yield f"account {account} says {balance}, its lots {total}"


@invariants.check("3 no balance is below zero but a debt")
def _no_balance_below_zero() -> Iterator[str]:
    for account, kind, balance in _rows(
        """SELECT id, kind, balance FROM credits_creditaccount
           WHERE CASE kind WHEN 'debt' THEN balance > 0 WHEN 'system' THEN balance <> 0 ELSE balance < 0 END"""
    ):
        yield f"account {account} ({kind}): {balance}"


@invariants.check("3 every balance after a posting is the sum up to it")
def _prefix_sums() -> Iterator[str]:
    for posting, account, after, total in _rows(
        """SELECT * FROM (
               SELECT s.id, s.account_id, s.after, SUM(s.amount) OVER (PARTITION BY s.account_id ORDER BY s.id) AS total
               FROM (SELECT id, destination_id AS account_id, destination_after AS after, amount FROM credits_posting
                     UNION ALL SELECT id, source_id, source_after, -amount FROM credits_posting) s
               JOIN credits_creditaccount a ON a.id = s.account_id WHERE a.kind <> 'system') sums
           WHERE after IS DISTINCT FROM total"""
    ):
        yield f"posting {posting} left {after} on account {account}, the sum up to it is {total}"


@invariants.check("3 a posting is between accounts, a lot has both, a change its lot and posting")
def _nothing_points_nowhere() -> Iterator[str]:
    # The tables have no foreign keys for these (docs/adr/0013).
    for (what,) in _rows(
        """SELECT 'posting ' || p.id FROM credits_posting p
           WHERE NOT EXISTS (SELECT 1 FROM credits_creditaccount a WHERE a.id = p.source_id)
              OR NOT EXISTS (SELECT 1 FROM credits_creditaccount a WHERE a.id = p.destination_id)
           UNION ALL SELECT 'lot ' || l.id FROM credits_lot l
           WHERE NOT EXISTS (SELECT 1 FROM credits_creditaccount a WHERE a.id = l.account_id)
              OR NOT EXISTS (SELECT 1 FROM credits_posting p WHERE p.id = l.posting_id)
           UNION ALL SELECT 'change ' || c.id FROM credits_lotchange c
           WHERE NOT EXISTS (SELECT 1 FROM credits_lot l WHERE l.id = c.lot_id)
              OR NOT EXISTS (SELECT 1 FROM credits_posting p WHERE p.id = c.posting_id)"""
    ):
        yield f"{what} points at a row that is not there"


@invariants.check("3 postings are as they were sealed")
def _history_stays() -> Iterator[str]:
    yield from seals.broken()


@invariants.check("3 a lot is the sum of its changes and reversals")
def _lots_add_up() -> Iterator[str]:
    for lot, remaining, reversed_, changed, taken in _rows(
        """SELECT * FROM (
               SELECT l.id, l.remaining, l.reversed,
                      COALESCE((SELECT SUM(c.amount) FROM credits_lotchange c WHERE c.lot_id = l.id), 0) AS changed,
                      COALESCE((SELECT SUM(r.credits) FROM credits_reversal r
                                WHERE r.lot_id = l.id AND r.restored_at IS NULL), 0) AS taken
               FROM credits_lot l) lots
           WHERE remaining <> changed OR reversed <> taken"""
    ):
        yield f"lot {lot}: {remaining} left and {reversed_} taken back, its rows say {changed} and {taken}"


@invariants.check("3 a posting changes lots by its amount")
def _postings_move_lots() -> Iterator[str]:
    # A claim and a join move whole lots; a shortfall and what had expired were in no lot any more; what a hold spends had
    # left its lots before, and what comes back and pays a debt never reaches one.
    for posting, kind, amount, changed in _rows(
        """SELECT p.id, p.kind, p.amount, COALESCE(SUM(c.amount), 0)
           FROM credits_posting p LEFT JOIN credits_lotchange c ON c.posting_id = p.id
             JOIN credits_creditaccount a ON a.id = p.source_id
           WHERE p.kind NOT IN ('claim', 'join', 'shortfall', 'reverse-expired', 'repay-back') GROUP BY p.id, a.name
           HAVING COALESCE(SUM(c.amount), 0)
               <> CASE WHEN p.kind IN ('purchase', 'bonus', 'restore', 'release', 'give-back') THEN p.amount
                       WHEN a.name = 'held' THEN 0 ELSE -p.amount END"""
    ):
        yield f"posting {posting} ({kind}) of {amount} changed lots by {changed}"


@invariants.check("3 a hold is its postings: held once, then spent once or free again")
def _holds_are_their_postings() -> Iterator[str]:
    for reference, status in _rows(
        """SELECT * FROM (
               SELECT h.reference, h.status, h.amount, h.returned,
                      (SELECT COUNT(*) FROM credits_posting p WHERE p.kind = 'hold' AND p.reference = h.reference
                         AND p.amount = h.amount AND (p.source_id = h.account_id OR EXISTS (
                             SELECT 1 FROM credits_holdevent e WHERE e.hold_id = h.id
                               AND e.data->>'from_account' = p.source_id::text))) AS holds,
                      (SELECT COUNT(*) FROM credits_posting p JOIN credits_creditaccount a ON a.id = p.source_id
                       WHERE p.kind = 'spend' AND p.reference = h.reference AND a.name = 'held'
                         AND p.amount = h.amount) AS spends,
                      (SELECT COALESCE(SUM(p.amount), 0) FROM credits_posting p
                         JOIN credits_creditaccount a ON a.id = p.source_id
                       WHERE p.kind IN ('release', 'repay-back') AND p.reference = h.reference
                         AND a.name = 'held') AS released
               FROM credits_hold h) holds
           WHERE holds.holds <> 1 OR spends <> (CASE status WHEN 'committed' THEN 1 ELSE 0 END)
              OR released <> (CASE status WHEN 'released' THEN amount ELSE 0 END)"""
    ):
        yield f"hold {reference} is {status}, and its postings say something else"


@invariants.check("3 what is held in the books is what the holds say")
def _held_is_held() -> Iterator[str]:
    for books, holds in _rows(
        """SELECT * FROM (
               SELECT COALESCE(SUM(CASE WHEN d.name = 'held' THEN p.amount ELSE -p.amount END), 0) AS books,
                      (SELECT COALESCE(SUM(amount), 0) FROM credits_hold WHERE status = 'held') AS holds
               FROM credits_posting p JOIN credits_creditaccount s ON s.id = p.source_id
                 JOIN credits_creditaccount d ON d.id = p.destination_id
               WHERE 'held' IN (s.name, d.name)) sums
           WHERE books <> holds"""
    ):
        yield f"{books} credits are held in the books, {holds} by holds"


@invariants.check("3 no hold outlives its time")
def _holds_end() -> Iterator[str]:
    for reference, until in _rows(
        """SELECT reference, expires_at FROM credits_hold
           WHERE status = 'held' AND expires_at < now() - interval '1 hour'"""
    ):
        yield f"hold {reference} was to end at {until}"


@invariants.check("4 every grant of credits has its lot")
def _grants_have_lots() -> Iterator[str]:
    for posting, reference in _rows(
        """SELECT p.id, p.reference FROM credits_posting p LEFT JOIN credits_lot l ON l.posting_id = p.id
           WHERE (p.kind IN ('purchase', 'bonus')) <> (l.id IS NOT NULL) OR l.amount <> p.amount"""
    ):
        yield f"posting {posting} ({reference})"


@invariants.check("4 plan terms last as long as was bought and do not overlap")
def _terms_follow_each_other() -> Iterator[str]:
    for (reference,) in _rows(
        """SELECT reference FROM credits_planterm WHERE ends_at <> starts_at + duration - removed
           UNION SELECT b.reference FROM credits_planterm a JOIN credits_planterm b
               ON a.user_id = b.user_id AND a.id <> b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
           WHERE a.starts_at < a.ends_at AND b.starts_at < b.ends_at"""
    ):
        yield f"term {reference}"
