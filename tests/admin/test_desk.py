"""The first page, the sidebar, finding by number, staff items, counts without counting, words for every state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from django.utils.translation import override

from orders import states as order_states
from payments import states as payment_states
from pimpshop.core import staff_items
from pimpshop.core.admin import lists, words
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories
from vending import states as vending_states
from vending.models import PrintJob

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 11, 20, 12, tzinfo=UTC)


def item(subject: str = "P1", **more: Any) -> StaffItem:
    staff_items.open_item(
        kind="print_stuck", subject=subject, title=f"Look at {subject}", detail="Send it again."
    )
    StaffItem.objects.filter(subject=subject).update(**more)
    return StaffItem.objects.get(subject=subject)


# --- words
@pytest.mark.parametrize(
    "table",
    [
        vending_states.SESSION, vending_states.PROGRESS, vending_states.PRINT_JOB, order_states.ORDER,
        payment_states.PAYMENT, payment_states.REFUND, payment_states.INBOX,
    ],
    ids=lambda table: table.name,
)  # fmt: skip
def test_every_state_has_a_word_and_a_tone(table: Any) -> None:
    assert [status for status in table.statuses if status not in words.STATES] == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (180, "3\xa0minutes ago"),
        (-179, "in 2\xa0minutes"),
        (7200, "2\xa0hours ago"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    with override("en"), time_machine.travel(NOON, tick=False):
        assert words.ago(timezone.now() - timedelta(seconds=seconds)) == text
        assert words.ago(None) == "never"


# --- the first page
def test_what_needs_a_person_comes_first(admin: Any) -> None:
    old = item("P1", created_at=timezone.now() - timedelta(hours=2))
    new = item("P2")
    item("P3", resolved_at=timezone.now())
    factories.machine(name="Silent one", last_contact_at=timezone.now() - timedelta(hours=1))
    factories.machine(name="Good one")
    late = factories.print_job(due_at=timezone.now() - timedelta(minutes=2))
    factories.print_job(due_at=timezone.now())
    panels = admin.client.get("/admin/").context["panels"]
    titles = [str(panel.title) for panel in panels]
    assert titles[0] == "Needs a person"
    assert [row.about for row in panels[0].rows] == [old.subject, new.subject]
    assert {row.text for row in panels[0].rows} == {"Paid, and the machine does not take the case"}
    assert panels[0].count == 2
    named = dict(zip(titles, panels, strict=True))
    assert [row.text for row in named["Machines not ready"].rows] == ["Silent one"]
    assert [row.text for row in named["Print jobs that are late"].rows] == [late.reference]


def test_todays_numbers(admin: Any) -> None:
    with time_machine.travel(NOON, tick=False):  # a day that does not end meanwhile
        today = _of_the_day(admin)
    assert today == {"sessions live now": 1, "sessions": 1, "paid": 0, "cases printed": 1}


def _of_the_day(admin: Any) -> dict[str, Any]:
    now = timezone.now()
    factories.session()
    factories.session(created_at=now - timedelta(days=2), status="expired")
    factories.print_job(status="printed", due_at=None)
    panels = {str(panel.title): panel for panel in admin.client.get("/admin/").context["panels"]}
    return {str(figure.label): figure.value for figure in panels["At the machines today"].figures}


def test_the_sidebar_shows_what_somebody_may_see(viewer: Any) -> None:
    item()
    html = viewer("vending.view_machine").client.get("/admin/").content.decode()
    assert 'href="/admin/vending/machine/"' in html
    assert 'href="/admin/vending/printjob/"' not in html
    assert 'href="/admin/core/staffitem/"' not in html


def test_the_badge_counts_open_items(admin: Any) -> None:
    groups = admin.client.get("/admin/").context["sidebar_navigation"]
    assert "badge" not in groups[0]["items"][1]
    item("P1")
    item("P2")
    entry = admin.client.get("/admin/").context["sidebar_navigation"][0]["items"][1]
    assert entry["badge"] == 2


# --- finding
def test_finding_any_number(admin: Any) -> None:
    session = factories.session(factories.machine(machine_id="VM_FIND"))
    order = factories.order()
    intent = factories.intent(order, status="succeeded", captured_minor=1999)
    job = factories.print_job(queue_no="9578")
    refund = factories.refund(intent)
    wanted = {
        session.session_id: session, "VM_FIND": session.machine, order.order_no: order, f"{order.order_no}/1": order,
        intent.out_trade_no: intent, intent.out_trade_no.lower(): intent, job.third_order_id: job, "9578": job,
        job.reference: job, refund.out_refund_no: refund, "boss@example.com": admin.user,
    }  # fmt: skip
    for number, row in wanted.items():
        answer = admin.client.get("/admin/core/staffitem/find/", {"q": f" {number} "})
        meta = row._meta
        assert answer["Location"] == f"/admin/{meta.app_label}/{meta.model_name}/{row.pk}/change/", number


@pytest.mark.parametrize("number", ["", "nothing", "\0", "%", "x" * 5000])
def test_finding_nothing_says_so(admin: Any, number: str) -> None:
    factories.session()
    answer = admin.client.get("/admin/core/staffitem/find/", {"q": number})
    assert answer["Location"] == "/admin/"
    assert admin.said(answer)[0].startswith("Nothing has the number")


def test_finding_stops_at_what_somebody_may_see(viewer: Any) -> None:
    desk = viewer("vending.view_machine")
    order = factories.order()
    assert desk.client.get("/admin/core/staffitem/find/", {"q": order.order_no})["Location"] == "/admin/"


# --- staff items
def test_open_items_are_listed_first(admin: Any) -> None:
    open_, done = item("P1"), item("P2", resolved_at=timezone.now())
    assert [row.pk for row in admin.rows("core_staffitem")] == [open_.pk]
    assert [row.pk for row in admin.rows("core_staffitem", show="resolved")] == [done.pk]
    assert {row.pk for row in admin.rows("core_staffitem", show="all")} == {open_.pk, done.pk}


def test_an_item_says_what_to_do_and_is_resolved_with_a_word(member: Any) -> None:
    desk = member("support")
    row = item("P1")
    assert "Send it again." in desk.page("core_staffitem", row).content.decode()
    assert desk.act("core_staffitem", row, "resolve", " ").status_code == 200
    row.refresh_from_db()
    assert row.resolved_at is None
    assert desk.act("core_staffitem", row, "resolve", "sent again, printed").status_code == 302
    row.refresh_from_db()
    assert (row.resolved_by, row.resolution) == (desk.user.email, "sent again, printed")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (desk.user.email, "resolve item", "P1")
    assert entry.data == {"kind": "print_stuck", "title": "Look at P1"}


def test_an_item_is_resolved_once(admin: Any) -> None:
    row = item("P1", resolved_at=timezone.now(), resolved_by="first@example.com", resolution="done")
    admin.act("core_staffitem", row, "resolve", "me too")
    row.refresh_from_db()
    assert (row.resolved_by, row.resolution, AuditEntry.objects.count()) == ("first@example.com", "done", 0)


def test_a_viewer_resolves_nothing(viewer: Any) -> None:
    desk = viewer("core.view_staffitem")
    row = item("P1")
    assert desk.act("core_staffitem", row, "resolve", "gone").status_code == 403
    row.refresh_from_db()
    assert (row.resolved_at, AuditEntry.objects.count()) == (None, 0)


# --- lists of big tables
def test_counts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = factories.machine()
    for number in range(5):
        factories.print_job(machine, queue_no=str(number))
    monkeypatch.setattr(lists, "COUNT_LIMIT", 3)
    # PostgreSQL analyses a table when it likes: what it says of this one is told here.
    for told, shown in ((-1, 4), (3, 4), (9000, 9000)):  # -1: never analysed, so what was counted
        monkeypatch.setattr(lists, "_estimate", lambda _model, told=told: told)
        assert lists.BoundedPaginator(PrintJob.objects.order_by("pk"), 2).count == shown
    assert lists.BoundedPaginator(PrintJob.objects.filter(machine=machine).order_by("pk"), 2).count == 3
    monkeypatch.setattr(lists, "COUNT_LIMIT", 50)
    assert lists.BoundedPaginator(PrintJob.objects.order_by("pk"), 2).count == 5


@pytest.mark.parametrize("typed", ["OREN251120", "oren251120"])
def test_search_uses_the_prefix_index(typed: str) -> None:
    from django.db import connection

    factories.print_job(third_order_id="OREN251120111111")
    found = lists.search(PrintJob.objects.all(), ("third_order_id", "order_no"), typed)
    assert [row.third_order_id for row in found] == ["OREN251120111111"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = found.explain()
    assert "Seq Scan" not in plan
    assert "third_order_id" in plan
