"""Orders, payments, refunds and the inbox at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import selectors
from payments.models import Refund
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


# --- orders
def test_an_order_shows_its_lines_and_the_customers_page(admin: Any) -> None:
    order = factories.order(lines=0)
    order.lines.create(
        unit_minor=1999, snapshot={"brand": "iphone", "model": "iPhone 15 Pro", "colour": "Blue"}
    )
    html = admin.page("orders_order", order).content.decode()
    assert "iphone · iPhone 15 Pro · Blue" in html
    assert "£19.99" in html
    path = selectors.status_path(order)
    assert path.replace("&", "&amp;") in html or path in html


@pytest.mark.parametrize(
    ("asked", "status"),
    [("open", "pending"), ("paid", "paid"), ("done", "completed"), ("refunded", "refunded")],
)
def test_order_filters(admin: Any, asked: str, status: str) -> None:
    for one in ("pending", "paid", "completed", "cancelled", "refunded"):
        factories.order(status=one)
    assert [row.status for row in admin.rows("orders_order", show=asked)] == [status]


# --- payments
def test_payment_filters(admin: Any) -> None:
    old = timezone.now() - timedelta(minutes=11)
    rows = {
        "new": factories.intent(status="processing"),
        "old": factories.intent(status="requires_action", created_at=old),
        "surplus": factories.intent(status="succeeded", is_surplus=True, captured_minor=1999),
        "declined": factories.intent(status="failed", created_at=old),
        "back": factories.intent(
            status="refunded", captured_minor=1999, refund_reserved_minor=1999, refunded_minor=1999
        ),
    }
    expected = {
        "open": {"new", "old"}, "stuck": {"old"}, "surplus": {"surplus"}, "failed": {"declined"}, "refunded": {"back"},
    }  # fmt: skip
    for asked, names in expected.items():
        found = {row.pk for row in admin.rows("payments_paymentintent", show=asked)}
        assert found == {rows[name].pk for name in names}, asked


@pytest.mark.parametrize("number", ["out_trade_no", "order_no", "provider_ref", "transaction_ref"])
def test_payment_search(admin: Any, number: str) -> None:
    row = factories.intent(provider_ref="MSPY0000000000001", transaction_ref="4200001234")
    factories.intent(provider_ref="MSPY9999999999999")
    typed = row.order.order_no if number == "order_no" else getattr(row, number)
    assert [found.pk for found in admin.rows("payments_paymentintent", q=typed)] == [row.pk]


def test_payments_of_one_way(admin: Any) -> None:
    row = factories.intent(gateway="stripe", method="card")
    factories.intent()
    assert [found.pk for found in admin.rows("payments_paymentintent", gateway="stripe")] == [row.pk]
    assert len(admin.rows("payments_paymentintent")) == 2


def test_checking_a_payment_asks_the_provider_and_applies_the_answer(admin: Any, manufacturer: Any) -> None:
    row = factories.intent(status="processing")
    manufacturer.payments[row.out_trade_no] = 4
    assert admin.act("payments_paymentintent", row, "check-now").status_code == 302
    row.refresh_from_db()
    assert row.status == "failed"
    assert manufacturer.bodies("order/getPayStatus") == [[row.out_trade_no]]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("boss@example.com", "check now", row.out_trade_no)


def test_a_provider_that_is_down_changes_nothing(admin: Any, manufacturer: Any) -> None:
    row = factories.intent(status="processing")
    manufacturer.down = True
    said = admin.said(admin.act("payments_paymentintent", row, "check-now"))
    assert said == [f"{row.out_trade_no}: Check now: the provider does not answer; nothing was changed"]
    row.refresh_from_db()
    assert row.status == "processing"


def test_support_may_look_at_a_payment_and_asks_nobody(member: Any, manufacturer: Any) -> None:
    desk = member("support")
    row = factories.intent(status="processing")
    assert desk.page("payments_paymentintent", row).context["actions_detail"] == []
    assert desk.act("payments_paymentintent", row, "check-now").status_code == 403
    assert manufacturer.calls == []
    assert AuditEntry.objects.count() == 0


def test_paying_back_by_hand_writes_a_refund_of_what_is_left(member: Any) -> None:
    desk = member("finance")
    row = factories.intent(status="succeeded", captured_minor=1999)
    factories.refund(row, amount_minor=500)
    factories.refund(row, amount_minor=400, status="failed")
    assert desk.act("payments_paymentintent", row, "pay-back", "case was smeared").status_code == 302
    refund = Refund.objects.order_by("pk").last()
    assert (refund.kind, refund.status, refund.amount_minor) == ("manual", "created", 1499)
    assert (refund.actor, refund.reason) == (desk.user.email, "case was smeared")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.reason) == (
        desk.user.email,
        refund.out_refund_no,
        "case was smeared",
    )
    assert [
        button["title"] for button in desk.page("payments_paymentintent", row).context["actions_detail"]
    ] == []


def test_nothing_is_left_to_pay_back(admin: Any) -> None:
    row = factories.intent(status="succeeded", captured_minor=1999)
    factories.refund(row)
    said = admin.said(admin.act("payments_paymentintent", row, "pay-back", "again"))
    assert len(said) == 1
    assert "Nothing was paid back" in said[0]
    assert Refund.objects.count() == 1
    assert AuditEntry.objects.count() == 0


# --- refunds
def test_refund_filters(admin: Any) -> None:
    rows = {
        "by hand": factories.refund(),
        "at the provider": factories.refund(kind="provider", status="pending"),
        "done": factories.refund(status="succeeded"),
        "failed": factories.refund(status="failed"),
    }
    for asked, names in {
        "by-hand": {"by hand"},
        "pending": {"by hand", "at the provider"},
        "failed": {"failed"},
    }.items():
        assert {row.pk for row in admin.rows("payments_refund", show=asked)} == {
            rows[name].pk for name in names
        }


def test_marking_a_refund_as_paid_back_records_who_did_what(member: Any) -> None:
    desk = member("finance")
    row = factories.refund()
    assert desk.act("payments_refund", row, "mark-paid-back", "").status_code == 200
    row.refresh_from_db()
    assert row.status == "created"
    assert desk.act("payments_refund", row, "mark-paid-back", "cash at the counter").status_code == 302
    row.refresh_from_db()
    assert (row.status, row.note) == ("succeeded", "cash at the counter")
    event = row.events.get()
    assert (event.source, event.actor, event.reason) == ("admin", desk.user.email, "cash at the counter")
    row.intent.refresh_from_db()
    assert (row.intent.status, row.intent.refunded_minor) == ("refunded", 1999)
    assert AuditEntry.objects.get().actor == desk.user.email


def test_a_refund_is_marked_once(admin: Any) -> None:
    row = factories.refund(status="succeeded")
    said = admin.said(admin.act("payments_refund", row, "mark-paid-back", "again"))
    assert said == [f"{row.out_refund_no}: This refund is recorded as done or failed already."]
    row.intent.refresh_from_db()
    assert (row.intent.refunded_minor, AuditEntry.objects.count()) == (0, 0)


def test_support_marks_no_refund(member: Any) -> None:
    desk = member("support")
    row = factories.refund()
    assert desk.act("payments_refund", row, "mark-paid-back", "cash").status_code == 403
    row.refresh_from_db()
    assert (row.status, AuditEntry.objects.count()) == ("created", 0)


# --- inbox
def test_inbox_filters(admin: Any) -> None:
    rows = {
        "new": factories.webhook_event(),
        "parked": factories.webhook_event(status="parked", due_at=None),
        "twice": factories.webhook_event(status="processed", due_at=None, count=2),
    }
    for asked, name in {"waiting": "new", "parked": "parked", "repeated": "twice"}.items():
        assert [row.pk for row in admin.rows("payments_webhookevent", show=asked)] == [rows[name].pk]


def test_processing_an_event_again_leaves_who_and_why(admin: Any) -> None:
    row = factories.webhook_event(status="parked", due_at=None, attempts=200)
    assert admin.act("payments_webhookevent", row, "process-again", "provider is back").status_code == 302
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("ignored", 1)  # worked on at once: the number is none of ours
    change = row.changes.get(to_status="received")
    assert (change.source, change.actor, change.reason) == ("admin", "boss@example.com", "provider is back")
    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.data["changes"]) == (
        "provider is back",
        [{"field": "status", "before": "parked", "after": "received"}],
    )


def test_the_change_stands_in_the_events_own_timeline(admin: Any) -> None:
    row = factories.webhook_event(status="parked", due_at=None)
    admin.act("payments_webhookevent", row, "process-again", "provider is back")
    told = admin.page("payments_webhookevent", row).context["told"]
    assert [(entry.who, entry.why) for entry in told.entries] == [
        ("boss@example.com", "provider is back"),
        ("worker", ""),
    ]


def test_a_viewer_processes_nothing(viewer: Any) -> None:
    desk = viewer("payments.view_webhookevent")
    row = factories.webhook_event(status="parked", due_at=None)
    assert desk.act("payments_webhookevent", row, "process-again", "why not").status_code == 403
    row.refresh_from_db()
    assert (row.status, row.changes.count(), AuditEntry.objects.count()) == ("parked", 0, 0)
