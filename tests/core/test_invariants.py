"""What must always hold: the registry, the command's exit code, the nightly staff items."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command

from pimpshop.core import invariants, staff_items, tasks
from pimpshop.core.models import StaffItem
from tests.support import threads


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> dict[str, invariants.Check]:
    """An empty registry."""
    own: dict[str, invariants.Check] = {}
    monkeypatch.setattr(invariants, "_checks", own)
    return own


def run() -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("check_invariants", stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_all_hold(checks: dict[str, invariants.Check]) -> None:
    invariants.check("1 a")(list)
    invariants.check("2 b")(lambda: iter(()))
    assert run() == (0, "2 invariants hold.\n", "")


def test_each_violation_is_printed_with_its_row_and_the_exit_code_is_1(
    checks: dict[str, invariants.Check],
) -> None:
    @invariants.check("2 refunds fit")
    def _refunds() -> Iterator[str]:
        yield "payment 7"
        yield "payment 9"

    invariants.check("1 paid once")(lambda: ["order P1"])
    assert run() == (
        1,
        "1 paid once: order P1\n2 refunds fit: payment 7\n2 refunds fit: payment 9\n",
        "3 violation(s).\n",
    )


def test_a_check_that_breaks_is_a_violation_and_hides_no_other(checks: dict[str, invariants.Check]) -> None:
    invariants.check("1 broken")(lambda: [str(1 // 0)])
    invariants.check("2 b")(lambda: ["row 2"])
    assert [str(found) for found in invariants.violations()] == [
        "1 broken: the check itself failed: ZeroDivisionError",
        "2 b: row 2",
    ]
    assert run()[0] == 1


@pytest.mark.django_db
def test_the_night_opens_one_item_per_broken_check(checks: dict[str, invariants.Check]) -> None:
    invariants.check("1 a")(lambda: ["row 1", "row 2"])
    assert tasks.check_invariants() == 2
    assert tasks.check_invariants() == 2
    item = StaffItem.objects.get()
    assert (item.kind, item.subject, item.title, item.detail) == (
        "invariant", "1 a", "An invariant is broken: 1 a", "row 1",
    )  # fmt: skip


@pytest.mark.django_db
def test_an_empty_database_breaks_nothing() -> None:
    assert list(invariants.violations()) == []
    assert invariants.names() != []


# --- Staff items ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_item_is_open_once_per_kind_and_subject() -> None:
    assert staff_items.open_item(kind="stuck", subject="P1", title="Stuck", detail="Look", order="P1") is True
    assert staff_items.open_item(kind="stuck", subject="P1", title="Stuck again") is False
    assert staff_items.open_item(kind="stuck", subject="P2", title="Stuck") is True
    assert staff_items.open_item(kind="refund", subject="P1", title="Refund") is True
    item = StaffItem.objects.get(kind="stuck", subject="P1")
    assert (item.title, item.detail, item.data, item.resolved_at) == ("Stuck", "Look", {"order": "P1"}, None)
    assert StaffItem.objects.count() == 3


@pytest.mark.django_db
def test_an_item_is_resolved_once_and_may_open_again() -> None:
    staff_items.open_item(kind="stuck", subject="P1", title="Stuck")
    item = StaffItem.objects.get()
    assert staff_items.resolve(item, actor="carol", resolution="sent again") is True
    assert staff_items.resolve(item, actor="dave", resolution="me too") is False
    item.refresh_from_db()
    assert (item.resolved_by, item.resolution, item.resolved_at is None) == ("carol", "sent again", False)
    assert staff_items.open_item(kind="stuck", subject="P1", title="Stuck") is True
    assert StaffItem.objects.count() == 2


@pytest.mark.django_db
def test_trouble_that_passed_closes_its_item() -> None:
    for subject in ("P1", "P2"):
        staff_items.open_item(kind="stuck", subject=subject, title="Stuck")
    assert staff_items.resolve_about(kind="stuck", subject="P1", resolution="printed") == 1
    assert staff_items.resolve_about(kind="stuck", subject="P1", resolution="printed") == 0
    assert StaffItem.objects.get(resolved_at=None).subject == "P2"
    assert StaffItem.objects.get(subject="P1").resolved_by == "system"


@pytest.mark.django_db
def test_long_words_still_make_one_item_that_can_be_closed() -> None:
    for _ in range(2):
        staff_items.open_item(kind="k" * 99, subject="s" * 999, title="t" * 999)
    item = StaffItem.objects.get()
    assert (item.kind, item.subject, item.title) == ("k" * 64, "s" * 120, "t" * 200)
    assert (
        staff_items.resolve_about(kind="k" * 99, subject="s" * 999, resolution="r" * 999, actor="a" * 999)
        == 1
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_open_one_item() -> None:
    opened = threads.together(20, lambda _: staff_items.open_item(kind="stuck", subject="P1", title="Stuck"))
    assert sorted(opened) == [False] * 19 + [True]
    assert StaffItem.objects.count() == 1
