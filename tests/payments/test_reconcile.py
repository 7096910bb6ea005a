"""A provider's statement against our books, both ways: each kind of difference, days and zones, and how one ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from payments.gateways import base
from payments.models import PaymentIntent, ReconcileDifference, StatementRun
from payments.services import reconcile, reconcile_rows
from pimpshop.core.models import AuditEntry, StaffItem
from pimpshop.core.money import Money
from tests import factories

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)  # noon in Shanghai
pytestmark = pytest.mark.django_db


def line(number: str, minor: int, *, kind: str = "payment", refund: str = "") -> base.StatementLine:
    return base.StatementLine(
        kind=kind, amount=Money(minor, "CNY"), at=NOON, out_trade_no=number, out_refund_no=refund
    )


def paid(number: str, minor: int = 990, at: datetime = NOON, **more: object) -> PaymentIntent:
    values = {
        "gateway": "alipay", "account": "2021", "status": "succeeded", "out_trade_no": number, "amount_minor": minor,
        "captured_minor": minor, "currency": "CNY", "succeeded_at": at,
    }  # fmt: skip
    return factories.intent(**(values | more))


@pytest.fixture
def run() -> StatementRun:
    return StatementRun.objects.create(gateway="alipay", account="2021", day=DAY, due_at=NOON)


def kinds() -> list[tuple[str, str, int | None, int | None]]:
    rows = ReconcileDifference.objects.filter(status="open").order_by("kind", "subject")
    return [(r.kind, r.subject, r.ours_minor, r.theirs_minor) for r in rows]


def test_what_agrees_is_counted_and_leaves_nothing(run: StatementRun) -> None:
    one = paid("P1")
    factories.refund(one, kind="provider", status="succeeded", out_refund_no="P1_R1", amount_minor=500,
                     currency="CNY", succeeded_at=NOON)  # fmt: skip
    reconcile.compare(run, [line("P1", 990), line("P1", 500, kind="refund", refund="P1_R1")])
    run.refresh_from_db()
    assert kinds() == []
    assert (run.lines, run.matched, run.differences, run.due_at, run.error) == (2, 2, 0, None, "")
    assert run.done_at is not None
    assert not StaffItem.objects.exists()


def test_every_kind_of_difference_is_found_both_ways(run: StatementRun) -> None:
    paid("OTHER-AMOUNT", 990)
    paid("ONLY-HERE", 700)
    back = paid("REFUNDED", 800)
    for number, minor in (("R-AMOUNT", 100), ("R-HERE", 200)):
        factories.refund(back, kind="provider", status="succeeded", out_refund_no=number, amount_minor=minor,
                         currency="CNY", succeeded_at=NOON)  # fmt: skip
    reconcile.compare(
        run,
        [
            line("STRANGER", 1),
            line("OTHER-AMOUNT", 991),
            line("REFUNDED", 800),
            line("REFUNDED", 101, kind="refund", refund="R-AMOUNT"),
            line("REFUNDED", 5, kind="refund", refund="R-STRANGER"),
        ],
    )
    assert kinds() == [
        ("payment_amount", "OTHER-AMOUNT", 990, 991),
        ("payment_only_here", "ONLY-HERE", 700, None),
        ("payment_only_there", "STRANGER", None, 1),
        ("refund_amount", "R-AMOUNT", 100, 101),
        ("refund_only_here", "R-HERE", 200, None),
        ("refund_only_there", "R-STRANGER", None, 5),
    ]
    item = StaffItem.objects.get()
    assert (item.kind, item.subject) == ("reconcile_difference", "alipay 2026-11-20")
    run.refresh_from_db()
    assert (run.lines, run.matched, run.differences) == (5, 1, 6)


def test_another_account_and_another_gateway_are_not_compared(run: StatementRun) -> None:
    paid("FOREIGN", account="another")
    paid("STRIPE", gateway="stripe")
    reconcile.compare(run, [])
    assert kinds() == []


@pytest.mark.tz
def test_the_day_is_the_providers_and_its_edges_may_stand_in_the_neighbours(run: StatementRun) -> None:
    start = datetime(2026, 11, 19, 16, tzinfo=UTC)  # midnight in Shanghai
    assert reconcile.bounds("alipay", DAY) == (start, start + timedelta(days=1))
    assert reconcile.bounds("stripe", DAY)[0] == datetime(2026, 11, 20, tzinfo=UTC)
    paid("BEFORE", at=start - timedelta(seconds=1))
    paid("EDGE", at=start + timedelta(minutes=9))
    paid("INSIDE", at=start + timedelta(minutes=11))
    reconcile.compare(run, [])
    assert kinds() == [("payment_only_here", "INSIDE", 990, None)]


def test_a_second_look_closes_what_agrees_now_and_keeps_a_persons_word(run: StatementRun) -> None:
    paid("A", 100)
    paid("B", 200)
    reconcile.compare(run, [])
    kept = ReconcileDifference.objects.get(subject="B")
    reconcile_rows.resolve(difference=kept, actor="ada", reason="paid back in the shop")
    reconcile.compare(run, [line("A", 100)])
    rows = {r.subject: (r.status, r.changes.last().reason) for r in ReconcileDifference.objects.all()}
    assert rows == {"A": ("resolved", "both sides agree now"), "B": ("resolved", "paid back in the shop")}
    assert AuditEntry.objects.get().actor == "ada"
    with pytest.raises(reconcile_rows.NotOpen):
        reconcile_rows.resolve(difference=kept, actor="eve", reason="again")
    assert AuditEntry.objects.count() == 1


def test_the_last_one_resolved_ends_the_days_item(run: StatementRun) -> None:
    paid("A", 100)
    reconcile.compare(run, [])
    assert StaffItem.objects.get().resolved_at is None
    reconcile_rows.resolve(difference=ReconcileDifference.objects.get(), actor="ada", reason="seen")
    assert StaffItem.objects.get().resolved_at is not None


# --- across days ------------------------------------------------------------------------------------------------------
NEXT = DAY + timedelta(days=1)


def next_run(**more: str) -> StatementRun:
    return StatementRun.objects.create(gateway="alipay", account="2021", day=NEXT, due_at=NOON, **more)


def open_items() -> list[str]:
    return list(StaffItem.objects.filter(resolved_at=None).values_list("subject", flat=True))


def test_what_was_settled_here_a_day_later_is_no_difference(run: StatementRun) -> None:
    """Paid there in the evening, its event was lost, settled here the next noon."""
    one = paid("P1", at=NOON + timedelta(days=1))
    back = factories.refund(one, kind="provider", status="succeeded", out_refund_no="P1_R1", amount_minor=500,
                            currency="CNY", succeeded_at=NOON + timedelta(days=1))  # fmt: skip
    reconcile.compare(run, [line("P1", 990), line("P1", 500, kind="refund", refund="P1_R1")])
    reconcile.compare(next_run(), [])
    assert (kinds(), open_items()) == ([], [])
    one.refresh_from_db()
    back.refresh_from_db()
    assert (one.stated_on, back.stated_on) == (DAY, DAY)


def test_an_earlier_difference_passes_when_its_line_turns_up_on_another_day(run: StatementRun) -> None:
    """Whichever of the two statements is there first."""
    one = paid("P1")
    factories.refund(one, kind="provider", status="succeeded", out_refund_no="P1_R1", amount_minor=500,
                     currency="CNY", succeeded_at=NOON)  # fmt: skip
    paid("P2", at=NOON + timedelta(days=1))
    later = next_run()
    reconcile.compare(later, [])
    reconcile.compare(run, [line("P2", 990)])
    assert kinds() == [("payment_only_here", "P1", 990, None), ("refund_only_here", "P1_R1", 500, None)]
    assert open_items() == ["alipay 2026-11-20"]
    reconcile.compare(later, [line("P1", 990), line("P1", 500, kind="refund", refund="P1_R1")])
    assert (kinds(), open_items()) == ([], [])
    told = {r.subject: r.changes.last().reason for r in ReconcileDifference.objects.all()}
    assert told == {
        "P1": "it stands in the statement of 2026-11-21", "P1_R1": "it stands in the statement of 2026-11-21",
        "P2": "it stands in the statement of 2026-11-20",
    }  # fmt: skip


def test_a_line_with_another_amount_on_another_day_is_the_difference_then(run: StatementRun) -> None:
    paid("P1", 990)
    reconcile.compare(run, [])
    reconcile.compare(next_run(), [line("P1", 991)])
    assert kinds() == [("payment_amount", "P1", 990, 991)]
    assert open_items() == ["alipay 2026-11-21"]


def test_paid_there_and_not_here_passes_when_it_is_settled_here_later(run: StatementRun, monkeypatch) -> None:
    monkeypatch.setattr(reconcile.sync, "check_now", lambda **_: None)  # the provider does not answer
    late = paid("P1", status="processing", captured_minor=0, succeeded_at=None)
    reconcile.compare(run, [line("P1", 990)])
    assert kinds() == [("payment_unpaid_here", "P1", 0, 990)]
    PaymentIntent.objects.filter(pk=late.pk).delete()
    paid("P1", at=NOON + timedelta(days=1), stated_on=DAY)
    reconcile.compare(next_run(), [])
    assert (kinds(), open_items()) == ([], [])


def test_a_line_of_another_account_leaves_the_difference(run: StatementRun) -> None:
    paid("P1")
    reconcile.compare(run, [])
    other = StatementRun.objects.create(gateway="alipay", account="2022", day=NEXT, due_at=NOON)
    reconcile.compare(other, [line("P1", 990)])
    assert kinds() == [("payment_only_here", "P1", 990, None)]


def test_what_a_statement_had_and_has_no_more_is_found(run: StatementRun) -> None:
    """The same day fetched again: its own mark excuses nothing."""
    paid("P1")
    reconcile.compare(run, [line("P1", 990)])
    reconcile.compare(run, [])
    assert kinds() == [("payment_only_here", "P1", 990, None)]
