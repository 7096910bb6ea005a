"""What nobody posts is found in rows: payments that stay unknown, deadlines, failing gateways, unusual refunds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from payments.gateways import base
from payments.models import Dispute, PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import settlement, watching
from pimpshop.core import staff_items
from pimpshop.core.models import StaffItem
from pimpshop.core.states import advance
from tests import factories

pytestmark = pytest.mark.django_db


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def opened(kind: str) -> list[str]:
    return list(StaffItem.objects.filter(kind=kind, resolved_at=None).values_list("subject", flat=True))


def processing(minutes: float) -> PaymentIntent:
    """A payment that has been processing for so long, and was asked for an hour before that."""
    intent = factories.created(factories.intent(created_at=ago(hours=2)))
    advance(intent, "processing", source="api")
    PaymentEvent.objects.filter(intent=intent, to_status="processing").update(at=ago(minutes=minutes))
    return intent


# --- unknown for fifteen minutes
def test_a_payment_that_stays_unknown_is_an_item_until_the_provider_decides() -> None:
    late, _new = processing(16), processing(14)
    assert (watching.tell_of_unknown(), watching.tell_of_unknown()) == (1, 0)
    assert opened("payment_unknown") == [late.out_trade_no]
    item = StaffItem.objects.get()
    assert (item.data["minor"], item.data["currency"]) == (1999, "GBP")
    advance(late, "failed", source="worker")
    assert watching.tell_of_unknown() == 1
    item.refresh_from_db()
    assert (item.resolved_by, item.resolution) == ("system", "the provider has decided")


def test_a_card_that_was_sent_without_an_answer_is_unknown_and_one_that_was_not_sent_is_not() -> None:
    sent = factories.created(factories.intent(created_at=ago(minutes=16), confirm_count=1))
    factories.created(factories.intent(created_at=ago(minutes=16), confirm_count=0))
    assert (watching.tell_of_unknown(), opened("payment_unknown")) == (1, [sent.out_trade_no])


def test_a_payment_that_waits_for_its_shopper_is_nobodys_business() -> None:
    intent = factories.created(factories.intent(created_at=ago(hours=2)))
    advance(intent, "requires_action", source="api")
    PaymentEvent.objects.filter(intent=intent).update(at=ago(hours=1))
    assert (watching.tell_of_unknown(), StaffItem.objects.count()) == (0, 0)


def test_a_remark_does_not_make_it_younger() -> None:
    from pimpshop.core.states import remark

    intent = processing(30)
    remark(intent, source="worker", reason="asked again")
    watching.tell_of_unknown()
    assert opened("payment_unknown") == [intent.out_trade_no]


# --- deadlines
@pytest.mark.parametrize(
    ("status", "hours", "found"),
    [("opened", 71, True), ("opened", 73, False), ("opened", -1, True), ("under_review", 1, False)],
)
def test_a_dispute_whose_deadline_is_near(status: str, hours: int, found: bool) -> None:
    intent = factories.intent(status="succeeded", captured_minor=1999)
    dispute = Dispute.objects.create(
        intent=intent, provider_ref="dp_1", status=status, amount_minor=1999, currency="GBP", deadline=ago(hours=-hours)
    )  # fmt: skip
    watching.tell_of_deadlines()
    assert opened("dispute_due") == (["dp_1"] if found else [])
    Dispute.objects.filter(pk=dispute.pk).update(status="won")
    watching.tell_of_deadlines()
    assert opened("dispute_due") == []


# --- events
def test_an_event_that_was_worked_on_after_all_closes_its_item() -> None:
    done, dead = factories.webhook_event(status="parked"), factories.webhook_event(status="parked")
    for event in (done, dead):
        staff_items.open_item(kind="inbox_parked", subject=f"machine:{event.event_id}", title="parked")
    WebhookEvent.objects.filter(pk=done.pk).update(status="processed")
    assert watching.close_worked_on() == 1
    assert opened("inbox_parked") == [f"machine:{dead.event_id}"]


# --- shares
def test_a_gateway_of_whose_payments_too_many_fail(settings: Any) -> None:
    settings.ALERT_PAYMENT_FAILURES_PERCENT, settings.ALERT_LEAST = 5, 2
    for status in ("failed", "failed", "succeeded", "canceled", "expired", "requires_action"):
        factories.intent(gateway="stripe", status=status)
    factories.intent(gateway="alipay", status="failed")  # one is bad luck
    for _ in range(3):
        factories.intent(gateway="airwallex", status="failed", created_at=ago(hours=2))  # not in this hour
    assert watching.tell_of_failures() == 1
    item = StaffItem.objects.get()
    assert (item.subject, item.title) == (
        "stripe",
        "66.6 % of the payments by stripe failed in the last hour",
    )
    assert item.data == {"bad": 2, "all": 3}


def test_webhooks_that_do_not_arrive(settings: Any) -> None:
    settings.ALERT_DELIVERY_FAILURES_PERCENT, settings.ALERT_LEAST = 5, 2
    factories.webhook_delivery(status="failed", next_attempt_at=None, attempts=8)
    factories.webhook_delivery(attempts=2)
    factories.webhook_delivery()  # not tried yet
    factories.webhook_delivery(status="delivered", next_attempt_at=None, attempts=1)
    watching.tell_of_undelivered()
    assert StaffItem.objects.get().data == {"bad": 2, "all": 3}


def test_unusually_many_refunds(settings: Any) -> None:
    settings.ALERT_REFUNDS_PERCENT, settings.ALERT_LEAST = 30, 1
    paid = [factories.intent(gateway="stripe", status="succeeded", captured_minor=1999) for _ in range(3)]
    watching.tell_of_refunds()
    assert opened("refunds_unusual") == []
    PaymentIntent.objects.filter(pk=paid[0].pk).update(refund_reserved_minor=F("captured_minor"))
    watching.tell_of_refunds()
    assert opened("refunds_unusual") == ["stripe"]
    assert StaffItem.objects.get().title == "33.3 % of the last day's payments by stripe go back"


# --- paid late
@pytest.mark.parametrize(("status", "items"), [("pending", []), ("cancelled", ["paid_late"])])
def test_money_for_an_order_that_was_over_is_an_item(status: str, items: list[str]) -> None:
    order = factories.created(factories.order(kind="merchant", status=status))
    intent = factories.created(
        factories.intent(order, gateway="stripe", status="expired" if items else "processing")
    )
    result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, amount=intent.amount)
    assert settlement.apply_result(intent, result, source="webhook") == settlement.Applied.SETTLED
    found = StaffItem.objects.values_list("kind", "subject")
    assert list(found) == [(kind, intent.out_trade_no) for kind in items]
