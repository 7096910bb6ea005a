"""The figures of payments, refunds, webhooks and queues: exact, by window, and cheap."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pimpshop.core import metrics
from tests import factories
from tests.core.test_metrics import figures

__all__ = ["figures"]

pytestmark = pytest.mark.django_db


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def paid(gateway: str = "stripe", seconds: float = 30, **more: Any) -> Any:
    """A success; `seconds` after its start."""
    made = more.pop("created_at", ago(minutes=5))
    return factories.intent(
        gateway=gateway, status="succeeded", captured_minor=1999, created_at=made,
        succeeded_at=made + timedelta(seconds=seconds), **more,
    )  # fmt: skip


def only(told: dict[tuple[str, ...], float], name: str) -> dict[tuple[str, ...], float]:
    return {key[1:]: value for key, value in told.items() if key[0] == name}


def test_payments_by_gateway_outcome_and_window(figures):
    paid(seconds=20)
    paid(seconds=40)
    paid(seconds=90, created_at=ago(hours=3))
    paid("alipay", seconds=10)
    factories.intent(gateway="stripe", status="failed")
    factories.intent(gateway="stripe", status="expired")
    factories.intent(gateway="stripe", status="requires_action")
    paid(created_at=ago(hours=25))
    told = figures()
    assert only(told, "shop_payments") == {
        ("stripe", "succeeded", "1h"): 2, ("stripe", "succeeded", "24h"): 3,
        ("stripe", "failed", "1h"): 1, ("stripe", "failed", "24h"): 1,
        ("stripe", "abandoned", "1h"): 1, ("stripe", "abandoned", "24h"): 1,
        ("stripe", "open", "1h"): 1, ("stripe", "open", "24h"): 1,
        ("alipay", "succeeded", "1h"): 1, ("alipay", "succeeded", "24h"): 1,
    }  # fmt: skip
    assert only(told, "shop_payment_success_ratio") == {
        ("stripe", "1h"): pytest.approx(2 / 3), ("stripe", "24h"): 0.75,
        ("alipay", "1h"): 1, ("alipay", "24h"): 1,
    }  # fmt: skip
    assert only(told, "shop_time_to_pay_seconds") == {
        ("stripe",): pytest.approx(50),
        ("alipay",): pytest.approx(10),
    }


def test_refunds(figures):
    one, _other = paid(), paid()
    paid("alipay")
    factories.refund(one, amount_minor=500, status="succeeded", origin="staff")
    factories.refund(one, amount_minor=100, status="pending", origin="staff")
    told = figures()
    assert only(told, "shop_refunds") == {
        ("stripe", "staff", "succeeded", "1h"): 1, ("stripe", "staff", "succeeded", "24h"): 1,
        ("stripe", "staff", "pending", "1h"): 1, ("stripe", "staff", "pending", "24h"): 1,
    }  # fmt: skip
    assert only(told, "shop_refund_ratio") == {("stripe",): 0.5, ("alipay",): 0}


def test_webhooks_in_and_out(figures, client):
    factories.webhook_event(gateway="stripe", status="processed", due_at=None)
    factories.webhook_event(gateway="stripe", status="parked", due_at=None, received_at=ago(hours=2))
    for status in ("delivered", "delivered", "delivered", "failed"):
        factories.webhook_delivery(status=status, next_attempt_at=None)
    factories.webhook_delivery()
    client.post("/api/stripe/webhook", b"{}", content_type="application/json")
    told = figures()
    assert only(told, "shop_inbox_events") == {
        ("stripe", "processed", "1h"): 1, ("stripe", "processed", "24h"): 1, ("stripe", "parked", "24h"): 1,
    }  # fmt: skip
    assert only(told, "shop_webhook_posts_unstored_total")["rejected",] == 1
    assert only(told, "shop_webhook_deliveries")["failed", "24h"] == 1
    assert only(told, "shop_webhook_delivery_ratio") == {("1h",): 0.75, ("24h",): 0.75}


def test_queues_tell_how_much_is_due_and_since_when(figures):
    factories.webhook_event(due_at=ago(minutes=10))
    factories.webhook_event(due_at=ago(minutes=1))
    factories.webhook_event(due_at=timezone.now() + timedelta(hours=1))
    factories.print_job(due_at=ago(hours=2))
    told = figures()
    due = only(told, "shop_queue_due")
    assert set(due) == {
        (n,)
        for n in (
            "inbox",
            "payments",
            "refunds",
            "deliveries",
            "wechat_deliveries",
            "print_jobs",
            "messages",
            "stripe_mirror",
        )
    }
    assert (due["inbox",], due["print_jobs",], due["deliveries",]) == (2, 1, 0)
    oldest = only(told, "shop_queue_oldest_seconds")
    assert oldest["inbox",] == pytest.approx(600, abs=10)
    assert oldest["print_jobs",] == pytest.approx(7200, abs=10)
    assert oldest["deliveries",] == 0
    assert only(told, "shop_print_jobs") == {("submitting", "24h"): 1}


def test_a_long_queue_is_told_as_long(figures, monkeypatch):
    monkeypatch.setattr(metrics, "MOST_COUNTED", 2)
    for _ in range(3):
        factories.webhook_event(due_at=ago(minutes=1))
    assert figures()["shop_queue_due", "inbox"] == 2


def test_the_number_of_queries_does_not_grow(figures, django_assert_num_queries):
    from django.db import connection

    figures()
    with CaptureQueriesContext(connection) as few:
        figures()
    for _ in range(5):
        paid()
        factories.webhook_event()
    with django_assert_num_queries(len(few)):
        figures()
    assert len(few) < 30
