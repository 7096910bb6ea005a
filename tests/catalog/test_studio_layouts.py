"""Whole layouts in the studio: the script's are taken as they are, the plain form changes only what it knows."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Design
from pimpshop.core import ids
from tests import factories as make
from tests.support import images
from vending.models import VendingSession
from vending.services import sessions

pytestmark = pytest.mark.django_db
DUO = {
    "slots": [{"x": 0, "y": 0, "w": 1, "h": 0.5}, {"x": 0, "y": 0.5, "w": 1, "h": 0.5}],
    "background": "#102030",
}


@pytest.fixture
def session() -> VendingSession:
    return make.session(claim_hash=ids.hash_token("mine"), claim_needs_token=True)


@pytest.fixture
def phone(session: VendingSession) -> Client:
    client = Client()
    client.cookies[sessions.claim_cookie(session.session_id)] = "mine"
    return client


@pytest.fixture
def shell(session: VendingSession) -> Any:
    return make.sellable_shell()


def at(session: VendingSession, path: str = "") -> str:
    return f"/studio/s/{session.session_id}/{path}"


def new_photo(phone: Client, session: VendingSession, width: int = 1200) -> str:
    file = SimpleUploadedFile("holiday.jpg", images.photo(width, 1800), "image/jpeg")
    answer = phone.post(at(session, "photo/"), {"photo_file": file}, headers={"accept": "application/json"})
    found: str = answer.json()["id"]
    return found


def photo(photo_id: str, **values: Any) -> dict[str, Any]:
    place = {"slot": 0, "cx": 36.6, "cy": 74.6, "width": 150.0, "rotation": 0.0}
    return {"kind": "photo", "photo": photo_id, **place, **values}


def text(**values: Any) -> dict[str, Any]:
    return {"kind": "text", "text": "Hello", "font": "latin", "cx": 36.6, "cy": 120.0, "size": 8.0,
            "color": "#111111", "rotation": 0.0, **values}  # fmt: skip


def sticker(**values: Any) -> dict[str, Any]:
    return {
        "kind": "sticker",
        "sticker": "heart",
        "cx": 40.0,
        "cy": 90.0,
        "width": 15.0,
        "rotation": 0.0,
        **values,
    }


def send(phone: Client, session: VendingSession, shell: Any, items: list[Any], **layout: Any) -> Any:
    whole = {"version": 1, "template": None, "background": "#ffffff", "items": items, **layout}
    body = {"shell": str(shell.pk), "layout": whole, "accept_low_resolution": True}
    return phone.post(at(session, "layout/"), json.dumps(body), content_type="application/json")


def everything(photo_id: str) -> list[dict[str, Any]]:
    """Items with every field, in the order in which they draw."""
    return [
        sticker(rotation=30.0),
        photo(photo_id, filter="warm", contrast=10, crop={"x": 0.25, "y": 0.0, "w": 0.5, "h": 1.0}),
        text(outline="#ffffff", curve=60.0, rotation=5.0),
        sticker(sticker="star"),
        text(text="you 你", cy=135.0),
    ]


def test_a_layout_is_saved_exactly_as_it_was_sent(phone: Client, session: VendingSession, shell: Any) -> None:
    make.template(slug="duo", spec=DUO)
    items = everything(new_photo(phone, session))
    answer = send(phone, session, shell, items, template="duo", background="#aa0000", background2="#0000aa")
    assert answer.status_code == 200
    assert Design.objects.get().layout == {
        "version": 1, "template": "duo", "background": "#aa0000", "background2": "#0000aa", "items": items,
    }  # fmt: skip
    assert phone.get(answer.json()["preview_url"])["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([sticker(sticker="unicorn")], "layout_unknown_sticker"),
        ([sticker()] * 13, "layout_too_many_stickers"),
        ([text(curve=200)], "layout_out_of_range"),
        ([text(outline="red")], "layout_bad_colour"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    phone: Client, session: VendingSession, shell: Any, items: list[Any], code: str
) -> None:
    answer = send(phone, session, shell, items)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert Design.objects.count() == 0


def test_the_form_fills_every_place_of_a_template(phone: Client, session: VendingSession, shell: Any) -> None:
    make.template(slug="duo", spec=DUO)
    photo_id = new_photo(phone, session)
    posted = {"shell": shell.pk, "photo": photo_id, "photo_cx": "36.6", "photo_cy": "74.6", "photo_width": "150",
              "template": "duo", "action": "preview"}  # fmt: skip
    assert phone.post(at(session), posted).status_code == 200
    saved = Design.objects.get().layout
    assert [(i["slot"], i["width"]) for i in saved["items"]] == [(0, 150.0), (1, 77.24)]
    assert saved["background"] == "#102030"


def test_the_form_keeps_what_it_does_not_know(phone: Client, session: VendingSession, shell: Any) -> None:
    make.template(slug="duo", spec=DUO)
    first, second = new_photo(phone, session), new_photo(phone, session, 1300)
    items = [*everything(first), photo(second, slot=1, filter="mono")]
    send(phone, session, shell, items, template="duo", background="#aa0000", background2="#0000aa")
    posted = {
        "shell": shell.pk, "template": "duo", "photo": first, "photo_cx": "30", "photo_cy": "40", "photo_width": "160",
        "photo_rotation": "0", "text": "Bye", "text_font": "chinese", "text_color": "#e11d48", "text_cx": "36.6",
        "text_cy": "120", "text_size": "9", "action": "preview",
    }  # fmt: skip
    assert phone.post(at(session), posted).status_code == 200
    saved = Design.objects.get().layout
    crop = {"x": 0.25, "y": 0.0, "w": 0.5, "h": 1.0}
    assert saved["items"] == [
        photo(first, filter="warm", contrast=10, crop=crop, cx=30.0, cy=40.0, width=160.0),
        photo(second, slot=1, filter="mono"),
        sticker(rotation=30.0),
        text(
            text="Bye", font="chinese", color="#e11d48", size=9.0, outline="#ffffff", curve=60.0, rotation=5.0
        ),
        sticker(sticker="star"),
        text(text="you 你", cy=135.0),
    ]
    assert (saved["background"], saved["background2"]) == ("#aa0000", "#0000aa")
    # Taken out in the form, the first text goes and nothing else does; the second is the first then.
    assert phone.post(at(session), {**posted, "text": ""}).status_code == 200
    left = Design.objects.get().layout["items"]
    assert [item.get("text") or item.get("sticker") or item["kind"] for item in left] == [
        "photo", "photo", "heart", "star", "you 你",
    ]  # fmt: skip


def test_continue_saves_the_layout_that_the_script_wrote(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    items = everything(new_photo(phone, session))
    whole = {"version": 1, "template": None, "background": "#aa0000", "items": items}
    posted = {"shell": shell.pk, "text": "old", "layout": json.dumps(whole), "accept_low_resolution": "1"}
    answer = phone.post(at(session), {**posted, "action": "continue"})
    assert (answer.status_code, answer["Location"]) == (302, at(session, "summary/"))
    assert Design.objects.get().layout == whole
    broken = phone.post(at(session), {**posted, "layout": "{", "action": "continue"})
    assert (broken.status_code, broken.context["errors"]) == (
        400,
        ["This design could not be read (not JSON)."],
    )
    assert Design.objects.get().layout == whole


def test_words_under_the_camera_are_warned_about_and_saved(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    answer = send(phone, session, shell, [text(cx=20.0, cy=20.0), text(cx=20.0, cy=148.0)])
    assert [warned["code"] for warned in answer.json()["warnings"]] == ["under_camera", "outside_safe"]
    assert answer.json()["warnings"][0]["text"] == "Part of your words is under the camera."
    assert len(Design.objects.get().layout["items"]) == 2
    fine = send(phone, session, shell, [text()])
    assert fine.json()["warnings"] == []


def test_the_page_knows_the_camera_and_the_safe_distance(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    path = f"phone/?brand={shell.model.brand_id}&model={shell.model_id}"
    page = phone.get(at(session, path)).content.decode()
    found = re.search(r'data-cutouts="([^"]*)" data-safe="([^"]*)"', page)
    assert found is not None
    assert json.loads(html.unescape(found[1])) == [{"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}]
    assert float(found[2]) == 3
