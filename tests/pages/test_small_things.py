"""What people saw on a walk through the pages and stumbled over: each is held here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation

from catalog.views import sketches
from payments.services import progress_words
from pimpshop.core import ids
from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop as tags
from tests import factories as make
from vending.services import sessions

MINE = "my-claim"


def phone_of(session: Any) -> Client:
    client = Client()
    client.cookies[sessions.claim_cookie(session.session_id)] = MINE
    return client


@pytest.fixture
def session(db: None) -> Any:
    return make.session(claim_hash=ids.hash_token(MINE), claimed_at=timezone.now(), claim_needs_token=True)


# --- The language switch ----------------------------------------------------------------------------------------------
def test_the_switch_leads_back_without_the_language_of_the_address() -> None:
    request = RequestFactory().get("/", {"qr": "true", "lang": "zh", "session_id": "A&B"})
    assert tags.way_back(request) == "/?qr=true&session_id=A%26B"
    assert tags.way_back(RequestFactory().get("/?lang=zh")) == "/"


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/?qr=true&lang=zh", "/?qr=true"),
        ("http://elsewhere.example/path?x=1", "/"),
        ("", "/"),
    ],
)
def test_an_answer_to_a_form_is_no_page_to_come_back_to(referer: str, back: str) -> None:
    request = RequestFactory().post("/start/X/", headers={"referer": referer})
    assert tags.way_back(request) == back


def test_after_a_chinese_address_the_switch_shows_english(db: None) -> None:
    session = make.session()
    client = Client()
    page = client.get(f"/?qr=true&session_id={session.session_id}&lang=zh").content.decode()
    assert 'lang="zh-hans"' in page
    back = re.search(r'name="next" value="([^"]*)"', page)
    assert back
    answer = client.post(reverse("set_language"), {"language": "en", "next": back[1].replace("&amp;", "&")})
    assert client.get(answer["Location"]).content.decode().count('<html lang="en">') == 1


# --- Landing and studio -----------------------------------------------------------------------------------------------
def landing(**context: Any) -> str:
    shown = {"state": "ready", "machine_name": "Mall A", "location": "Mall A", "urls": {"start": "/start/"}}
    return render_to_string("vending/landing.html", shown | context)


def test_a_place_is_named_once() -> None:
    assert landing().count("Mall A") == 1
    assert landing(location="Ground floor").count("Ground floor") == 1
    machines = [{"name": "Mall A", "location": "Mall A", "url": ""}]
    assert render_to_string("catalog/home.html", {"machines": machines}).count("Mall A") == 1


def test_who_comes_back_with_a_running_order_is_led_to_it() -> None:
    page = landing(state="resume", urls={"studio": "/studio/s/X/", "status": "/orders/P1/?k=2"})
    assert ('href="/orders/P1/?k=2"' in page, "/studio/s/X/" in page) == (True, False)
    page = landing(state="resume", urls={"studio": "/studio/s/X/", "status": ""})
    assert 'href="/studio/s/X/"' in page


def test_the_studio_starts_empty(session: Any) -> None:
    """No "None" in the words, and nothing that moves or scales before a phone and a photo are chosen."""
    make.sellable_shell()
    page = phone_of(session).get(reverse("studio", args=[session.session_id])).content.decode()
    assert re.findall(r"\bNone\b", page) == []  # as a word: a random token may spell anything
    assert re.search(r'name="text" value=""', page)
    assert re.findall(r"data-if-place([^>]*)>", page) == [" hidden"]


def test_a_template_is_sketched() -> None:
    spec = {
        "background": "#102030",
        "slots": [{"x": 0.1, "y": 0.2, "w": 0.5, "h": 0.25}],
        "overlay": [
            {
                "kind": "rect",
                "x": 0,
                "y": 0.5,
                "w": 1,
                "h": 0.5,
                "color": "#aa0000",
                "opacity": 0,
                "color2": "#00aa00",
            },
            {"kind": "frame", "x": 0, "y": 0, "w": 1, "h": 1, "thickness": 0.1, "color": "#0000aa"},
            {"kind": "line", "x1": 0, "y1": 0.5, "x2": 1, "y2": 0.5, "thickness": 0.02, "color": "#ffffff"},
            {"kind": "ellipse", "x": 0.4, "y": 0.4, "w": 0.2, "h": 0.1, "color": "#abcdef"},
        ],
    }
    from catalog.models import DesignTemplate

    drawn = sketches.svg(DesignTemplate(slug="mine", spec=spec))
    assert '<rect width="50" height="100" fill="#102030"/>' in drawn
    assert '<rect x="5" y="20" width="25" height="25" fill="#a9def0"/>' in drawn
    assert 'fill="url(#sketch-mine-0)"' in drawn
    assert (
        '<rect x="2.5" y="2.5" width="45" height="95" fill="none" stroke="#0000aa" stroke-width="5" opacity="1.0"/>'
        in drawn
    )
    assert '<line x1="0" y1="50" x2="50" y2="50" stroke="#ffffff" stroke-width="1" opacity="1.0"/>' in drawn
    assert '<ellipse cx="25" cy="45" rx="5" ry="5" fill="#abcdef" opacity="1.0"/>' in drawn
    assert "style=" not in drawn


# --- Order and errors -------------------------------------------------------------------------------------------------
def test_what_has_ended_waits_for_nothing(db: None) -> None:
    """A cancelled order shows what happened and no step that seems to go on."""
    order = make.order(status="pending", paid_at=None)
    steps = progress_words.steps(order, "waiting", None, None, ended=False)
    assert [step["state"] for step in steps] == ["done", "now", "todo", "todo", "todo", "todo"]
    ended = progress_words.steps(order, "cancelled", None, None, ended=True)
    assert [(step["text"], step["state"]) for step in ended] == [("Ordered", "done")]
    order.paid_at = order.created_at
    waits = progress_words.steps(order, "help", None, None, ended=False)
    assert [step["state"] for step in waits] == ["done", "done", "todo", "todo", "todo", "todo"]
    with translation.override("zh-hans"):
        words = [step["text"] for step in progress_words.steps(order, "paid", None, None, ended=False)]
        assert words[:2] == ["已下单", "已付款"]


@pytest.mark.parametrize("again", ["/studio/s/X/summary/", ""])
def test_a_refused_payment_leads_back_to_the_design_while_it_lives(again: str) -> None:
    status = {"state": "not_paid", "final": False, "version": "1", "amount": Money(1999, "GBP"), "steps": []}
    page = render_to_string(
        "orders/_status.html", {"status": status, "poll_ms": 4000, "urls": {"fragment": "/f", "again": again}}
    )
    assert "Nothing was charged and nothing is printed." in page
    assert ("try again, perhaps with another card or cash" in page, "Scan the code" in page) == (
        bool(again),
        not again,
    )


def test_without_a_pay_button_nobody_is_told_to_press_it() -> None:
    shown = {
        "item": {"model": "X", "brand": "Y"},
        "price": Money(1999, "GBP"),
        "urls": {"pay": "/p", "edit": "/e"},
    }
    ready = render_to_string("orders/summary.html", shown | {"can_pay": True})
    refused = render_to_string("orders/summary.html", shown | {"can_pay": False})
    assert ("You choose how to pay" in ready, "You choose how to pay" in refused) == (True, False)


def test_a_form_from_a_stale_page_says_so(db: None) -> None:
    session = make.session()
    answer = Client(enforce_csrf_checks=True).post(f"/start/{session.session_id}/")
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()


def test_a_round_slot_is_sketched_round() -> None:
    from catalog.models import DesignTemplate

    spec = {"slots": [{"x": 0.1, "y": 0.2, "w": 0.5, "h": 0.25, "radius": 0.25}]}
    drawn = sketches.svg(DesignTemplate(slug="mine", spec=spec))
    assert (
        '<clipPath id="sketch-mine-slot-0"><rect x="5" y="20" width="25" height="25" rx="12.5"/></clipPath>'
        in drawn
    )
    assert (
        '<g clip-path="url(#sketch-mine-slot-0)"><rect x="5" y="20" width="25" height="25" fill="#a9def0"/>'
        in drawn
    )
