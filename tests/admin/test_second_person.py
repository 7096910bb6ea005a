"""Limits of staff, and the second person above them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.utils import timezone

from payments.models import PaymentIntent, Refund
from payments.services import refund_steps
from pimpshop.core import staff_limits, staff_requests
from pimpshop.core.models import AuditEntry, StaffItem, StaffLimit, StaffMove, StaffRequest
from tests import factories

pytestmark = pytest.mark.django_db
PAYMENT, REQUEST = "payments_paymentintent", "core_staffrequest"


def paid(minor: int = 1999, **more: Any) -> PaymentIntent:
    of = factories.order(total_minor=minor)
    return factories.intent(of, status="succeeded", captured_minor=minor, **more)


def ask(desk: Any, minor: int = 20000) -> tuple[PaymentIntent, StaffRequest]:
    """Somebody wants to pay back more than one person may alone."""
    intent = paid(minor)
    assert desk.act(PAYMENT, intent, "pay-back", "the fair was rained out").status_code == 302
    return intent, StaffRequest.objects.get(object_id=str(intent.pk))


def stands(row: StaffRequest) -> str:
    row.refresh_from_db()
    return row.status


@pytest.fixture
def two(member: Any) -> tuple[Any, Any]:
    return member("finance"), member("finance")


# --- limits
@pytest.mark.parametrize(("minor", "alone"), [(10000, True), (10001, False)])
def test_above_an_amount_nothing_moves_and_a_request_waits(member: Any, minor: int, alone: bool) -> None:
    desk, intent = member("finance"), paid(minor)
    said = desk.said(desk.act(PAYMENT, intent, "pay-back", "smeared"))
    assert (Refund.objects.count(), StaffMove.objects.count()) == ((1, 1) if alone else (0, 0))
    assert (
        StaffRequest.objects.count() == StaffItem.objects.filter(kind="second_person").count() == (not alone)
    )
    if not alone:
        intent.refresh_from_db()
        assert (intent.refund_reserved_minor, AuditEntry.objects.count()) == (0, 0)
        assert "£100.01 is more than one person moves alone at once (£100.00)" in said[0]
        assert "waits for a second person" in said[0]


def test_what_was_moved_today_counts_and_tomorrow_begins_anew(member: Any) -> None:
    desk = member("finance")
    for _ in range(5):
        desk.act(PAYMENT, paid(9999), "pay-back", "smeared")
    assert staff_limits.moved_today(desk.user.pk, "GBP") == 5 * 9999
    desk.act(PAYMENT, paid(6), "pay-back", "smeared")
    assert (Refund.objects.count(), StaffRequest.objects.get().above) == (
        5, "With this you would have moved £500.01 today; alone it is £500.00 at most.",
    )  # fmt: skip
    member("finance").act(PAYMENT, paid(6), "pay-back", "smeared")  # another person's day
    assert Refund.objects.count() == 6
    import time_machine

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert staff_limits.moved_today(desk.user.pk, "GBP") == 0


def test_what_fails_after_all_frees_the_day_again_once(member: Any) -> None:
    from payments.gateways import base

    desk = member("finance")
    desk.act(PAYMENT, paid(9000), "pay-back", "smeared")
    refund = Refund.objects.get()
    for _ in range(2):
        refund_steps.apply_result(refund, base.RefundResult(status=base.RefundStatus.FAILED), source="poll")
        staff_limits.undo(refund.out_refund_no)
    assert staff_limits.moved_today(desk.user.pk, "GBP") == 0
    assert list(StaffMove.objects.order_by("pk").values_list("amount_minor", flat=True)) == [9000, -9000]


def test_the_count_cannot_be_changed_or_deleted(member: Any) -> None:
    desk = member("finance")
    desk.act(PAYMENT, paid(9000), "pay-back", "smeared")
    for change in (StaffMove.objects.all().delete, lambda: StaffMove.objects.update(amount_minor=1)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    Refund.objects.all().update(status="created")
    assert staff_limits.moved_today(desk.user.pk, "GBP") == 9000


def test_rows_come_before_settings_and_the_highest_group_counts(member: Any, settings: Any) -> None:
    user = member("finance").user
    settings.STAFF_SECOND_PERSON_MINOR, settings.STAFF_PER_DAY_MINOR = {"GBP": 1}, {"GBP": 2}
    assert staff_limits.of(user, "GBP") == staff_limits.Limit(1, 2)
    assert staff_limits.of(user, "JPY") == staff_limits.Limit(0, 0)  # not named: a second person always
    StaffLimit.objects.create(currency="GBP", at_once_minor=10, per_day_minor=20)
    assert staff_limits.of(user, "GBP") == staff_limits.Limit(10, 20)
    for name, most in (("finance", 30), ("support", 99)):
        StaffLimit.objects.create(
            group=Group.objects.get(name=name), currency="GBP", at_once_minor=most, per_day_minor=most
        )
    assert staff_limits.of(user, "GBP") == staff_limits.Limit(30, 30)


def test_only_superusers_change_limits(admin: Any, member: Any) -> None:
    sent = {"currency": "GBP", "at_once_minor": "1", "per_day_minor": "1", "group": ""}
    assert member("finance").client.post("/admin/core/stafflimit/add/", sent).status_code == 403
    assert StaffLimit.objects.count() == 0
    assert admin.client.post("/admin/core/stafflimit/add/", sent).status_code == 302
    assert StaffLimit.objects.get().per_day_minor == 1


# --- deciding
def test_a_second_person_says_yes_and_the_same_service_does_it(two: Any) -> None:
    ada, bob = two
    intent, row = ask(ada)
    assert bob.shown(REQUEST, row, "approve") == [
        f"{ada.user.email} asks: the fair was rained out",
        "A refund of £200.00 is written down. A person pays it back and then marks it.",
        "It is a second payment: the order and what was bought stay as they are.",
    ]
    assert bob.act(REQUEST, row, "approve", "called the organiser").status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.actor, refund.note) == (
        20000,
        ada.user.email,
        "the fair was rained out",
    )
    entry = AuditEntry.objects.get(action="second person: pay back")
    assert (entry.actor, entry.subject, entry.reason) == (
        bob.user.email,
        intent.out_trade_no,
        "called the organiser",
    )
    assert (entry.data["asked_by"], entry.data["approved_by"]) == (ada.user.email, bob.user.email)
    move = StaffMove.objects.get()
    assert (move.person, move.second_person, move.amount_minor) == (ada.user.email, bob.user.email, 20000)
    assert (stands(row), row.decided_by) == ("done", bob.user.email)
    item = StaffItem.objects.get(kind="second_person")
    assert (item.subject, item.resolved_by) == (row.number, bob.user.email)
    assert [event.to_status for event in row.events.all()] == ["asked", "done"]


def nothing(row: StaffRequest, status: str) -> bool:
    return (stands(row), Refund.objects.count(), StaffMove.objects.count()) == (status, 0, 0)


def test_nobody_approves_their_own_or_what_they_may_not_do(two: Any, member: Any, viewer: Any) -> None:
    ada, _bob = two
    _intent, row = ask(ada)
    for desk in (ada, member("support"), viewer("core.view_staffrequest"), member("")):
        assert desk.act(REQUEST, row, "approve", "fine").status_code == 403
        assert desk.act(REQUEST, row, "turn-down", "no").status_code == 403
        assert nothing(row, "asked")
    with pytest.raises(staff_requests.OnesOwn):
        staff_requests.turn_down(row, user=ada.user, reason="no")


def test_saying_no_and_taking_back(two: Any) -> None:
    ada, bob = two
    _intent, row = ask(ada)
    assert bob.act(REQUEST, row, "withdraw", "mine").status_code == 403
    assert bob.act(REQUEST, row, "turn-down", "no receipt").status_code == 302
    assert nothing(row, "turned_down")
    bob.act(REQUEST, row, "approve", "after all")
    assert nothing(row, "turned_down")
    _intent, other = ask(ada)
    assert ada.act(REQUEST, other, "withdraw", "mistaken").status_code == 302
    assert nothing(other, "withdrawn")
    assert StaffItem.objects.filter(kind="second_person", resolved_at=None).count() == 0


def test_after_a_day_nothing_moves(two: Any) -> None:
    import time_machine

    ada, bob = two
    _intent, row = ask(ada)
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        said = bob.said(bob.act(REQUEST, row, "approve", "late"))
        assert "Nobody decided within a day" in said[0]
        assert nothing(row, "asked")
        assert (staff_requests.lapse_due(), staff_requests.lapse_due()) == (1, 0)
        assert nothing(row, "lapsed")
    assert StaffItem.objects.get(kind="second_person").resolution.startswith("lapsed")


def test_what_changed_since_it_was_asked_is_not_done(two: Any) -> None:
    ada, bob = two
    intent, row = ask(ada)
    factories.refund(intent, amount_minor=500)
    said = bob.said(bob.act(REQUEST, row, "approve", "fine"))
    assert "What would move has changed since it was asked for. Nothing was moved" in said[0]
    assert (stands(row), Refund.objects.count(), StaffMove.objects.count()) == ("overtaken", 1, 0)


def test_the_same_is_asked_for_once(two: Any) -> None:
    ada, bob = two
    intent, row = ask(ada)
    said = bob.said(bob.act(PAYMENT, intent, "pay-back", "me too"))
    assert "waiting for a second person already" in said[0]
    assert nothing(row, "asked")


def test_a_request_stays_as_it_was_written(two: Any) -> None:
    _intent, row = ask(two[0])
    changes: list[Any] = [
        lambda: StaffRequest.objects.filter(pk=row.pk).update(reason="another"),
        lambda: StaffRequest.objects.filter(pk=row.pk).update(asked_by_id=0),
        lambda: StaffRequest.objects.filter(pk=row.pk).update(person="somebody@example.com"),
        lambda: row.events.all().delete(),
        lambda: row.events.update(reason="another"),
    ]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(DatabaseError), transaction.atomic():  # nobody is their own second person
        StaffRequest.objects.filter(pk=row.pk).update(status="done", decided_by_id=row.asked_by_id)
    assert nothing(row, "asked")


def test_somebody_in_finance_finds_what_waits(two: Any) -> None:
    _intent, row = ask(two[0])
    assert [found.pk for found in two[1].rows(REQUEST)] == [row.pk]
    assert (
        two[1]
        .client.get("/admin/core/staffitem/find/", {"q": row.number})["Location"]
        .endswith(f"/core/staffrequest/{row.pk}/change/")
    )
    page = two[1].page(REQUEST, row)
    assert [str(button["title"]) for button in page.context["actions_detail"]] == [
        "Say yes, and do it",
        "Say no",
    ]
    assert [str(b["title"]) for b in two[0].page(REQUEST, row).context["actions_detail"]] == ["Take back"]
