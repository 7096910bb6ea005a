"""Sessions at the desk: filters that answer, one timeline of everything, cancelling with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import OrderEvent
from payments.models import PaymentEvent
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, OutboundCall
from tests import factories
from vending.models import PrintJobEvent, SessionEvent, VendingSession

pytestmark = pytest.mark.django_db
MODEL = "vending_vendingsession"


def minutes_ago(minutes: float) -> Any:
    return timezone.now() - timedelta(minutes=minutes)


def paid(minutes: float, progress: str = "payment_pending") -> VendingSession:
    row = factories.session(status="payment_completed", user_progress=progress)
    SessionEvent.objects.create(
        session=row,
        at=minutes_ago(minutes),
        from_status="payment_pending",
        to_status="payment_completed",
        source="poll",
    )
    return row


@pytest.fixture
def seen() -> dict[str, VendingSession]:
    """One session of each kind, by name."""
    rows = {
        "fresh": factories.session(),
        "over": factories.session(expires_at=minutes_ago(1)),
        "paying": factories.session(status="payment_pending", payment_started_at=minutes_ago(9)),
        "left": factories.session(status="payment_pending", payment_started_at=minutes_ago(11)),
        "declined": factories.session(status="payment_failed", user_progress="payment_failed"),
        "paid now": paid(1),
        "paid, no job": paid(3),
        "paid, job waits": paid(3),
        "paid, accepted": paid(3),
        "done": paid(30, "order_submitted"),
        "unmade": paid(30, "order_failed"),
        "expired": factories.session(status="expired"),
    }
    factories.print_job(session_id=rows["paid, job waits"].session_id)
    factories.print_job(
        session_id=rows["paid, accepted"].session_id, accepted_at=timezone.now(), status="accepted"
    )
    return rows


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("waiting", {"paying"}),
        ("stuck", {"left", "paid, no job", "paid, job waits", "unmade"}),
        ("failed", {"declined", "unmade"}),
        ("live", {"fresh", "paying", "declined"}),
    ],
)
def test_filters_answer_exactly(
    admin: Any, seen: dict[str, VendingSession], asked: str, names: set[str]
) -> None:
    assert {row.pk for row in admin.rows(MODEL, show=asked)} == {seen[name].pk for name in names}


def test_newest_first(admin: Any, seen: dict[str, VendingSession]) -> None:
    assert [row.pk for row in admin.rows(MODEL)] == sorted((row.pk for row in seen.values()), reverse=True)


@pytest.mark.parametrize("field", ["session_id", "third_id", "order_no"])
def test_search_by_number_or_its_beginning(admin: Any, field: str) -> None:
    row = factories.session(third_id="PYEN251120540573", order_no="P20251120101112deadbeef")
    factories.session(third_id="PYEN251120999999", order_no="P20991120101112deadbeef")
    number = getattr(row, field)
    for typed in (number, f" {number} ", number.lower(), number[:-2]):
        assert [found.pk for found in admin.rows(MODEL, q=typed)] == [row.pk]
    assert admin.rows(MODEL, q=number[1:]) == []
    assert admin.rows(MODEL, q="%") == []


@pytest.fixture
def story() -> VendingSession:
    """A session with an order, a payment, a job, calls about each number, and one of somebody else's."""
    order = factories.order(order_no="P20251120101112deadbeef")
    row = factories.session(order_no=order.order_no, third_id="PYEN251120540573", status="payment_completed")
    order.session_id = row.session_id
    order.save(update_fields=["session_id"])
    intent = factories.intent(order, out_trade_no="PYEN251120540573")
    job = factories.print_job(
        order_no=order.order_no, session_id=row.session_id, third_order_id="OREN251120111111", reference=f"{order.order_no}/1"
    )  # fmt: skip
    start = timezone.now() - timedelta(minutes=5)

    def at(second: int) -> Any:
        return start + timedelta(seconds=second)

    def event(model: Any, second: int, old: str, new: str, **link: Any) -> None:
        model.objects.create(at=at(second), from_status=old, to_status=new, source="api", **link)

    def call(second: int, name: str, subject: str) -> None:
        OutboundCall.objects.create(
            at=at(second), provider="manufacturer", name=name, subject=subject, method="POST", url="http://x/",
            request={"third_id": subject}, response={"code": 200, "msg": "操作成功"}, status=200, code="200",
            latency_ms=314, trace_id=f"trace-{second}",
        )  # fmt: skip

    event(OrderEvent, 2, "pending", "paid", order=order)
    event(PrintJobEvent, 7, "submitting", "accepted", print_job=job)
    event(SessionEvent, 1, "designing", "payment_pending", session=row)
    event(PaymentEvent, 5, "requires_action", "succeeded", intent=intent)
    call(3, "order/payData", order.order_no)
    call(4, "order/getPayStatus", "PYEN251120540573")
    call(6, "order/orderData", "OREN251120111111")
    call(6, "order/payData", "PYEN251120000000")
    staff_items.open_item(kind="print_stuck", subject=job.reference, title="Look at the machine")
    return row


