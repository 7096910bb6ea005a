"""The studio at home: a design without a machine, whose it is, what a browser keeps of it, and how much."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from catalog.models import Design, Draft, Photo
from catalog.services import drafts
from catalog.views import doors, visitors
from tests import factories as make
from tests.support import images

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


def at(draft: object, part: str = "") -> str:
    return f"/studio/h/{draft}/{part}"


def begin(visitor: Client) -> str:
    """A fresh case, as `/studio/` leads to it; answers its id."""
    answer = visitor.get("/studio/new/")
    assert answer.status_code == 302
    return str(answer["Location"].split("/")[3])


def send_photo(visitor: Client, draft: str, data: bytes | None = None, **more: str) -> Any:
    file = SimpleUploadedFile("a.jpg", data or images.photo(1200, 1800), "image/jpeg")
    return visitor.post(at(draft, "photo/"), {"photo_file": file, **more}, headers=JSON)


def send_words(visitor: Client, draft: str, shell: Any, words: str = "Hello", **query: str) -> Any:
    item = {"kind": "text", "text": words, "font": "latin", "cx": 36, "cy": 120, "size": 8, "color": "#111111",
            "rotation": 0}  # fmt: skip
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": [item]}
    return visitor.post(
        at(draft, "layout/"), json.dumps({"shell": str(shell.pk), "layout": layout}),
        content_type="application/json", query_params=query,
    )  # fmt: skip


def made(visitor: Client, words: str = "Hello") -> str:
    """A draft with words on it."""
    draft = begin(visitor)
    assert send_words(visitor, draft, make.sellable_shell(), words).status_code == 200
    return draft


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"accept-language": "en"})


# --- Designing --------------------------------------------------------------------------------------------------------
def test_anybody_designs_at_once(visitor: Client) -> None:
    shell = make.sellable_shell()
    first = visitor.get("/studio/")
    draft = first["Location"].split("/")[3]
    assert (first.status_code, first["Location"]) == (302, at(uuid.UUID(draft)))
    page = visitor.get(at(draft))
    assert (page.status_code, page["X-Robots-Tag"]) == (200, "noindex")
    assert page.context["session"] is None
    assert Draft.objects.count() == 0  # looking leaves nothing behind

    photo = send_photo(visitor, draft).json()
    assert photo["url"] == at(draft, f"photo/{photo['id']}/")
    assert visitor.get(photo["url"])["Content-Type"] == "image/jpeg"
    answer = send_words(visitor, draft, shell)
    assert answer.status_code == 200
    row, design = Draft.objects.get(), Design.objects.get()
    assert (str(row.pk), row.keeper[:8], row.owner) == (draft, "visitor:", f"draft:{draft}")
    assert (design.owner, Photo.objects.get().owner, design.shell) == (row.owner, row.owner, shell)
    assert visitor.get(answer.json()["preview_url"]).status_code == 200

    again = visitor.get("/studio/")
    assert [(card["id"], card["name"], card["mine"]) for card in again.context["designs"]] == [
        (draft, f"{shell.model} · {shell.colour}", True)
    ]
    assert visitor.get(at(draft)).context["design"]["text"] == "Hello"


def test_without_javascript_the_form_leads_to_what_can_be_done(visitor: Client) -> None:
    shell = make.sellable_shell()
    draft = begin(visitor)
    chosen = {"shell": shell.pk, "text": "Hi", "action": "continue"}
    answer = visitor.post(at(draft), chosen)
    assert (answer.status_code, answer["Location"]) == (302, at(draft, "ready/"))
    page = visitor.get(answer["Location"])
    assert (page.status_code, page.context["name"]) == (200, f"{shell.model} · {shell.colour}")
    assert "£19.99" in page.content.decode()


def test_the_cookie_is_signed_and_hidden_from_scripts(visitor: Client) -> None:
    draft = made(visitor)
    cookie = visitor.cookies[visitors.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 90 * 24 * 3600)
    keeper = Draft.objects.get().keeper
    assert keeper.removeprefix("visitor:") == cookie.value.split(":")[0]
    forger = Client()
    forger.cookies[visitors.COOKIE] = keeper.removeprefix("visitor:")
    assert forger.get(at(draft)).status_code == 404


# --- Whose it is ------------------------------------------------------------------------------------------------------
DOORS = [
    ("get", ""), ("post", ""), ("get", "phone/"), ("post", "photo/"), ("get", "photo/{photo}/"), ("post", "layout/"),
    ("get", "preview.png"), ("get", "ready/"), ("post", "ready/"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "part"), DOORS)
@pytest.mark.parametrize("who", ["another browser", "somebody with an account"])
def test_nobody_else_finds_it(visitor: Client, method: str, part: str, who: str) -> None:
    draft = made(visitor)
    photo = send_photo(visitor, draft).json()["id"]
    before = (Design.objects.values().get(), Draft.objects.values().get())
    stranger = Client()
    if who == "somebody with an account":
        stranger.force_login(make.user())
    stranger.get("/studio/new/")
    body = {"do": "delete", "text": "mine", "action": "preview", "shell": str(Design.objects.get().shell_id)}
    answer = getattr(stranger, method)(at(draft, part.format(photo=photo)), body if method == "post" else {})
    assert answer.status_code == 404
    assert (Design.objects.values().get(), Draft.objects.values().get()) == before
    assert (Photo.objects.count(), Draft.objects.count()) == (1, 1)


def test_a_photo_of_another_draft_is_not_found(visitor: Client) -> None:
    photo = send_photo(visitor, made(visitor)).json()["id"]
    other = made(visitor)
    assert visitor.get(at(other, f"photo/{photo}/")).status_code == 404


def test_logging_in_takes_the_designs_along_and_leaves_none_in_the_browser(visitor: Client) -> None:
    draft, user = made(visitor), make.user()
    visitor.force_login(user)
    page = visitor.get("/account/designs/")
    assert [card["id"] for card in page.context["designs"]] == [draft]
    assert Draft.objects.get().keeper == f"user:{user.pk}"
    assert visitor.cookies[visitors.COOKIE].value == ""
    visitor.logout()
    assert visitor.get(at(draft)).status_code == 404
    assert visitor.get("/studio/").status_code == 302
    elsewhere = Client()
    elsewhere.force_login(user)
    assert elsewhere.get(at(draft)).status_code == 200


def test_the_list_of_an_account_asks_for_a_log_in() -> None:
    answer = Client().get("/account/designs/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/account/designs/")


# --- How much, how long -----------------------------------------------------------------------------------------------
def test_a_browser_keeps_so_many_designs(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 1)
    first, shell = made(visitor), make.sellable_shell()
    answer = send_words(visitor, begin(visitor), shell)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_drafts")
    assert (Draft.objects.count(), Design.objects.count()) == (1, 1)
    assert send_words(visitor, first, shell).status_code == 200


def test_a_browser_keeps_so_many_photos(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MOST_PHOTOS", 1)
    draft, shell = begin(visitor), make.sellable_shell()
    photo = send_photo(visitor, draft).json()["id"]
    items = [{"kind": "photo", "photo": photo, "slot": 0, "cx": 36, "cy": 74, "width": 150, "rotation": 0}]
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": items}
    body = json.dumps({"shell": str(shell.pk), "layout": layout})
    assert visitor.post(at(draft, "layout/"), body, content_type="application/json").status_code == 200
    answer = send_photo(visitor, draft, images.photo(300, 400))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_photos")
    assert str(Photo.objects.get().pk) == photo
    assert (
        send_words(visitor, draft, shell).status_code == 200
    )  # the photo is on no case any more: it makes room
    fresh = send_photo(visitor, draft, images.photo(300, 400))
    assert (fresh.status_code, str(Photo.objects.get().pk)) == (200, fresh.json()["id"])


def test_uploads_of_strangers_are_limited_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = doors.throttles.Limit("home-upload-address", 1, 600)
    monkeypatch.setattr(doors, "UPLOAD_AT_HOME_PER_ADDRESS", limit)
    one, other = Client(), Client()
    assert send_photo(one, begin(one)).status_code == 200
    answer = send_photo(other, begin(other))
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert Photo.objects.count() == 1


def test_old_designs_are_forgotten_with_their_files(
    visitor: Client, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.PHOTOS_KEPT_DAYS = 30
    old, young = made(visitor), made(visitor)
    send_photo(visitor, old)
    files = [str(file.name) for photo in Photo.objects.all() for file in (photo.file, photo.working_copy)]
    now = timezone.now()
    Draft.objects.filter(pk=old).update(updated_at=now - timedelta(days=30, minutes=1))
    Draft.objects.filter(pk=young).update(updated_at=now - timedelta(days=29))
    with django_capture_on_commit_callbacks(execute=True):
        assert drafts.forget_old() == 1
    assert ([str(row.pk) for row in Draft.objects.all()], Photo.objects.count()) == ([young], 0)
    assert [row.owner for row in Design.objects.all()] == [f"draft:{young}"]
    assert (len(files), [name for name in files if default_storage.exists(name)]) == (2, [])
    settings.PHOTOS_KEPT_DAYS = 0
    Draft.objects.update(updated_at=now - timedelta(days=999))
    assert (drafts.forget_old(), Draft.objects.count()) == (0, 1)


def test_a_design_is_deleted_by_its_keeper(visitor: Client) -> None:
    draft = made(visitor)
    send_photo(visitor, draft)
    answer = visitor.post(at(draft, "ready/"), {"do": "delete"})
    assert (answer.status_code, answer["Location"]) == (302, "/studio/")
    assert (Draft.objects.count(), Design.objects.count(), Photo.objects.count()) == (0, 0, 0)


# --- Two windows ------------------------------------------------------------------------------------------------------
def tab_of(visitor: Client, draft: str) -> str:
    return str(visitor.get(at(draft)).context["urls"]["layout"].split("tab=")[1])


def test_an_old_window_is_told_and_writes_nothing(visitor: Client) -> None:
    draft, shell = made(visitor, "one"), make.sellable_shell()
    old, new = tab_of(visitor, draft), tab_of(visitor, draft)
    assert send_words(visitor, draft, shell, "two", tab=new).status_code == 200
    before = Design.objects.values().get()
    answer = send_words(visitor, draft, make.sellable_shell(), "three", tab=old)
    assert (answer.status_code, answer.json()["code"]) == (409, "design_stale")
    assert Design.objects.values().get() == before
    assert send_words(visitor, draft, shell, "four", tab=new).status_code == 200
    assert send_words(visitor, draft, shell, "five", tab=old, mine="1").status_code == 200
    assert send_words(visitor, draft, shell, "six", tab=old).status_code == 200
    assert send_words(visitor, draft, shell, "seven", tab=new).status_code == 409
    assert send_words(visitor, draft, shell, "eight", tab=tab_of(visitor, draft)).status_code == 200
    design = Design.objects.get()
    assert (design.layout["items"][0]["text"], design.revision) == ("eight", 6)


def test_the_plain_form_of_an_old_window_is_told_too(visitor: Client) -> None:
    draft, shell = made(visitor, "one"), make.sellable_shell()
    old = visitor.get(at(draft)).context["urls"]["save"]
    send_words(visitor, draft, shell, "two", tab=tab_of(visitor, draft))
    page = visitor.post(old, {"shell": shell.pk, "text": "three", "action": "preview"})
    assert (page.status_code, Design.objects.get().layout["items"][0]["text"]) == (409, "two")
    assert page.context["errors"][0].startswith("This design was changed in another window")
