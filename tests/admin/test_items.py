"""Staff items: whose they are, what they say in the reader's language, where they lead, notes, filters, counts."""

from __future__ import annotations

import ast
import importlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from pimpshop.core import staff_items, staff_kinds
from pimpshop.core.models import AuditEntry, StaffItem, StaffNote
from tests import factories

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "catalog", "credits", "orders", "payments", "pimpshop", "vending")


def item(subject: str = "P1", kind: str = "print_stuck", **more: Any) -> StaffItem:
    staff_items.open_item(kind=kind, subject=subject, title=f"Look at {subject}", detail="As it was said.")
    StaffItem.objects.filter(kind=kind, subject=subject).update(**more)
    return StaffItem.objects.get(kind=kind, subject=subject)


def hours(number: float) -> Any:
    return timezone.now() - timedelta(hours=number)


# --- the table of kinds
def _kinds_in_code() -> set[str]:
    """The kind of every call of open_item and keep, where it is a word or a constant."""
    found = set()
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("open_item", "keep"):
                for word in node.keywords:
                    if word.arg == "kind":
                        found.add(_value(word.value, module))
    return found - {""}


def _value(node: ast.expr, module: str) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    names = ast.unparse(node).split(".")
    value: Any = importlib.import_module(module)
    for name in names:
        value = getattr(value, name, "")
    return value if isinstance(value, str) else ""


def test_every_kind_that_is_opened_stands_in_the_table() -> None:
    kinds = _kinds_in_code()
    assert len(kinds) > 30
    assert sorted(kind for kind in kinds if not staff_kinds.is_known(kind)) == []


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="print_stuck"):
        staff_kinds.register(staff_kinds.Kind("print_stuck", "Another", "Do that"))
    assert str(staff_kinds.get("print_stuck").title) == "Paid, and the machine does not take the case"


# --- what an item says
def test_an_item_says_it_in_the_readers_language_and_keeps_the_words_of_then(admin: Any) -> None:
    row = item("P1")
    page = admin.page("core_staffitem", row).content.decode()
    assert "Paid, and the machine does not take the case" in page
    assert '<h2 class="desk-headline">Paid, and the machine does not take the case</h2>' in page
    assert "Look at P1" in page  # as it was written then
    assert "As it was said." in page


def test_a_kind_that_nobody_registered_says_its_own_words(admin: Any) -> None:
    row = item("P1", kind="odd")
    [shown] = admin.client.get("/admin/").context["panels"][0].rows
    assert (shown.text, shown.detail, shown.about) == (row.title, row.detail, "P1")


def test_money_stands_beside_the_headline(admin: Any) -> None:
    staff_items.open_item(kind="surplus_payment", subject="PYEN1", title="twice", minor=1999, currency="GBP")
    [shown] = admin.client.get("/admin/").context["panels"][0].rows
    assert shown.text == "Paid too much: money is to be given back: £19.99"


def test_one_click_leads_to_the_row_and_to_what_may_be_done_to_it(admin: Any) -> None:
    job = factories.print_job(status="gave_up")
    steps = admin.page("core_staffitem", item(job.reference)).context["steps"]
    assert steps[0].main
    assert admin.client.get(steps[0].href)["Location"] == f"/admin/vending/printjob/{job.pk}/change/"
    acts = [step.href for step in steps[1:]]
    assert acts != []
    assert all(href.startswith(f"/admin/vending/printjob/{job.pk}/act/") for href in acts)


def test_somebody_who_may_not_see_the_row_gets_no_button_for_it(viewer: Any) -> None:
    job = factories.print_job(status="gave_up")
    steps = viewer("core.view_staffitem").page("core_staffitem", item(job.reference)).context["steps"]
    assert [step.main for step in steps] == [True]


# --- whose it is
def test_an_item_is_taken_and_given_back(admin: Any) -> None:
    row = item()
    admin.act("core_staffitem", row, "take")
    row.refresh_from_db()
    assert row.owner == "boss@example.com"
    admin.act("core_staffitem", row, "release")
    row.refresh_from_db()
    assert row.owner == ""
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "subject")) == [
        ("boss@example.com", "take", "P1"),
        ("boss@example.com", "release", "P1"),
    ]


def test_an_item_is_given_to_somebody_who_works_here_and_to_nobody_else(admin: Any) -> None:
    row, page = item(), "/admin/core/staffitem/{}/act/assign/"
    factories.staff(email="carol@example.com")
    factories.user("shopper@example.com")
    for address in ("shopper@example.com", "stranger@example.com", ""):
        admin.client.post(page.format(row.pk), {"person": address})
        row.refresh_from_db()
        assert row.owner == "", address
    admin.client.post(page.format(row.pk), {"person": "Carol@Example.com"})
    row.refresh_from_db()
    assert row.owner == "carol@example.com"


