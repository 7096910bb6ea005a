"""Shared designs that should not be shown: reported by anybody, taken down by staff, told to their makers, allowed again."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test import Client

from catalog.models import Draft, SharedDesign
from catalog.services import sharing, takedowns
from catalog.views import shared as views
from pimpshop.core.models import StaffItem
from tests.catalog.test_home import at, made, send_words
from tests.catalog.test_home_elsewhere import act, shared_path
from tests.support.threads import together

pytestmark = pytest.mark.django_db
WHY = "It may hurt, frighten or insult people."


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"accept-language": "en"})


def take_down(why: str = "harmful") -> bool:
    return takedowns.take_down(SharedDesign.objects.get(), why=why, actor="support@example.com")


def reports() -> list[tuple[str, str, bool]]:
    rows = StaffItem.objects.filter(kind="design_reported").order_by("pk")
    return [(row.subject, row.resolution, row.resolved_at is None) for row in rows]


def test_what_is_taken_down_is_gone_for_everybody_and_its_maker_reads_why(
    visitor: Client, django_capture_on_commit_callbacks: Any
) -> None:
    draft = made(visitor)
    path = shared_path(visitor, draft)
    row = SharedDesign.objects.get()
    files = [str(row.case.name), str(row.card.name)]
    with django_capture_on_commit_callbacks(execute=True):
        assert take_down()
    assert [default_storage.exists(name) for name in files] == [False, False]
    anybody = Client(headers={"accept-language": "en"})
    page = anybody.get(path)
    assert (page.status_code, page["X-Robots-Tag"]) == (410, "noindex")
    assert "This design is not shown any more" in page.content.decode()
    assert "og:image" not in page.content.decode()
    assert [anybody.get(path + part).status_code for part in ("card.png", "case.png")] == [410, 410]
    assert anybody.post(path + "report/").status_code == 410
    for address in (at(draft, "ready/"), "/studio/"):
        assert WHY in visitor.get(address).content.decode()
    assert visitor.get(at(draft)).status_code == 200  # the design stays
    assert (take_down("rights"), SharedDesign.objects.get().taken_down_for) == (False, "harmful")


@pytest.mark.parametrize("do", ["share", "unshare"])
def test_its_maker_cannot_share_it_again_until_staff_allow_it(visitor: Client, do: str) -> None:
    draft = made(visitor)
    path = shared_path(visitor, draft)
    take_down()
    send_words(visitor, draft, SharedDesign.objects.get().shell, "Changed a little")
    act(visitor, draft, do)
    assert (Client().get(path).status_code, SharedDesign.objects.get().taken_down_for) == (410, "harmful")
    assert takedowns.allow_again(SharedDesign.objects.get()) is True
    assert (Client().get(path).status_code, SharedDesign.objects.count()) == (404, 0)
    assert Client().get(shared_path(visitor, draft)).status_code == 200
    assert (takedowns.allow_again(SharedDesign.objects.get()), SharedDesign.objects.count()) == (False, 1)


def test_a_report_is_one_item_until_it_is_resolved(visitor: Client) -> None:
    path = shared_path(visitor, made(visitor))
    token = SharedDesign.objects.get().token
    for _who in range(3):
        answer = Client().post(path + "report/")
        assert (answer.status_code, answer["Location"]) == (302, path)
    assert reports() == [(token, "", True)]
    assert take_down()
    assert reports() == [(token, "taken down", False)]


def test_a_report_ends_with_the_sharing_but_not_with_another_version(visitor: Client) -> None:
    draft = made(visitor)
    path = shared_path(visitor, draft)
    token = SharedDesign.objects.get().token
    Client().post(path + "report/")
    send_words(visitor, draft, SharedDesign.objects.get().shell, "Changed a little")
    assert shared_path(visitor, draft) == path
    assert reports() == [(token, "", True)]
    act(visitor, draft, "unshare")
    assert reports() == [(token, "not shared any more", False)]


def test_reports_are_limited_and_ask_for_the_forms_own_word(visitor: Client) -> None:
    path = shared_path(visitor, made(visitor))
    assert Client(enforce_csrf_checks=True).post(path + "report/").status_code == 403
    assert Client().get(path + "report/").status_code == 405
    assert reports() == []
    for _time in range(views.REPORTS_PER_ADDRESS.count):
        assert Client().post("/d/nothing/report/").status_code == 404
    assert Client().post(path + "report/").status_code == 429
    assert reports() == []


def test_the_database_knows_only_shown_or_taken_down(visitor: Client) -> None:
    shared_path(visitor, made(visitor))
    for values in ({"taken_down_for": "harmful"}, {"case": "", "card": "", "taken_down_for": "harmful"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SharedDesign.objects.update(**values)


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_sharing_anew_while_staff_take_it_down_leaves_nothing_shown(visitor: Client) -> None:
    """Both at once: whoever is second finds what the first has done."""
    draft_id = made(visitor)
    shared_path(visitor, draft_id)
    row = SharedDesign.objects.get()
    send_words(visitor, draft_id, row.shell, "Changed a little")
    before = len(default_storage.listdir("shared")[1])

    def work(number: int) -> bool:
        if number:
            return takedowns.take_down(row, why="harmful", actor="support@example.com")
        with contextlib.suppress(sharing.StaysDown):
            sharing.share(Draft.objects.get(pk=draft_id))
            return True
        return False

    shared, down = together(2, work)
    left = SharedDesign.objects.get()
    assert (bool(left.case), left.taken_down_at is None) == (shared, shared)
    assert shared is not down
    assert len(default_storage.listdir("shared")[1]) - before == (0 if shared else -2)
