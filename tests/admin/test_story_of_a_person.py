"""One list by time of all that happened to a customer, on their page and their account's, some orders at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credits.models import CreditAccount
from credits.services import ledger
from orders.models import Order, OrderEvent
from pimpshop.core import staff_items
from pimpshop.core.admin import people
from pimpshop.core.models import AuditEntry, Notification, OutboundCall, StaffRequest
from pimpshop.core.states import remark
from tests import factories
from tests.support import bought
from tests.support.bought import pay

pytestmark = pytest.mark.django_db
USER = "accounts_user"


def lanes(told: Any) -> set[str]:
    return {entry.lane for entry in told.entries}


def busy() -> tuple[Any, Any]:
    """Somebody with a session, a case and a pack, everything of which somebody was told."""
    alice = factories.user("alice@example.org")
    intent = bought.bought(user=alice)
    order = intent.order
    number = order.order_no
    pay(intent)
    bought.end(bought.ask(intent, 100), "succeeded")
    session = factories.session(order_no=number)
    remark(session, source="page", reason="created")
    job = factories.print_job(order_no=number)
    remark(job, source="system", reason="created")
    factories.webhook_event(subject=intent.out_trade_no)
    factories.outbound_event(intent)
    for subject, provider in ((number, "manufacturer"), (intent.out_trade_no, "alipay")):
        OutboundCall.objects.create(
            provider=provider, name="query", method="POST", url="http://x/", subject=subject,
            request={"app_id": "[redacted]"}, trace_id="T-1",
        )  # fmt: skip
    Notification.objects.create(reference=number, kind="case_printed", outcome="sent", due_at=None)
    staff_items.open_item(kind="odd", subject=number, title="Something odd")
    AuditEntry.objects.create(actor="ada", action="looked", subject=number)
    AuditEntry.objects.create(actor="ada", action="changed user", subject=f"user {alice.pk}")
    ledger.grant(user_id=alice.pk, amount=7, reference="staff:1", kind="bonus", reason="late", actor="ada")
    StaffRequest.objects.create(
        act="pay-back", model="payments.paymentintent", object_id="1", subject=intent.out_trade_no, fingerprint="f",
        asked_by_id=0, asked_by="ada", reason="rained out", expires_at=timezone.now(),
    )  # fmt: skip
    return alice, intent


def test_everything_about_a_customer_stands_on_their_page_by_time(admin: Any) -> None:
    alice, intent = busy()
    told = admin.page(USER, alice).context["told"]
    assert lanes(told) == {
        "order", "payment", "refund", "session", "print job", "inbox", "outgoing", "call", "credits", "message", "staff",
    }  # fmt: skip
    times = [entry.at for entry in told.entries]
    assert times == sorted(times)
    assert all(entry.number for entry in told.entries)
    who = {(str(entry.title), entry.who) for entry in told.entries if entry.lane == "staff" and entry.who}
    assert {("looked", "ada"), ("changed user", "ada")} <= who
    credits = [str(entry.title) for entry in told.entries if entry.lane == "credits"]
    assert any(title.endswith("· 500") for title in credits)
    assert sum(title.endswith("· 7") for title in credits) == 1
    html = admin.page(USER, alice).content.decode()
    assert f"?q={intent.out_trade_no}" in html
    assert "[redacted]" in html


def test_the_credit_account_tells_the_same(admin: Any) -> None:
    alice, _intent = busy()
    account = CreditAccount.objects.get(kind="user", user=alice)
    shown = [str(e.title) for e in admin.page("credits_creditaccount", account).context["told"].entries]
    assert shown == [str(e.title) for e in people.tell(alice.pk).entries]


@pytest.mark.parametrize(
    "where", ["orders_order", "payments_paymentintent", "vending_vendingsession", "vending_printjob"]
)
def test_order_payment_session_and_print_job_tell_it_too(admin: Any, where: str) -> None:
    from vending.models import PrintJob, VendingSession

    _alice, intent = busy()
    session, job = VendingSession.objects.get(), PrintJob.objects.get()
    Order.objects.filter(pk=intent.order_id).update(session_id=session.session_id)
    PrintJob.objects.update(session_id=session.session_id)
    intent.refresh_from_db()
    row = {
        "orders_order": intent.order,
        "payments_paymentintent": intent,
        "vending_vendingsession": session,
    }.get(where, PrintJob.objects.get(pk=job.pk))
    told = admin.page(where, row).context["told"]
    assert lanes(told) >= {"order", "payment", "refund", "session", "print job", "call", "credits", "staff"}
    assert "looked" in {str(entry.title) for entry in told.entries}


def many(user: Any, orders: int, events: int) -> None:
    """Old orders of somebody with so many events in all."""
    began = timezone.now() - timedelta(days=300)
    rows = Order.objects.bulk_create(
        Order(
            order_no=f"PMANY{number:08d}", kind="credits", currency="GBP", total_minor=100, user=user,
            created_at=began + timedelta(minutes=number),
        )
        for number in range(orders)
    )  # fmt: skip
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order=rows[number % orders], at=began + timedelta(seconds=number), to_status="pending", source="x",
            reason=f"event {number}",
        )
        for number in range(events)
    )  # fmt: skip


def statements(tell: Any) -> int:
    with CaptureQueriesContext(connection) as asked:
        tell()
    return len(asked)


def test_ten_thousand_rows_cost_as_many_statements_as_one(admin: Any) -> None:
    few, lots = factories.user(), factories.user()
    many(lots, 1000, 10_000)
    for one in (few, lots):
        pay(bought.bought(user=one))
    once = statements(lambda: people.tell(few.pk))
    assert once <= 22
    assert statements(lambda: people.tell(lots.pk)) == once
    told = people.tell(lots.pk)
    assert told.older is not None
    assert len(told.entries) <= people.MOST_ORDERS * 10 + 10
    assert statements(lambda: people.tell(lots.pk, str(told.older))) <= once + 1  # where this stretch begins
    admin.page(USER, few)  # the first page of a process also reads the content types, which are kept
    assert statements(lambda: admin.page(USER, lots)) == statements(lambda: admin.page(USER, few))


def test_the_stretches_follow_each_other_without_a_gap(admin: Any) -> None:
    alice = factories.user()
    many(alice, 45, 45)
    for number in range(3):
        AuditEntry.objects.create(
            actor="ada", action=f"deed {number}", subject=f"user {alice.pk}",
            at=timezone.now() - timedelta(days=300) + timedelta(minutes=20 * number, seconds=30),
        )  # fmt: skip
    seen: list[str] = []
    before, pages = "", 0
    while True:
        told = people.tell(alice.pk, before)
        seen += [entry.why or str(entry.title) for entry in told.entries]
        pages += 1
        if told.older is None:
            break
        before = str(told.older)
    assert (pages, len(seen), len(set(seen))) == (3, 48, 48)
    page = admin.client.get(f"/admin/accounts/user/{alice.pk}/change/?before={before}")
    assert "The newest" in page.content.decode()
    assert "What was before that" not in page.content.decode()


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "0"])
def test_an_odd_address_shows_something_and_never_fails(admin: Any, before: str) -> None:
    alice, _intent = busy()
    page = admin.client.get(f"/admin/accounts/user/{alice.pk}/change/", {"before": before})
    assert page.status_code == 200
    assert page.context["told"].entries


def test_who_may_not_see_orders_gets_no_story(viewer: Any) -> None:
    alice, _intent = busy()
    assert "told" not in viewer("accounts.view_user").page(USER, alice).context
    assert "told" in viewer("accounts.view_user", "orders.view_order").page(USER, alice).context


def test_nothing_of_another_customer_is_told() -> None:
    alice, intent = busy()
    other = factories.user()
    second = bought.bought(user=other)
    pay(second)
    told = people.tell(alice.pk)
    assert second.out_trade_no not in {entry.number for entry in told.entries}
    assert intent.out_trade_no not in {entry.number for entry in people.tell(other.pk).entries}