def test_what_is_closed_is_nobodys_to_take(admin: Any) -> None:
    row = item(resolved_at=timezone.now())
    assert staff_items.hand_to(row, owner="boss@example.com") is False
    row.refresh_from_db()
    assert row.owner == ""


def test_notes_are_kept_with_name_and_time_in_order(member: Any) -> None:
    desk, row = member("support"), item()
    for text in ("The shop is closed.", "Called again: tomorrow."):
        desk.act("core_staffitem", row, "note", text)
    assert list(StaffNote.objects.values_list("author", "text")) == [
        (desk.user.email, "The shop is closed."),
        (desk.user.email, "Called again: tomorrow."),
    ]
    page = desk.page("core_staffitem", row).content.decode()
    assert page.index("The shop is closed.") < page.index("Called again: tomorrow.")


def test_a_viewer_takes_and_writes_nothing(viewer: Any) -> None:
    desk, row = viewer("core.view_staffitem"), item()
    for name in ("take", "assign", "release", "note"):
        assert desk.act("core_staffitem", row, name, "x").status_code == 403
    row.refresh_from_db()
    assert (row.owner, StaffNote.objects.count()) == ("", 0)


# --- lists and counts
def test_the_questions_of_the_list(admin: Any) -> None:
    mine = item("P1", owner="boss@example.com")
    old = item("P2", created_at=hours(2))
    calm = item("P3", kind="print_unclaimed", created_at=hours(2))
    item("P4", owner="boss@example.com", resolved_at=timezone.now())
    asked = {show: [row.pk for row in admin.rows("core_staffitem", show=show)] for show in
             ("mine", "unassigned", "overdue")}  # fmt: skip
    assert asked == {"mine": [mine.pk], "unassigned": [old.pk, calm.pk], "overdue": [old.pk]}
    assert [row.pk for row in admin.rows("core_staffitem", kind="print_unclaimed")] == [calm.pk]


def test_the_most_urgent_stand_first_then_the_longest_wait(admin: Any) -> None:
    calm = item("P1", kind="print_unclaimed", created_at=hours(9))
    soon = item("P2", kind="inbox_parked", created_at=hours(5))
    new, old = item("P3", created_at=hours(1)), item("P4", created_at=hours(3))
    order = [old.pk, new.pk, soon.pk, calm.pk]
    assert [row.pk for row in admin.rows("core_staffitem")] == order
    shown = admin.client.get("/admin/").context["panels"][0].rows
    assert [row.about for row in shown] == ["P4", "P3", "P2", "P1"]


def test_counts_by_kind_stand_on_the_first_page_and_in_the_menu(admin: Any) -> None:
    item("P1", created_at=hours(2)), item("P2"), item("P3", kind="inbox_parked", owner="boss@example.com")
    context = admin.client.get("/admin/").context
    chips = {str(chip.text): chip.number for chip in context["panels"][0].chips}
    assert chips == {
        "overdue": 1, "mine": 1, "nobody's yet": 2, "Paid, and the machine does not take the case": 2,
        "An event of a provider could not be worked on": 1,
    }  # fmt: skip
    menu = context["sidebar_navigation"][0]["items"]
    assert [(str(entry["title"]), entry.get("badge")) for entry in menu[1:]] == [
        ("Needs a person", 3),
        ("Paid, and the machine does not take the case", 2),
        ("An event of a provider could not be worked on", 1),
    ]


# --- sweeps
def test_a_sweep_opens_what_is_there_and_closes_what_has_passed() -> None:
    words = {"title": "Silent", "detail": "Switch it on."}
    assert staff_items.keep(kind="machine_offline", found={"VM1": words, "VM2": words}, passed="back") == 2
    assert staff_items.keep(kind="machine_offline", found={"VM1": words, "VM2": words}, passed="back") == 0
    assert staff_items.keep(kind="machine_offline", found={"VM2": words}, passed="back") == 1
    rows = StaffItem.objects.order_by("subject").values_list("subject", "resolved_by", "resolution")
    assert list(rows) == [("VM1", "system", "back"), ("VM2", "", "")]


def test_what_a_person_has_closed_is_not_opened_again_for_a_day() -> None:
    found = {"VM1": {"title": "Silent"}}
    staff_items.keep(kind="machine_offline", found=found, passed="back")
    staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="it is being moved")
    assert staff_items.keep(kind="machine_offline", found=found, passed="back") == 0
    assert StaffItem.objects.count() == 1
    StaffItem.objects.update(resolved_at=hours(25))
    assert staff_items.keep(kind="machine_offline", found=found, passed="back") == 1
