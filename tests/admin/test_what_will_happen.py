"""What touches shoppers is shown before it is done (whom, how many, what they will read), done once, and audited with
before and after; what only asks tells in plain words what it found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import GatewaySwitch, Refund
from payments.services import switches
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry
from tests import factories
from vending.models import Machine, PrintJob

MACHINE, SESSION, WAY = "vending_machine", "vending_vendingsession", "payments_gatewayswitch"
PAYMENT, JOB, EVENT = "payments_paymentintent", "vending_printjob", "payments_webhookevent"
pytestmark = pytest.mark.django_db


def look(desk: Any, model: str, obj: Any, act: str) -> Any:
    """What the page says before anything is done."""
    page = desk.client.get(f"/admin/{model.replace('_', '/', 1)}/{obj.pk}/act/{act}/")
    return page.context["shown"] or page.context["trouble"]


def one_change(field: str, before: str, after: str) -> list[dict[str, str]]:
    return [{"field": field, "before": before, "after": after}]


# --- a machine
def at_work() -> Machine:
    machine = factories.machine(name="Mall")
    factories.session(machine)
    factories.session(machine, status="payment_pending", payment_started_at=timezone.now())
    factories.print_job(machine)
    return machine


def test_maintenance_says_whom_it_touches_and_what_they_read(admin: Any) -> None:
    machine = at_work()
    shown = look(admin, MACHINE, machine, "maintenance-on")
    assert shown.lines == [
        "Mall takes no new money until maintenance is switched off.",
        "Shoppers in front of it read: “This machine is being serviced.”",
        "Who was asked to pay already may still pay, and it counts.",
        "Paid cases wait, and are printed afterwards, the oldest first.",
    ]
    assert shown.now == [
        "2 sessions are open there.",
        "1 of them is asked for money.",
        "1 paid case waits to be taken.",
    ]
    machine.refresh_from_db()
    assert (machine.maintenance, AuditEntry.objects.count()) == (False, 0)
    admin.act(MACHINE, machine, "maintenance-on", "paper roll")
    entry = AuditEntry.objects.get()
    assert entry.data == {
        "changes": one_change("maintenance", "off", "on"), "sessions": 2, "paying": 1, "cases": 1,
    }  # fmt: skip


def test_a_shopper_who_comes_meanwhile_does_not_stop_it(admin: Any) -> None:
    """How many there are moves by itself: it is told, and is no part of what must still be true."""
    machine = at_work()
    seen = admin.seen(MACHINE, machine, "maintenance-on")
    factories.session(machine)
    page = f"/admin/vending/machine/{machine.pk}/act/maintenance-on/"
    assert admin.client.post(page, {"reason": "paper", "seen": seen}).status_code == 302
    machine.refresh_from_db()
    assert machine.maintenance is True


def test_the_end_of_maintenance_says_what_else_keeps_the_machine_from_money(admin: Any) -> None:
    machine = factories.machine(
        name="Mall", maintenance=True, last_contact_at=timezone.now() - timedelta(hours=1)
    )
    shown = look(admin, MACHINE, machine, "maintenance-off")
    assert shown.lines[0] == (
        "Mall still takes no money, for another reason: This machine is not online right now."
    )
    assert look(admin, MACHINE, machine, "maintenance-on") == "It is so already. Nothing was changed."


def test_a_list_that_is_sent_twice_switches_once(admin: Any) -> None:
    machine = factories.machine()
    for _ in range(2):
        admin.act_on(MACHINE, [machine], "maintenance-on", apply="1", reason="moving", once="this form")
    assert AuditEntry.objects.count() == 1


def test_of_a_list_the_one_that_is_so_already_stops_no_other(admin: Any) -> None:
    off, on = factories.machine(name="A"), factories.machine(name="B", maintenance=True)
    admin.act_on(MACHINE, [off, on], "maintenance-on", apply="1", reason="moving")
    off.refresh_from_db()
    assert (off.maintenance, AuditEntry.objects.count()) == (True, 1)


# --- a session
def test_ending_a_session_says_what_the_phone_reads_and_what_becomes_of_money(admin: Any) -> None:
    machine = factories.machine(name="Mall")
    before = factories.session(machine)
    assert "This session has expired." in look(admin, SESSION, before, "cancel").lines[1]
    assert look(admin, SESSION, before, "cancel").lines[2] == "No money was asked for, so none moves."
    asked = factories.session(
        machine, status="payment_pending", payment_started_at=timezone.now(), order_no="PS1", amount_minor=1999,
        currency="GBP",
    )  # fmt: skip
    shown = look(admin, SESSION, asked, "cancel")
    assert "please do not pay again" in shown.lines[1]
    assert shown.lines[2] == "£19.99 was asked for. If it is paid all the same, order PS1 is printed."
    admin.act(SESSION, asked, "cancel", "walked away")
    assert AuditEntry.objects.get().data == {
        "changes": one_change("status", "payment_pending", "cancelled"), "order_no": "PS1",
    }  # fmt: skip


def test_a_session_that_asks_for_money_meanwhile_is_shown_anew(admin: Any) -> None:
    row = factories.session()
    seen = admin.seen(SESSION, row, "cancel")
    type(row).objects.filter(pk=row.pk).update(status="payment_pending", payment_started_at=timezone.now())
    page = f"/admin/vending/vendingsession/{row.pk}/act/cancel/"
    assert admin.client.post(page, {"reason": "left", "seen": seen}).status_code == 200
    row.refresh_from_db()
    assert (row.status, AuditEntry.objects.count()) == ("payment_pending", 0)


# --- a way to pay
def test_the_kill_switch_says_what_is_left_to_shoppers_and_what_goes_on(
    admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switches, "usable", lambda: ["stripe", "alipay"])
    row, _new = GatewaySwitch.objects.get_or_create(gateway="stripe")
    factories.intent(gateway="stripe", method="card", status="requires_action")
    shown = look(admin, WAY, row, "switch-off")
    assert shown.lines[0] == "No new payment starts with Card (Stripe): shoppers do not see it any more."
    assert "This way to pay is not available right now." in shown.lines[1]
    assert shown.now == ["1 payment is under way there.", "Shoppers can still pay with: Alipay."]
    assert shown.confirm == ""
    admin.act(WAY, row, "switch-off", "they are down")
    entry = AuditEntry.objects.get()
    assert entry.data == {"changes": one_change("stripe", "on", "off"), "under_way": 1}
    row.refresh_from_db()
    assert row.is_off is True
    assert (
        look(admin, WAY, row, "switch-on").lines[1]
        == "It was switched off by boss@example.com: they are down"
    )
    assert look(admin, WAY, row, "switch-off") == "It is so already. Nothing was changed."
    admin.act(WAY, row, "switch-on", "they are back")
    assert AuditEntry.objects.order_by("-pk")[0].data["changes"] == one_change("stripe", "off", "on")


def test_the_last_way_to_pay_money_wants_a_tick(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches, "usable", lambda: ["stripe", "credits"])
    row, _new = GatewaySwitch.objects.get_or_create(gateway="stripe")
    assert look(admin, WAY, row, "switch-off").confirm == "I know that nobody can pay money then"
    assert admin.send(WAY, row, "switch-off", reason="down", sure="").status_code == 200
    row.refresh_from_db()
    assert (row.is_off, AuditEntry.objects.count()) == (False, 0)

    said = admin.said(admin.act_on(WAY, [row], "switch-off", apply="1", reason="down"))
    assert said == [f"{row}: there is something to tick first. Please do it from its own page."]
    row.refresh_from_db()
    assert (row.is_off, AuditEntry.objects.count()) == (False, 0)


# --- an event
def test_an_event_says_what_can_move_and_then_what_came_of_it(admin: Any, manufacturer: Any) -> None:
    intent = factories.intent(status="processing")
    row = factories.webhook_event(status="parked", due_at=None, subject=intent.out_trade_no)
    shown = look(admin, EVENT, row, "process-again")
    assert shown.lines[2].startswith(
        f"If it was paid and we did not know, order {intent.order.order_no} goes on"
    )
    assert shown.now == [f"Payment {intent.out_trade_no} is at: processing."]
    manufacturer.payments[intent.out_trade_no] = 4
    said = admin.said(admin.act(EVENT, row, "process-again", "provider is back"))
    assert said[0].endswith("Process again: processed: asked the provider: 4")
    intent.refresh_from_db()
    assert intent.status == "failed"


def test_an_event_about_nobody_says_that_nothing_moves(admin: Any) -> None:
    row = factories.webhook_event(status="ignored", due_at=None, subject="PYEN404")
    assert look(admin, EVENT, row, "process-again").lines[1] == (
        "No payment of ours has the number PYEN404: nothing will move."
    )
    waiting = factories.webhook_event()
    assert "waiting to be worked on already" in look(admin, EVENT, waiting, "process-again")


# --- asking
@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (2, "processing", "nothing new, it is still: processing (the provider's word: 2)"),
        (4, "failed", "it is now: failed (the provider's word: 4)"),
        (3, "succeeded", "it is paid, and order {order} goes on (the provider's word: 3)"),
    ],
)
def test_asking_about_a_payment_tells_what_was_found(
    admin: Any, manufacturer: Any, answer: int, status: str, told: str
) -> None:
    row = factories.intent(factories.order(lines=0), status="processing")
    manufacturer.payments[row.out_trade_no] = answer
    shown = look(admin, PAYMENT, row, "check-now")
    assert shown.lines[0] == (
        f"“At the machine” is asked what became of payment {row.out_trade_no} (£19.99). Asking moves no money."
    )
    assert shown.now == ["Here it is at: processing. Last asked: never."]
    assert manufacturer.calls == []
    said = admin.said(admin.act(PAYMENT, row, "check-now"))
    assert said == [f"{row.out_trade_no}: Check now: {told.format(order=row.order.order_no)}"]
    row.refresh_from_db()
    assert row.status == status
    entry = AuditEntry.objects.get(action="check now")
    moved = one_change("status", "processing", status) if status != "processing" else None
    assert (entry.data["found"], entry.data.get("changes")) == (str(answer), moved)


def test_asking_about_a_print_job_tells_what_was_found(admin: Any, manufacturer: Any) -> None:
    row = factories.print_job(status="accepted", due_at=timezone.now() + timedelta(hours=1))
    manufacturer.orders[row.third_order_id] = 4
    assert "Asking moves nothing." in look(admin, JOB, row, "check-now").lines[0]
    assert "nothing new, it is still: accepted" in admin.said(admin.act(JOB, row, "check-now"))[0]
    manufacturer.down = True
    said = admin.said(admin.act(JOB, row, "check-now"))[0]
    assert "the manufacturer says: " in said
    assert "It is at: accepted, and is tried again" in said


# --- a case that a refund keeps waiting
def paused() -> PrintJob:
    job = factories.print_job(due_at=timezone.now() + timedelta(days=365))
    staff_items.open_item(kind="print_paused", subject=job.reference, title="paused")
    return job


def test_a_paused_case_goes_on_only_with_a_reason_and_a_tick(admin: Any, manufacturer: Any) -> None:
    job = paused()
    assert "choose “Print it after all”" in look(admin, JOB, job, "check-now")
    assert "choose “Print it after all”" in admin.said(admin.act(JOB, job, "check-now"))[0]
    assert admin.send(JOB, job, "go-on", reason="she wants it", sure="").status_code == 200
    assert admin.act(JOB, job, "go-on", "").status_code == 200
    job.refresh_from_db()
    assert job.due_at > timezone.now()
    assert (manufacturer.calls, AuditEntry.objects.count(), Refund.objects.count()) == ([], 0, 0)
    admin.act(JOB, job, "go-on", "she wants it")
    job.refresh_from_db()
    assert job.due_at <= timezone.now()
    assert AuditEntry.objects.get().action == "print after all"
    assert "No refund keeps this print job waiting" in look(admin, JOB, job, "go-on")
