"""Machines: readiness at a glance, exact filters, reading the stock, maintenance with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pimpshop.celery import app as celery_app
from pimpshop.core.models import AuditEntry
from tests import factories
from vending.models import Machine
from vending.services import machines

pytestmark = pytest.mark.django_db
MODEL = "vending_machine"


@pytest.fixture
def at_once() -> Iterator[None]:
    """Celery runs a task where it is enqueued."""
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


@pytest.fixture
def fleet() -> dict[str, Machine]:
    now = timezone.now()
    fresh = {"stock_synced_at": now - timedelta(minutes=3)}
    return {
        "good": factories.machine(name="good", **fresh),
        "new": factories.machine(name="new", last_contact_at=None),
        "silent": factories.machine(name="silent", last_contact_at=now - timedelta(minutes=11), **fresh),
        "serviced": factories.machine(name="serviced", maintenance=True, **fresh),
        "no printer": factories.machine(name="no printer", printer="out", printer_at=now, **fresh),
        "doubtful": factories.machine(
            name="doubtful", printer="out", printer_at=now - timedelta(minutes=31), stock_synced_at=now - timedelta(minutes=11)
        ),
        "retired": factories.machine(name="retired", is_active=False, **fresh),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("ready", ["doubtful", "good", "new"]),
        ("silent", ["silent"]),
        ("stale", ["doubtful", "new"]),
        ("printer", ["no printer"]),
        ("maintenance", ["serviced"]),
        ("all", ["doubtful", "good", "new", "no printer", "retired", "serviced", "silent"]),
    ],
)
def test_filters_answer_exactly(admin: Any, fleet: dict[str, Machine], asked: str, names: list[str]) -> None:
    assert [row.name for row in admin.rows(MODEL, show=asked)] == names


def test_ready_is_what_the_money_side_calls_ready(admin: Any, fleet: dict[str, Machine]) -> None:
    judged = {row.name for row in fleet.values() if machines.readiness(row).ok}
    assert {row.name for row in admin.rows(MODEL, show="ready")} == judged == {"good", "new", "doubtful"}


def test_the_list_says_why_and_how_old(admin: Any, fleet: dict[str, Machine]) -> None:
    html = admin.list(MODEL).content.decode()
    for text in (
        "silent",
        "maintenance",
        "printer out",
        "not in use",
        "11\xa0minutes ago",
        "3\xa0minutes ago",
        "never",
    ):
        assert text in html


def test_the_list_counts_jobs_that_wait(admin: Any, fleet: dict[str, Machine]) -> None:
    for status in ("submitting", "announcing", "accepted", "failed"):
        factories.print_job(fleet["good"], status=status)
    counts = {row.name: row.unsent for row in admin.rows(MODEL)}
    assert (counts["good"], counts["silent"]) == (2, 0)


def test_reading_the_stock_now_reads_it(
    admin: Any, manufacturer: Any, at_once: None, django_capture_on_commit_callbacks: Any
) -> None:
    shell = factories.sellable_shell()
    machine = factories.machine(stock_synced_at=None)
    manufacturer.stock = [
        {"mobile_model_id": shell.model.manufacturer_id, "mobile_model_name": "x", "width": "73.24", "height": "149.27",
         "mobile_shell_id": shell.manufacturer_id, "stock": 7}
    ]  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.act(MODEL, machine, "read-stock")
    assert answer.status_code == 302
    assert machine.stock.get().count == 7
    machine.refresh_from_db()
    assert timezone.now() - machine.stock_synced_at < timedelta(seconds=30)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (
        "boss@example.com",
        "read stock",
        machine.machine_id,
    )


@pytest.mark.parametrize(
    ("before", "act", "after"), [(False, "maintenance-on", True), (True, "maintenance-off", False)]
)
def test_maintenance_is_switched_with_a_reason(admin: Any, before: bool, act: str, after: bool) -> None:
    machine = factories.machine(maintenance=before)
    assert admin.act(MODEL, machine, act, "paper roll").status_code == 302
    machine.refresh_from_db()
    assert machine.maintenance is after
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.reason, entry.subject) == (
        "boss@example.com",
        "paper roll",
        machine.machine_id,
    )


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_without_a_reason_nothing_is_switched(admin: Any, reason: str | None) -> None:
    machine = factories.machine()
    answer = admin.act(MODEL, machine, "maintenance-on", reason)
    assert answer.status_code == 200
    assert "reason" in answer.context["form"].errors
    machine.refresh_from_db()
    assert machine.maintenance is False
    assert AuditEntry.objects.count() == 0


def test_looking_at_the_question_changes_nothing(admin: Any) -> None:
    machine = factories.machine()
    page = admin.client.get(f"/admin/vending/machine/{machine.pk}/act/maintenance-on/")
    assert page.status_code == 200
    machine.refresh_from_db()
    assert machine.maintenance is False


def test_several_machines_from_the_list_with_one_reason(admin: Any) -> None:
    chosen = [factories.machine(name=name) for name in ("first", "second")]  # in the order of the list
    other = factories.machine()
    question = admin.act_on(MODEL, chosen, "maintenance-on")
    assert [row.pk for row in question.context["rows"]] == [row.pk for row in chosen]
    assert not Machine.objects.filter(maintenance=True).exists()
    assert admin.act_on(MODEL, chosen, "maintenance-on", apply="1", reason="moving").status_code == 302
    assert set(Machine.objects.filter(maintenance=True)) == set(chosen)
    assert Machine.objects.get(pk=other.pk).maintenance is False
    assert AuditEntry.objects.filter(actor="boss@example.com", reason="moving").count() == 2


def test_the_printer_works_again(admin: Any) -> None:
    machine = factories.machine(printer="out", printer_at=timezone.now(), printer_reason="status 13")
    admin.act(MODEL, machine, "printer-works", "new ribbon")
    machine.refresh_from_db()
    assert machine.printer == "ok"
    assert AuditEntry.objects.get().reason == "new ribbon"


def test_an_act_that_is_none_is_not_found(admin: Any) -> None:
    assert admin.act(MODEL, factories.machine(), "explode", "x").status_code == 404


@pytest.mark.parametrize("act", ["read-stock", "maintenance-on", "printer-works"])
def test_a_viewer_gets_no_act(viewer: Any, act: str) -> None:
    looker = viewer("vending.view_machine")
    machine = factories.machine(printer="out")
    page = looker.page(MODEL, machine)
    assert page.status_code == 200
    assert page.context["actions_detail"] == []
    assert looker.act(MODEL, machine, act, "because").status_code == 403
    answer = looker.act_on(MODEL, [machine], act, apply="1", reason="because")
    assert answer.status_code == 200  # the list again: there is no such action for this person
    machine.refresh_from_db()
    assert (machine.maintenance, machine.printer) == (False, "out")
    assert AuditEntry.objects.count() == 0


def test_editing_a_machine_leaves_its_knowledge_alone_and_an_audit_entry(admin: Any) -> None:
    machine = factories.machine(maintenance=True)
    data = {
        "machine_id": "OTHER", "name": "Airport", "location": "T2", "currency": "EUR", "language": "zh-hans",
        "is_active": "on", "stock-TOTAL_FORMS": "0", "stock-INITIAL_FORMS": "0", "maintenance": "",
    }  # fmt: skip
    answer = admin.client.post(f"/admin/vending/machine/{machine.pk}/change/", data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    before = machine.machine_id
    machine.refresh_from_db()
    assert (machine.machine_id, machine.name, machine.currency) == (before, "Airport", "EUR")
    assert (machine.language, machine.maintenance) == ("zh-hans", True)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("boss@example.com", "changed machine", before)