def test_one_timeline_of_everything_in_time_order(admin: Any, story: VendingSession) -> None:
    entries = admin.page(MODEL, story).context["told"].entries
    assert [(entry.lane, str(entry.title)) for entry in entries] == [
        ("session", "designing → payment pending"),
        ("order", "pending → paid"),
        ("call", "manufacturer order/payData"),
        ("call", "manufacturer order/getPayStatus"),
        ("payment", "waiting for the shopper → succeeded"),
        ("call", "manufacturer order/orderData"),
        ("print job", "submitting → accepted"),
        ("staff", "Look at the machine"),
    ]


def test_the_timeline_shows_what_was_on_the_wire(admin: Any, story: VendingSession) -> None:
    html = admin.page(MODEL, story).content.decode()
    for text in ("trace-4", "314 ms", "操作成功", "PYEN251120540573", "Look at the machine"):
        assert text in html
    assert "PYEN251120000000" not in html


def test_the_timeline_escapes_what_came_from_outside(admin: Any) -> None:
    row = factories.session()
    OutboundCall.objects.create(
        provider="manufacturer", name="x", subject=row.session_id, method="POST", url="http://x/",
        response={"msg": "<img src=x onerror=alert(1)>"}, error="</pre><script>alert(1)</script>",
    )  # fmt: skip
    html = admin.page(MODEL, row).content.decode()
    assert "<img src=x" not in html
    assert "<script>alert" not in html
    assert "&lt;img src=x" in html


def test_the_page_costs_the_same_for_a_long_story(
    admin: Any, story: VendingSession, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    admin.page(MODEL, story)  # the first page of a process also reads the content types, which are kept
    with CaptureQueriesContext(connection) as once:
        admin.page(MODEL, story)
    for second in range(50):
        SessionEvent.objects.create(
            session=story, at=timezone.now() + timedelta(seconds=second), to_status="x", source="api"
        )
        OutboundCall.objects.create(
            provider="manufacturer",
            name="order/getPayStatus",
            subject=story.order_no,
            method="POST",
            url="http://x/",
        )
    with django_assert_num_queries(len(once)):
        admin.page(MODEL, story)
    assert len(once) <= 22


def test_only_the_newest_calls_are_told(admin: Any) -> None:
    row = factories.session()
    start = timezone.now()
    OutboundCall.objects.bulk_create(
        OutboundCall(
            at=start + timedelta(seconds=n), provider="m", name=f"call {n}", subject=row.session_id, method="POST", url="/"
        )
        for n in range(301)
    )  # fmt: skip
    told = admin.page(MODEL, row).context["told"]
    assert told.left_out is True
    assert [str(told.entries[i].title) for i in (0, -1)] == ["m call 1", "m call 300"]


def test_a_design_is_shown_to_those_who_may_see_designs(admin: Any, viewer: Any) -> None:
    design = factories.frozen_design()
    row = factories.session(design=design)
    looker = viewer("vending.view_vendingsession")
    preview = f"/admin/catalog/design/{design.pk}/preview/"
    assert preview in admin.page(MODEL, row).content.decode()
    assert preview not in looker.page(MODEL, row).content.decode()
    shown = admin.client.get(preview)
    assert (shown.status_code, b"".join(shown.streaming_content)) == (200, b"print")
    assert "private" in shown["Cache-Control"]
    assert looker.client.get(preview).status_code == 403


def test_cancelling_needs_a_reason_and_leaves_who_and_why(admin: Any) -> None:
    row = factories.session(status="payment_pending", payment_started_at=timezone.now())
    question = admin.act(MODEL, row, "cancel", "")
    assert question.status_code == 200
    row.refresh_from_db()
    assert row.status == "payment_pending"
    assert admin.act(MODEL, row, "cancel", "walked away").status_code == 302
    row.refresh_from_db()
    assert row.status == "cancelled"
    event = row.events.get()
    assert (event.source, event.actor, event.reason) == ("admin", "boss@example.com", "walked away")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.reason) == ("boss@example.com", row.session_id, "walked away")


def test_a_paid_session_is_not_cancelled(admin: Any) -> None:
    row = factories.session(status="payment_completed")
    assert admin.page(MODEL, row).context["actions_detail"] == []
    said = admin.said(admin.act(MODEL, row, "cancel", "oops"))
    assert len(said) == 1
    assert "already paid or ended" in said[0]
    row.refresh_from_db()
    assert row.status == "payment_completed"
    assert (row.events.count(), AuditEntry.objects.count()) == (0, 0)


@pytest.mark.parametrize("group", ["support", "finance"])
def test_support_cancels_and_finance_does_not(member: Any, group: str) -> None:
    desk = member(group)
    row = factories.session()
    assert desk.list(MODEL).status_code == 200
    answer = desk.act(MODEL, row, "cancel", "walked away")
    row.refresh_from_db()
    if group == "support":
        assert (answer.status_code, row.status) == (302, "cancelled")
        assert AuditEntry.objects.get().actor == desk.user.email
    else:
        assert (answer.status_code, row.status) == (403, "active")
        assert AuditEntry.objects.count() == 0
