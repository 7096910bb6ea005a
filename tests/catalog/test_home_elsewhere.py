"""A design from home on another device, at a machine, and before everybody's eyes."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalog.models import Design, Draft, DraftPass, Photo, SharedDesign
from catalog.services import drafts, screening, sharing
from pimpshop.core import ids
from tests import factories as make
from tests.catalog.test_home import at, begin, made, send_photo, send_words
from vending.services import sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"accept-language": "en"})


def act(who: Client, draft: str, do: str) -> Any:
    return who.post(at(draft, "ready/"), {"do": do})


def link_of(who: Client, draft: str) -> str:
    """The path of the link that the page shows."""
    act(who, draft, "link")
    link = who.get(at(draft, "ready/")).context["link"]
    assert link.startswith("http://127.0.0.1:8000/studio/go/")
    return str(link.removeprefix("http://127.0.0.1:8000"))


# --- On another device ------------------------------------------------------------------------------------------------
def test_a_link_opens_the_design_on_a_phone(visitor: Client) -> None:
    draft, phone = made(visitor), Client()
    link = link_of(visitor, draft)
    assert link_of(visitor, draft) == link  # one at a time
    assert phone.get(link).status_code == 200
    assert phone.get(at(draft)).status_code == 404  # looking opens nothing
    answer = phone.post(link)
    assert (answer.status_code, answer["Location"]) == (302, at(draft))
    assert phone.get(at(draft)).context["design"]["text"] == "Hello"
    assert send_words(phone, draft, make.sellable_shell(), "From the phone").status_code == 200
    assert visitor.get(at(draft)).context["design"]["text"] == "From the phone"
    assert [card["mine"] for card in phone.get("/studio/").context["designs"]] == [False]
    assert Draft.objects.get().keeper != DraftPass.objects.get().keeper


@pytest.mark.parametrize("do", ["link", "unlink", "share", "unshare", "delete"])
def test_a_device_that_opened_it_may_not_give_it_away(visitor: Client, do: str) -> None:
    draft, phone = made(visitor), Client()
    phone.post(link_of(visitor, draft))
    before = Draft.objects.values().get()
    assert act(phone, draft, do).status_code == 404
    assert (Draft.objects.values().get(), DraftPass.objects.count()) == (before, 1)
    assert SharedDesign.objects.count() == 0
    assert phone.get(at(draft, "ready/")).context["link"] == ""


def test_an_ended_link_opens_nothing_and_closes_what_it_opened(visitor: Client) -> None:
    draft, phone, late = made(visitor), Client(), Client()
    link = link_of(visitor, draft)
    phone.post(link)
    act(visitor, draft, "unlink")
    assert [late.post(link).status_code, late.get(link).status_code] == [404, 404]
    assert [phone.get(at(draft)).status_code, late.get(at(draft)).status_code] == [404, 404]
    assert visitor.get(at(draft)).status_code == 200
    assert link_of(visitor, draft) != link


def test_a_link_is_good_for_seven_days(visitor: Client) -> None:
    draft, phone = made(visitor), Client()
    link = link_of(visitor, draft)
    left = Draft.objects.get().link_expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=7) - timedelta(minutes=1) < left <= timedelta(days=7)
    Draft.objects.update(link_expires_at=timezone.now())
    assert [phone.get(link).status_code, phone.post(link).status_code] == [410, 410]
    assert phone.get(at(draft)).status_code == 404
    assert visitor.get(at(draft, "ready/")).context["link"] == ""


def test_forged_links_open_nothing(visitor: Client) -> None:
    draft, phone = made(visitor), Client()
    token = link_of(visitor, draft).split("/")[3]
    other = made(visitor)
    key = ids.link_key("draft", f"{draft} ")  # what is signed without a link
    forged = (token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token + "A", "x" * 54,
              other.replace("-", "") + token[32:], other.replace("-", "") + key)  # fmt: skip
    assert [phone.post(f"/studio/go/{text}/").status_code for text in forged] == [404] * 6
    assert DraftPass.objects.count() == 0


# --- At a machine -----------------------------------------------------------------------------------------------------
def at_machine(phone: Client, **more: Any) -> Any:
    """A session that this phone has claimed."""
    session = make.session(claim_hash=ids.hash_token("mine"), claim_needs_token=True, **more)
    phone.cookies[sessions.claim_cookie(session.session_id)] = "mine"
    return session


def bring(phone: Client, session: Any, draft: str) -> Any:
    return phone.post(f"/studio/s/{session.session_id}/from-home/", {"draft": draft}, follow=True)


def test_a_machine_takes_a_design_from_home(visitor: Client) -> None:
    shell, draft = make.sellable_shell(), begin(visitor)
    photo = send_photo(visitor, draft).json()["id"]
    items = [{"kind": "photo", "photo": photo, "slot": 0, "cx": 36, "cy": 74, "width": 150, "rotation": 0}]
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": items}
    body = {"shell": str(shell.pk), "layout": layout}
    assert visitor.post(at(draft, "layout/"), body, content_type="application/json").status_code == 200
    session = at_machine(visitor)
    page = visitor.get(f"/studio/s/{session.session_id}/")
    assert [offer["id"] for offer in page.context["from_home"]] == [draft]

    page = bring(visitor, session, draft)
    assert [str(message) for message in page.context["messages"]] == ["Here is your design from home."]
    assert page.context["from_home"] == []
    home, here = (
        Design.objects.get(owner=owner) for owner in (f"draft:{draft}", f"session:{session.session_id}")
    )
    copy = Photo.objects.get(owner=here.owner)
    assert here.layout == {**home.layout, "items": [{**home.layout["items"][0], "photo": str(copy.pk)}]}
    assert (here.shell, str(copy.pk) != photo) == (shell, True)
    session.refresh_from_db()
    assert (session.design, session.status) == (here, "designing")
    assert copy.file.read() == Photo.objects.get(pk=photo).file.read()
    drafts.delete(Draft.objects.get())
    assert visitor.get(f"/studio/s/{session.session_id}/photo/{copy.pk}/").status_code == 200
    bring(visitor, session, draft)
    assert Photo.objects.count() == 1


def test_another_colour_is_taken_where_the_wanted_one_is_gone(visitor: Client) -> None:
    draft = made(visitor)
    wanted = Design.objects.get().shell
    other = make.shell(model=wanted.model)
    session = at_machine(visitor)
    make.stock(session.machine, other, 2)
    type(session.machine).objects.filter(pk=session.machine.pk).update(stock_synced_at=timezone.now())
    page = bring(visitor, session, draft)
    assert [str(message) for message in page.context["messages"]] == [
        f"Here is your design from home. This machine has no {wanted.colour} case, so it is on {other.colour}."
    ]
    assert Design.objects.get(owner=f"session:{session.session_id}").shell == other


def test_a_machine_without_a_case_for_that_phone_says_so(visitor: Client) -> None:
    draft = made(visitor)
    shell = Design.objects.get().shell
    session = at_machine(visitor)
    make.stock(session.machine, shell, 0)
    type(session.machine).objects.filter(pk=session.machine.pk).update(stock_synced_at=timezone.now())
    page = bring(visitor, session, draft)
    assert [str(message) for message in page.context["messages"]] == [
        f"This machine has no case for {shell.model}. Your design is still there: try another machine."
    ]
    assert Design.objects.count() == 1


@pytest.mark.parametrize("wanted", ["theirs", "nonsense", ""])
def test_only_ones_own_design_is_taken(visitor: Client, wanted: str) -> None:
    theirs = made(Client())
    session = at_machine(visitor)
    assert visitor.get(f"/studio/s/{session.session_id}/").context["from_home"] == []
    answer = bring(visitor, session, theirs if wanted == "theirs" else wanted)
    assert (answer.status_code, Design.objects.count()) == (404, 1)


def test_a_session_finds_its_design_again(visitor: Client) -> None:
    session, shell = at_machine(visitor), make.sellable_shell()
    visitor.post(
        f"/studio/s/{session.session_id}/", {"shell": shell.pk, "text": "Still here", "action": "preview"}
    )
    query = {"qr": "true", "machine_id": session.machine.machine_id, "session_id": session.session_id}
    assert visitor.get("/", query).context["state"] == "resume"
    assert visitor.get(f"/studio/s/{session.session_id}/").context["design"]["text"] == "Still here"


# --- Sharing ----------------------------------------------------------------------------------------------------------
def shared_path(who: Client, draft: str) -> str:
    act(who, draft, "share")
    return str(who.get(at(draft, "ready/")).context["shared"].removeprefix("http://127.0.0.1:8000"))


def test_a_shared_design_is_seen_by_everybody(visitor: Client) -> None:
    draft = made(visitor, "For all")
    phone = Design.objects.get().shell.model.name
    path = shared_path(visitor, draft)
    page = Client(headers={"accept-language": "en"}).get(path)
    text = page.content.decode()
    assert (page.status_code, page["X-Robots-Tag"]) == (200, "noindex")
    assert '<meta name="robots" content="noindex">' in text
    for name, content in (
        ("og:url", f"http://127.0.0.1:8000{path}"), ("og:title", f"Look at this case for {phone}"),
        ("og:image:width", "1200"), ("og:image:height", "630"),
    ):  # fmt: skip
        assert f'<meta property="{name}" content="{content}">' in text
    assert f'<meta property="og:image" content="http://127.0.0.1:8000{path}card.png?v=' in text
    assert '<meta name="twitter:card" content="summary_large_image">' in text
    assert 'href="/studio/new/"' in text
    assert "visitor" not in page.cookies
    for name, size in (("card", (1200, 630)), ("case", (720, 1467))):
        answer = Client().get(f"{path}{name}.png")
        assert answer["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).size == size  # type: ignore[attr-defined]


def test_nothing_is_shared_unasked_and_it_can_be_taken_back(
    visitor: Client, django_capture_on_commit_callbacks: Any
) -> None:
    draft = made(visitor)
    assert visitor.get(at(draft, "ready/")).context["shared"] == ""
    assert SharedDesign.objects.count() == 0
    path = shared_path(visitor, draft)
    row = SharedDesign.objects.get()
    files = [str(row.case.name), str(row.card.name)]
    assert [default_storage.exists(name) for name in files] == [True, True]
    with django_capture_on_commit_callbacks(execute=True):
        act(visitor, draft, "unshare")
    assert [Client().get(path + part).status_code for part in ("", "card.png", "case.png")] == [404] * 3
    assert [default_storage.exists(name) for name in files] == [False, False]


def test_what_is_changed_later_stays_private(visitor: Client) -> None:
    draft = made(visitor)
    path, before = shared_path(visitor, draft), SharedDesign.objects.get()
    send_words(visitor, draft, Design.objects.get().shell, "Later")
    assert visitor.get(at(draft, "ready/")).context["shared_is_old"] is True
    assert SharedDesign.objects.get() == before
    assert shared_path(visitor, draft) == path
    assert (SharedDesign.objects.get() == before, SharedDesign.objects.count()) == (False, 1)


@pytest.mark.parametrize("refused", ["picture", "text"])
def test_what_the_checks_refuse_is_not_shared(
    visitor: Client, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    class Client_:
        app_id = "wx"

        def allows_text(self, text: str, openid: str = "") -> bool:
            return refused != "text"

        def allows_picture(self, data: bytes) -> bool:
            return refused != "picture"

    draft = made(visitor, f"Rude {refused}")
    monkeypatch.setattr(screening, "_looks", Client_)
    act(visitor, draft, "share")
    page = visitor.get(at(draft, "ready/"))
    assert [str(message) for message in page.context["messages"]] == [str(sharing.NotShared.message)]
    assert (page.context["shared"], SharedDesign.objects.count()) == ("", 0)


def test_an_empty_case_is_not_shared(visitor: Client) -> None:
    draft = begin(visitor)
    send_photo(visitor, draft)
    act(visitor, draft, "share")
    assert SharedDesign.objects.count() == 0


@pytest.mark.parametrize("token", ["x", "%00", "a" * 40])
def test_unknown_addresses_show_nothing(token: str) -> None:
    assert [Client().get(f"/d/{token}/{part}").status_code for part in ("", "card.png")] == [404, 404]
