"""Many say yes, or move money, at the same moment: once, and never above the day's limit."""

from __future__ import annotations

from typing import Any

import pytest

from payments.admin import paying_back
from payments.models import PaymentIntent, Refund
from pimpshop.core import errors, staff_limits, staff_requests
from pimpshop.core.admin import acts, doing, second_person
from pimpshop.core.models import AuditEntry, StaffItem, StaffMove, StaffRequest
from tests import factories
from tests.support import threads

pytestmark = pytest.mark.django_db(transaction=True)
PAY_BACK = next(act for act in paying_back.OF_A_PAYMENT if act.name == "pay-back")


def paid(minor: int) -> PaymentIntent:
    of = factories.order(total_minor=minor)
    return factories.intent(of, status="succeeded", captured_minor=minor)


def pay_back(intent: PaymentIntent, user: Any) -> doing.Outcome:
    what = acts.Doing(actor=str(user), reason="smeared")
    seen = acts.fingerprint(PAY_BACK, intent, what, acts.plain_preview(PAY_BACK, intent, what))
    return doing.do(act=PAY_BACK, obj=intent, doing=what, user=user, subject=str(intent), seen=seen)


def asked() -> tuple[PaymentIntent, StaffRequest]:
    intent = paid(20000)
    outcome = pay_back(intent, factories.staff())
    assert outcome.asked is not None
    return intent, outcome.asked


def decision(work: Any) -> str:
    from django.db import transaction

    try:
        with transaction.atomic():
            return str(work())
    except errors.ShopError as refusal:
        return refusal.code


@pytest.mark.parametrize("_round", range(3))
def test_of_many_who_say_yes_one_does_it(_round: int) -> None:
    intent, row = asked()
    people = [factories.staff() for _ in range(6)]

    def work(number: int) -> str:
        return decision(lambda: second_person.approve(row, people[number], "looked").reference)

    answers = threads.together(6, work)
    assert sorted(answers) == sorted([Refund.objects.get().out_refund_no, *["decided_already"] * 5])
    assert (StaffMove.objects.count(), AuditEntry.objects.filter(action__startswith="second").count()) == (
        1,
        1,
    )
    intent.refresh_from_db()
    assert intent.refund_reserved_minor == 20000
    assert StaffItem.objects.filter(resolved_at=None).count() == 0


@pytest.mark.parametrize("_round", range(3))
def test_yes_no_and_taking_back_together_end_it_one_way(_round: int) -> None:
    _intent, row = asked()
    from accounts.models import User

    asker, other = User.objects.get(pk=row.asked_by_id), factories.staff()

    def work(number: int) -> str:
        if number % 3 == 0:
            return decision(lambda: second_person.approve(row, other, "looked").tone)
        if number % 3 == 1:
            return decision(lambda: staff_requests.turn_down(row, user=other, reason="no"))
        return decision(lambda: staff_requests.withdraw(row, user=asker, reason="mistaken"))

    answers = threads.together(6, work)
    row.refresh_from_db()
    assert answers.count("decided_already") == 5
    assert (Refund.objects.count(), StaffMove.objects.count()) == ((1, 1) if row.status == "done" else (0, 0))
    assert row.events.count() == 2


def test_one_person_in_many_windows_stays_below_the_days_limit() -> None:
    user, intents = factories.staff(), [paid(10000) for _ in range(8)]
    outcomes = threads.together(8, lambda number: pay_back(intents[number], user))
    assert sum(outcome.did is not None for outcome in outcomes) == 5
    assert staff_limits.moved_today(user.pk, "GBP") == 50000
    assert (Refund.objects.count(), StaffRequest.objects.count()) == (5, 3)


def test_the_same_act_of_two_people_at_once_is_done_once() -> None:
    intent, people = paid(5000), [factories.staff() for _ in range(4)]

    def work(number: int) -> str:
        try:
            return "changed" if pay_back(intent, people[number]).changed else "done"
        except errors.ShopError as refusal:
            return refusal.code

    answers = threads.together(4, work)
    assert answers.count("done") == 1
    assert set(answers) <= {"done", "changed", "ALREADY_REFUNDED"}
    assert Refund.objects.get().amount_minor == 5000
