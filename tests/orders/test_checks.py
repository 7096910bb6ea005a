"""A message to a buyer that is not true, or that ended badly, is found by check_invariants."""

from __future__ import annotations

import pytest
from django.utils import timezone

from pimpshop.core import invariants
from pimpshop.core.models import Notification
from pimpshop.core.states import advance
from tests import factories

pytestmark = pytest.mark.django_db


def found() -> list[str]:
    return [violation.row for violation in invariants.violations() if violation.check.startswith("24")]


def sent(kind: str, about: str, **more: object) -> None:
    values = {
        "recipient": "a@example.com",
        "channel": "mail",
        "outcome": "sent",
        "sent_at": timezone.now(),
        "due_at": None,
    }
    Notification.objects.create(reference=about, kind=kind, **(values | more))


@pytest.mark.parametrize("kind", ["paid", "case_accepted", "case_printed", "credits_granted", "plan_began"])
def test_told_of_an_order_that_nobody_paid(kind: str) -> None:
    number = factories.order().order_no
    sent(kind, number)
    assert found() == [f"message {kind} {number}"]


def test_told_of_a_case_that_no_machine_took() -> None:
    number = factories.order(status="paid", paid_at=timezone.now()).order_no
    sent("paid", number)
    assert found() == []
    sent("case_printed", number)
    assert found() == [f"message case_printed {number}"]
    factories.print_job(order_no=number, accepted_at=timezone.now())
    assert found() == []


def test_what_was_told_of_the_first_print_stays_true_when_it_is_printed_again() -> None:
    number = factories.order(status="completed", paid_at=timezone.now()).order_no
    job = factories.print_job(order_no=number)
    for step in ("accepted", "printed"):
        advance(job, step, source="poll")
    sent("case_accepted", number)
    advance(job, "submitting", source="admin", accepted_at=None)
    assert found() == []


def test_told_of_money_that_did_not_go_back() -> None:
    number = factories.refund().out_refund_no
    sent("refunded", number)
    assert found() == [f"message refunded {number}"]


@pytest.mark.parametrize("change", [{"recipient": ""}, {"channel": ""}, {"sent_at": None}])
def test_sent_to_nobody(change: dict[str, object]) -> None:
    sent("something", "X1", **change)
    assert found() == ["message something X1"]


def test_ended_and_due() -> None:
    sent("something", "X1", outcome="nobody", sent_at=None, due_at=timezone.now())
    assert found() == ["message something X1"]
