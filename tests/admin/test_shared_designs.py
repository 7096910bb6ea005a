"""Staff and designs that people show to others: taken down with a reason that is kept, by whoever may."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Draft, SharedDesign
from catalog.services import takedowns
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories as make

pytestmark = pytest.mark.django_db
MODEL = "catalog_shareddesign"


@pytest.fixture
def shared() -> SharedDesign:
    draft = Draft.objects.create(keeper="visitor:1")
    row: SharedDesign = SharedDesign.objects.create(
        draft=draft, token="token", shell=make.shell(), layout_hash="0" * 64, case="a.png", card="b.png"
    )
    return row


def test_support_takes_it_down_and_the_reason_stays(member: Any, shared: SharedDesign) -> None:
    takedowns.report(shared.token)
    desk = member("support")
    lines = desk.shown(MODEL, shared, "take-down", choice="rights", reason="the brand wrote to us")
    assert lines[-1] == "Its maker reads: “It shows a picture or a sign that belongs to somebody else.”"
    desk.send(MODEL, shared, "take-down", choice="rights", reason="the brand wrote to us")
    shared.refresh_from_db()
    assert (shared.taken_down_for, shared.case.name, shared.card.name) == ("rights", "", "")
    item = StaffItem.objects.get(kind="design_reported")
    assert (item.subject, item.resolution, item.resolved_by) == ("token", "taken down", desk.user.email)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.reason) == (desk.user.email, "the brand wrote to us")
    desk.act(MODEL, shared, "allow-again", reason="they showed that it is theirs")
    assert (SharedDesign.objects.count(), AuditEntry.objects.count()) == (0, 2)


@pytest.mark.parametrize("role", ["finance", "operator", "developer"])
def test_others_look_and_change_nothing(member: Any, shared: SharedDesign, role: str) -> None:
    desk = member(role)
    assert desk.page(MODEL, shared).status_code == 200
    assert desk.send(MODEL, shared, "take-down", choice="rights", reason="no").status_code in (302, 403)
    shared.refresh_from_db()
    assert (shared.taken_down_at, AuditEntry.objects.count()) == (None, 0)
