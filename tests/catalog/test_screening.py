"""Content checks: off by default; what is refused is not kept, what is not looked at is let through and noted."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
import responses
from django.conf import settings as shop
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from catalog.models import Photo
from catalog.services import designs, photos, screening
from pimpshop.core import ids
from pimpshop.core.models import OutboundCall, StaffItem
from tests import factories
from tests.accounts.wechat_answers import add
from tests.support import images
from vending.services import sessions

pytestmark = pytest.mark.django_db
BASE = shop.WECHAT_LOGIN_BASE
TOKEN, TEXT, PICTURE = (
    f"{BASE}/cgi-bin/stable_token",
    f"{BASE}/wxa/msg_sec_check",
    f"{BASE}/wxa/img_sec_check",
)
OK, RISKY = {"errcode": 0, "errmsg": "ok"}, {"errcode": 87014, "errmsg": "risky content"}


def verdict(suggest: str) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": 100}}


@pytest.fixture
def wire(settings: Any) -> Any:
    settings.CONTENT_CHECKS = "wechat"
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        add(mock, {"access_token": "t" * 40, "expires_in": 7200}, TOKEN, responses.POST)
        yield mock


def written(owner: str = "session:test") -> Any:
    item = {"kind": "text", "text": "Hello", "size": 8, "cx": 36.6, "cy": 70}
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": [item]}
    return factories.design(owner=owner, layout=layout)


def test_it_is_off_by_default() -> None:
    with responses.RequestsMock():
        photos.add_photo(owner="session:test", upload=images.photo())
        screening.check_text("anything", owner="session:test")
    assert (Photo.objects.count(), OutboundCall.objects.count()) == (1, 0)


def test_a_picture_that_passes_is_kept_and_asked_about_once(wire: Any) -> None:
    add(wire, OK, PICTURE, responses.POST)
    for owner in ("session:one", "session:two"):
        photos.add_photo(owner=owner, upload=images.photo(3000, 2000))
    sent = [call.request.body for call in wire.calls if call.request.url.startswith(PICTURE)]
    assert len(sent) == 1
    jpeg = sent[0][sent[0].index(b"\xff\xd8\xff") :]
    with Image.open(io.BytesIO(jpeg)) as shown:
        assert (shown.format, max(shown.size)) == ("JPEG", 750)
    assert Photo.objects.count() == 2
    record = OutboundCall.objects.get(name="img_sec_check")
    assert "JFIF" not in str(record.request)


def test_a_refused_picture_is_not_kept(wire: Any) -> None:
    add(wire, RISKY, PICTURE, responses.POST)
    for _ in range(2):
        with pytest.raises(screening.PictureNotAllowed) as refused:
            photos.add_photo(owner="session:test", upload=images.photo())
    assert (refused.value.status, refused.value.code) == (400, "picture_not_allowed")
    assert "choose another one" in str(refused.value.message)
    assert Photo.objects.count() == 0
    assert StaffItem.objects.count() == 0


@pytest.mark.parametrize(
    "answer", [(500, ""), {"errcode": -1}, {"errcode": 48001}, requests.ReadTimeout("slow"), (200, "<p>")]
)
def test_whoever_does_not_answer_stops_nobody(wire: Any, answer: Any) -> None:
    add(wire, answer, PICTURE, responses.POST)
    add(wire, answer, PICTURE, responses.POST)
    for owner in ("session:one", "session:two"):
        photos.add_photo(owner=owner, upload=images.photo())
    assert Photo.objects.count() == 2
    assert list(StaffItem.objects.values_list("kind", "resolved_at")) == [("content_checks_away", None)]
    wire.remove(responses.POST, PICTURE)
    add(wire, OK, PICTURE, responses.POST)
    photos.add_photo(owner="session:one", upload=images.photo(400, 300))
    assert StaffItem.objects.filter(resolved_at=None).count() == 0


@pytest.mark.parametrize("suggest", ["pass", "review"])
def test_words_are_looked_at_when_a_design_is_ordered(wire: Any, suggest: str) -> None:
    user = factories.user(None)
    factories.wechat_identity(user, openid="oVISITOR")
    add(wire, verdict(suggest), TEXT, responses.POST)
    design = designs.freeze(written(f"user:{user.pk}"))
    assert design.frozen_at is not None
    body = next(call.request.body for call in wire.calls if call.request.url.startswith(TEXT))
    assert body.decode() == '{"openid": "oVISITOR", "scene": 4, "version": 2, "content": "Hello"}'
    assert "Hello" not in str(list(OutboundCall.objects.values()))


def test_refused_words_are_not_ordered(wire: Any) -> None:
    add(wire, RISKY, TEXT, responses.POST)
    design = written()
    with pytest.raises(screening.TextNotAllowed) as refused:
        designs.freeze(design)
    assert (refused.value.status, refused.value.code) == (400, "text_not_allowed")
    design.refresh_from_db()
    assert (design.frozen_at, design.print_sha256) == (None, "")
    body = next(call.request.body for call in wire.calls if call.request.url.startswith(TEXT))
    assert body.decode() == '{"content": "Hello"}'


@pytest.mark.parametrize("errcode", [40003, 61010])
def test_somebody_who_was_not_here_lately_is_asked_about_plainly(wire: Any, errcode: int) -> None:
    user = factories.user(None)
    factories.wechat_identity(user, openid="oVISITOR")
    add(wire, {"errcode": errcode}, TEXT, responses.POST)
    add(wire, RISKY, TEXT, responses.POST)
    with pytest.raises(screening.TextNotAllowed):
        screening.check_text("Hello", owner=f"user:{user.pk}")


def test_a_design_without_words_is_nobodys_business(wire: Any) -> None:
    add(wire, OK, PICTURE, responses.POST)
    photo = photos.add_photo(owner="session:test", upload=images.photo(1200, 1600))
    item = {"kind": "photo", "photo": str(photo.pk), "cx": 36.62, "cy": 74.63, "width": 200}
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": [item]}
    designs.freeze(factories.design(layout=layout))
    assert [call for call in wire.calls if call.request.url.startswith(TEXT)] == []


def test_the_studio_says_it_and_keeps_nothing(wire: Any) -> None:
    add(wire, RISKY, PICTURE, responses.POST)
    session = factories.session(claim_hash=ids.hash_token("mine"), claim_needs_token=True)
    factories.sellable_shell()
    phone = Client()
    phone.cookies[sessions.claim_cookie(session.session_id)] = "mine"
    file = SimpleUploadedFile("holiday.jpg", images.photo(1200, 1800), "image/jpeg")
    answer = phone.post(
        f"/studio/s/{session.session_id}/photo/", {"photo_file": file}, headers={"accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "picture_not_allowed")
    assert "This picture cannot be printed here." in answer.content.decode()
    assert Photo.objects.count() == 0


def test_without_the_cache_it_is_asked_each_time_and_stops_nobody(wire: Any, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    add(wire, OK, PICTURE, responses.POST)
    for owner in ("session:one", "session:two"):
        photos.add_photo(owner=owner, upload=images.photo())
    sent = [call for call in wire.calls if call.request.url.startswith(PICTURE)]
    assert (len(sent), Photo.objects.count(), StaffItem.objects.count()) == (2, 2, 0)
    wire.remove(responses.POST, PICTURE)
    add(wire, RISKY, PICTURE, responses.POST)
    with pytest.raises(screening.PictureNotAllowed):
        photos.add_photo(owner="session:three", upload=images.photo())
    assert Photo.objects.count() == 2
