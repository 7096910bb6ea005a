"""Alipay's notices through the inbox: settled once, whatever order they come in, and refunds made at its console seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone

from orders.models import Order
from payments.models import PaymentIntent, Refund, WebhookEvent
from payments.services import closing, inbox, sync
from tests import factories
from tests.support import alipay as support

pytestmark = pytest.mark.django_db
URL = "/api/v2/webhooks/alipay"


@pytest.fixture
def intent(settings: Any) -> PaymentIntent:
    """A QR code that was shown, at the account of tests.support.alipay."""
    settings.ALIPAY_APP_ID, settings.ALIPAY_SELLER_ID = support.APP, support.SELLER
    settings.ALIPAY_PRIVATE_KEY, settings.ALIPAY_PUBLIC_KEY = support.PRIVATE, support.PUBLIC
    return factories.intent(
        factories.order(currency="CNY", kind=Order.Kind.MERCHANT, lines=0), gateway="alipay", method="precreate", account=support.APP, live=False,
        status="requires_action", out_trade_no=support.NUMBER,
    )  # fmt: skip


@pytest.fixture
def told(client: Any, intent: PaymentIntent) -> Any:
    """Post a notice as Alipay does, let the inbox work, and read the payment anew."""

    def post(notify_id: str, **changes: str) -> PaymentIntent:
        now = datetime.now(UTC).astimezone(support.BEIJING)
        fields = {"notify_id": notify_id, "notify_time": f"{now:%Y-%m-%d %H:%M:%S}"} | changes
        answer = client.post(URL, support.notice(**fields), content_type="application/x-www-form-urlencoded")
        assert (answer.status_code, answer.content) == (200, b"success")
        for event in WebhookEvent.objects.filter(status="received"):
            inbox.process(event.pk)
        return PaymentIntent.objects.get(pk=intent.pk)

    return post


PART = {"refund_fee": "5.00", "gmt_refund": "2025-08-30 15:55:00"}
WHOLE = {"refund_fee": "19.99", "gmt_refund": "2025-08-30 15:55:00", "trade_status": "TRADE_CLOSED"}


def refunds() -> list[tuple[str, int]]:
    return [(refund.origin, refund.amount_minor) for refund in Refund.objects.order_by("pk")]


def test_a_success_settles_once_however_often_it_is_told(told):
    paid = told("n1")
    assert (paid.status, paid.settles_order, paid.provider_ref) == ("succeeded", True, support.TRADE)
    again = told("n1")
    other = told("n2", trade_status="TRADE_FINISHED")
    assert (again.status, other.status, Order.objects.get().status) == ("succeeded", "succeeded", "completed")
    assert refunds() == []


def test_a_refund_at_the_console_is_recorded_and_later_successes_change_nothing(told):
    told("n1")
    part = told("n2", **PART)
    assert (part.status, part.refunded_minor) == ("partially_refunded", 500)
    assert refunds() == [("provider", 500)]
    late = told("n3")
    assert (late.status, late.refunded_minor, late.is_surplus) == ("partially_refunded", 500, False)
    assert refunds() == [("provider", 500)]


def test_a_partial_refund_that_overtakes_its_success_settles_first(told):
    part = told("n2", **PART)
    assert (part.status, part.settles_order, part.refunded_minor) == ("partially_refunded", True, 500)
    assert told("n1").refunded_minor == 500
    assert refunds() == [("provider", 500)]


def test_a_forged_notice_moves_nothing(client, intent):
    forged = support.notice().replace(b"total_amount=19.99", b"total_amount=0.01")
    answer = client.post(URL, forged, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.content) == (401, b"fail")
    assert WebhookEvent.objects.count() == 0
    assert PaymentIntent.objects.get().status == "requires_action"


def test_another_amount_moves_nothing(told):
    assert told("n1", total_amount="0.01").status == "requires_action"
    assert Order.objects.get().status == "pending"


def answered(wire: responses.RequestsMock, method: str, body: str) -> None:
    wire.add(
        "POST",
        support.URL,
        body=body,
        match=[responses.matchers.query_param_matcher({"method": method}, strict_match=False)],
    )


def test_a_code_that_was_withdrawn_before_anybody_scanned_it_is_still_asked_about(intent, settings):
    """Alipay cannot close what does not exist, and the code can be scanned until its end: that money is not lost."""
    settings.ALIPAY_GATEWAY, now = support.URL, timezone.now()
    PaymentIntent.objects.update(query_until=now + timedelta(days=3), expires_at=now + timedelta(minutes=30))
    intent.refresh_from_db()
    with responses.RequestsMock() as wire:
        answered(
            wire, "alipay.trade.close", support.refusal("alipay.trade.close", "40004", "ACQ.TRADE_NOT_EXIST")
        )
        closing.close(intent, to="canceled", source="page")
    assert (intent.status, intent.next_query_at is not None) == ("canceled", True)
    found = {"out_trade_no": support.NUMBER, "trade_no": support.TRADE, "trade_status": "TRADE_SUCCESS"}
    with responses.RequestsMock() as wire:
        answered(
            wire,
            "alipay.trade.query",
            support.answer("alipay.trade.query", found | {"total_amount": "19.99"}),
        )
        assert sync.check_now(intent=intent).asked
    intent.refresh_from_db()
    assert (intent.status, intent.settles_order) == ("succeeded", True)


def test_a_code_that_nobody_scanned_yet_is_neither_failed_nor_sent_again(intent, settings):
    settings.ALIPAY_GATEWAY = support.URL
    PaymentIntent.objects.update(expires_at=timezone.now() + timedelta(minutes=30))
    intent.refresh_from_db()
    with responses.RequestsMock() as wire:
        answered(
            wire, "alipay.trade.query", support.refusal("alipay.trade.query", "40004", "ACQ.TRADE_NOT_EXIST")
        )
        assert sync.check_now(intent=intent).asked
    intent.refresh_from_db()
    assert intent.status == "requires_action"


def test_all_of_it_given_back_at_the_console_is_recorded(told):
    told("n1")
    whole = told("n2", **WHOLE)
    assert (whole.status, whole.refunded_minor) == ("refunded", 1999)
    assert refunds() == [("provider", 1999)]
    assert told("n2", **WHOLE).refunded_minor == 1999
