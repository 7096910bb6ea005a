"""A case whose money went back is not printed again by one person; and whatever parts a payment is paid back in, by
whatever way, the sums agree."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Sum

from credits import selectors as credits
from orders.models import Order
from payments.models import PaymentIntent, Refund
from payments.services import refunds
from pimpshop.core import invariants
from pimpshop.core.models import AuditEntry, StaffMove, StaffRequest
from tests import factories
from tests.admin.test_staff_prints import case, stands
from tests.support import bought
from tests.support.spending import attempt, money_comes, order, shopper
from vending.models import PrintJob

pytestmark = pytest.mark.django_db
JOB, PAYMENT, REQUEST = "vending_printjob", "payments_paymentintent", "core_staffrequest"


def printed(**more: Any) -> tuple[PaymentIntent, PrintJob]:
    """A paid case that came out of the machine."""
    intent = factories.intent(
        status="succeeded", captured_minor=1999, settles_order=True, gateway="machine", **more
    )
    Order.objects.filter(pk=intent.order_id).update(status="paid")
    return intent, case("collected", order_no=intent.order.order_no)


def pay_back(intent: PaymentIntent, minor: int = 1999) -> Refund:
    """Written down to be paid by hand."""
    return refunds.request_manual_refund(intent=intent, amount_minor=minor, actor="ada", reason="smeared")


@pytest.mark.parametrize("done", [False, True], ids=["on its way", "back"])
def test_a_case_that_was_paid_back_is_not_printed_again(admin: Any, done: bool) -> None:
    intent, job = printed()
    refund = pay_back(intent)
    if done:
        refunds.mark_paid_back(refund=refund, actor="ada", note="cash")
    audits = AuditEntry.objects.count()
    titles = [str(button["title"]) for button in admin.page(JOB, job).context["actions_detail"]]
    assert "Print again" not in titles
    assert "Print again for nothing" in titles
    said = admin.said(admin.act(JOB, job, "reprint", "smeared again"))
    assert "so it is not printed again. Nothing was sent." in said[0]
    assert stands(job) == ("collected", 0, audits)


def test_a_part_that_was_paid_back_lets_the_case_be_printed_again(admin: Any) -> None:
    intent, job = printed()
    refunds.mark_paid_back(refund=pay_back(intent, 500), actor="ada", note="cash")
    admin.act(JOB, job, "reprint", "smeared")
    assert stands(job)[0] == "submitting"


def test_a_refund_that_failed_lets_it_be_printed_again(admin: Any) -> None:
    intent, job = printed()
    bought.end(pay_back(intent), "failed")
    job.refresh_from_db()
    assert job.money_gone_at is None
    admin.act(JOB, job, "reprint", "smeared")
    assert stands(job)[0] == "submitting"


def test_a_second_person_gives_a_case_away(member: Any) -> None:
    asks, decides = member("support"), member("operator")
    intent, job = printed()
    refunds.mark_paid_back(refund=pay_back(intent), actor="ada", note="cash")
    audits = AuditEntry.objects.count()
    said = asks.said(asks.act(JOB, job, "reprint-for-nothing", "our fault"))
    assert "waits for a second person" in said[0]
    row = StaffRequest.objects.get()
    assert "a second person says whether it is given away" in row.above
    assert stands(job) == ("collected", 0, audits)
    assert asks.act(REQUEST, row, "approve", "yes").status_code == 403
    assert stands(job) == ("collected", 0, audits)
    decides.act(REQUEST, row, "approve", "it was our fault")
    assert stands(job)[0] == "submitting"
    entry = AuditEntry.objects.get(action="print again for nothing")
    assert (entry.actor, entry.reason) == (asks.user.email, "our fault")
    row.refresh_from_db()
    assert (row.status, row.decided_by, StaffMove.objects.count()) == ("done", decides.user.email, 0)


def test_a_case_that_failed_goes_out_again_only_with_a_tick_when_its_money_goes_back(admin: Any) -> None:
    intent, job = printed()
    PrintJob.objects.filter(pk=job.pk).update(status="failed")
    pay_back(intent)
    assert admin.send(JOB, job, "send-again", reason="works again", sure="").status_code == 200
    assert stands(job)[:2] == ("failed", 0)
    admin.act(JOB, job, "send-again", "works again")
    assert stands(job)[0] == "submitting"


# --- the sums
def test_a_payment_in_parts_by_every_way_adds_up(admin: Any) -> None:
    """By its provider, by hand and as credits: never more than was paid, and each part counts once."""
    alice = shopper(0)
    intent = attempt(order(alice))
    money_comes(intent)
    bought.end(bought.ask(intent, 500), "succeeded")
    admin.send(PAYMENT, intent, "pay-back-as-credits", reason="likes credits", amount="4.99")
    bought.end(bought.ask(intent, 300), "failed")
    admin.send(PAYMENT, intent, "pay-back", reason="the rest by hand")
    intent.refresh_from_db()
    parts = dict(intent.refunds.exclude(status="failed").values_list("kind").annotate(Sum("amount_minor")))
    assert parts == {"provider": 500, "credits": 499, "manual": 1000}
    assert sum(parts.values()) == intent.captured_minor == intent.refund_reserved_minor == 1999
    assert intent.refunded_minor == 999
    assert "paid back or on its way back" in admin.said(admin.send(PAYMENT, intent, "refund", reason="x"))[0]
    refunds.mark_paid_back(refund=intent.refunds.get(kind="manual"), actor="ada", note="cash")
    intent.refresh_from_db()
    assert (intent.status, intent.refunded_minor, intent.order.status) == ("refunded", 1999, "refunded")
    assert credits.balance(alice.pk) == 375  # 4.99 of 19.99, of 1,500 credits, rounded up
    assert [str(v) for v in invariants.violations()] == []


def test_many_small_parts_give_no_more_credits_than_one_large_one(admin: Any) -> None:
    """Each part was rounded up once: a penny at a time gave 1,999 credits for what 1,500 had paid."""
    alice = shopper(0)
    intent = attempt(order(alice))
    money_comes(intent)
    given = []
    for _ in range(4):
        admin.send(PAYMENT, intent, "pay-back-as-credits", reason="in parts", amount="0.01")
        given.append(credits.balance(alice.pk))
    assert given == [1, 2, 3, 4]  # 0.7504 credits each: 1, 1.5, 2.25, 3.0016 rounded up
    said = admin.said(admin.send(PAYMENT, intent, "pay-back-as-credits", reason="in parts", amount="0.01"))
    assert "no whole credit more" in said[0]
    admin.send(PAYMENT, intent, "pay-back-as-credits", reason="the rest")
    assert credits.balance(alice.pk) == 1500
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == 1999
    assert [str(v) for v in invariants.violations()] == []
