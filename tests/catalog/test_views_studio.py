"""The studio in front of a machine, as a phone uses it: with and without JavaScript, in its own session only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.models import Design, Photo
from catalog.services import designs
from catalog.views import doors
from pimpshop.core import ids
from tests import factories as make
from tests.support import images
from vending.models import VendingSession
from vending.services import sessions

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def session() -> VendingSession:
    """A session that a phone with the token "mine" has claimed."""
    return make.session(claim_hash=ids.hash_token("mine"), claim_needs_token=True)


@pytest.fixture
def phone(session: VendingSession) -> Client:
    return phone_with("mine", session)


def phone_with(token: str, session: VendingSession, **more: Any) -> Client:
    client = Client(**more)
    client.cookies[sessions.claim_cookie(session.session_id)] = token
    return client


@pytest.fixture
def shell(session: VendingSession):
    return make.sellable_shell()


def at(session: VendingSession, path: str = "") -> str:
    return f"/studio/s/{session.session_id}/{path}"


def upload(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("holiday.jpg", data or images.photo(1200, 1800), "image/jpeg")


def send_photo(phone: Client, session: VendingSession, data: bytes | None = None):
    return phone.post(at(session, "photo/"), {"photo_file": upload(data)}, headers=JSON)


def send_layout(phone: Client, session: VendingSession, shell: Any, items: Any = (), **more: Any):
    layout = {"version": 1, "template": None, "background": "#ffffff", "items": list(items)}
    body = {"shell": str(shell.pk), "layout": layout, "accept_low_resolution": False, **more}
    return phone.post(at(session, "layout/"), json.dumps(body), content_type="application/json")


def item(photo_id: str, width: float = 150) -> dict[str, Any]:
    return {
        "kind": "photo",
        "photo": photo_id,
        "slot": 0,
        "cx": 36.6,
        "cy": 74.6,
        "width": width,
        "rotation": 0,
    }


def test_a_photo_becomes_a_design_with_a_preview(phone: Client, session: VendingSession, shell: Any) -> None:
    taken = send_photo(phone, session)
    assert taken.status_code == 200
    photo = Photo.objects.get()
    assert taken.json() == {
        "id": str(photo.pk), "url": at(session, f"photo/{photo.pk}/"), "width_px": 1200, "height_px": 1800,
    }  # fmt: skip
    copy = phone.get(taken.json()["url"])
    assert (copy.status_code, copy["Content-Type"]) == (200, "image/jpeg")

    answer = send_layout(phone, session, shell, [item(str(photo.pk))])
    design = Design.objects.get()
    assert answer.json() == {
        "preview_url": at(session, f"preview.png?w=600&v={design.layout_hash[:12]}-{shell.pk}"),
        "warnings": [],
        "low_resolution": False,
        "layout_hash": design.layout_hash,
        "price": "£19.99",
    }
    assert (design.owner, design.shell) == (f"session:{session.session_id}", shell)
    session.refresh_from_db()
    assert (session.design, session.status, session.user_progress) == (design, "designing", "designing")

    preview = phone.get(answer.json()["preview_url"], headers={"accept": "image/webp,*/*"})
    assert (preview.status_code, preview["Content-Type"]) == (200, "image/webp")
    assert preview["Cache-Control"] == "private, max-age=3600"
    again = phone.get(
        answer.json()["preview_url"], headers={"accept": "image/webp,*/*", "if-none-match": preview["ETag"]}
    )
    assert again.status_code == 304
    plain = phone.get(at(session, "preview.png?w=64"))
    assert (plain["Content-Type"], plain["Cache-Control"], plain.content[:4]) == (
        "image/png",
        "private, no-cache",
        b"\x89PNG",
    )


def test_without_javascript_the_form_does_the_same(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    chosen = {"brand": shell.model.brand_id, "model": shell.model_id, "shell": shell.pk}
    page = phone.post(at(session), {**chosen, "photo_file": upload(), "action": "photo"})
    assert page.status_code == 200
    design = Design.objects.get()
    # the photo fills the case with its bleed: 153.27 mm high, two thirds of that wide
    assert design.layout["items"] == [
        {"kind": "photo", "photo": str(Photo.objects.get().pk), "slot": 0, "cx": 36.62, "cy": 74.635,
         "width": 102.18, "rotation": 0.0}
    ]  # fmt: skip
    assert page.context["design"]["photo_width"] == 102.18
    posted = {
        **chosen, "photo": design.layout["items"][0]["photo"], "photo_cx": "36.62", "photo_cy": "70", "photo_width": "110",
        "photo_rotation": "-90", "text": "Hello 你好", "text_font": "chinese", "text_color": "#E11D48", "action": "continue",
    }  # fmt: skip
    answer = phone.post(at(session), posted)
    assert (answer.status_code, answer["Location"]) == (302, at(session, "summary/"))
    design.refresh_from_db()
    photo_item, text_item = design.layout["items"]
    assert (photo_item["cy"], photo_item["width"], photo_item["rotation"]) == (70.0, 110.0, 270.0)
    assert text_item == {
        "kind": "text", "text": "Hello 你好", "font": "chinese", "cx": 36.62, "cy": 128.372, "size": 8.0, "color": "#e11d48",
        "rotation": 0.0,
    }  # fmt: skip
    page = phone.get(at(session))
    assert page.context["design"]["text"] == "Hello 你好"
    assert page.context["photo"]["id"] == photo_item["photo"]
    assert [s["selected"] for s in page.context["shells"]] == [True]


def test_continue_says_what_is_missing(phone: Client, session: VendingSession, shell: Any) -> None:
    page = phone.post(at(session), {"action": "continue"})
    assert (page.status_code, page.context["errors"]) == (
        400,
        ["Please choose your phone and the colour of the case."],
    )
    assert Design.objects.count() == 0
    page = phone.post(at(session), {"shell": shell.pk, "action": "continue"})
    assert page.context["errors"] == ["This case would stay blank. Please choose a photo or write something."]
    chosen = {"shell": shell.pk, "photo_file": upload(images.photo(300, 450)), "action": "continue"}
    page = phone.post(at(session), chosen)
    assert page.context["errors"] == [str(designs.LowResolutionNotAccepted.message)]
    assert (page.context["low_resolution"], page.context["accepted"]) == (True, False)
    accepted = {
        "shell": shell.pk,
        "photo": Photo.objects.get().pk,
        "action": "continue",
        "accept_low_resolution": "1",
    }
    assert phone.post(at(session), accepted).status_code == 302
    assert Design.objects.get().low_resolution_accepted_at is not None


def test_a_wrong_field_is_named_and_the_rest_is_kept(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    page = phone.post(
        at(session), {"shell": shell.pk, "text": "x" * 41, "photo_width": "nan", "action": "preview"}
    )
    assert page.status_code == 400
    assert [text.split(":")[0] for text in page.context["errors"]] == ["Photo width", "Your words"]
    assert [s["selected"] for s in page.context["shells"]] == [True]
    assert Design.objects.count() == 0


def test_a_layout_that_is_refused_stays_on_the_page(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    emoji = {"kind": "text", "text": "Hi 😀", "cx": 9, "cy": 9, "size": 8}
    layout = json.dumps({"version": 1, "template": None, "background": "#ffffff", "items": [emoji]})
    page = phone.post(at(session), {"shell": shell.pk, "layout": layout, "action": "continue"})
    assert (page.status_code, page.context["errors"]) == (
        400,
        ["Emoji cannot be printed. Please take out “😀”."],
    )
    assert page.context["layout"] == layout
    assert Design.objects.count() == 0


# --- Only what this machine has ----------------------------------------------------------------------------------------
def test_only_shells_in_stock_can_be_chosen(phone: Client, session: VendingSession, shell: Any) -> None:
    gone = make.shell(model=shell.model)
    make.stock(session.machine, shell, 2)
    make.stock(session.machine, gone, 0)
    type(session.machine).objects.filter(pk=session.machine.pk).update(stock_synced_at=session.created_at)
    page = phone.get(at(session, f"phone/?brand={shell.model.brand_id}&model={shell.model_id}"))
    assert sorted((int(s["id"]), s["in_stock"], s["selected"]) for s in page.context["shells"]) == [
        (shell.pk, True, True), (gone.pk, False, False),
    ]  # fmt: skip
    answer = send_layout(phone, session, gone)
    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    page = phone.post(at(session), {"shell": gone.pk, "action": "preview"})
    assert page.status_code == 409
    assert Design.objects.count() == 0


def test_without_stock_data_nothing_is_refused(phone: Client, session: VendingSession, shell: Any) -> None:
    assert send_layout(phone, session, shell).status_code == 200


def test_what_has_no_price_here_is_not_offered(phone: Client, session: VendingSession, shell: Any) -> None:
    dollars = make.sellable_shell(currency="USD")
    assert [b["name"] for b in phone.get(at(session)).context["brands"]] == [shell.model.brand.name]
    answer = send_layout(phone, session, dollars)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sold")


# --- Whose it is -------------------------------------------------------------------------------------------------------
DOORS = [
    ("get", ""), ("post", ""), ("get", "phone/"), ("post", "photo/"), ("get", "photo/{photo}/"), ("post", "layout/"),
    ("get", "preview.png"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("token", ["", "theirs"])
def test_another_phone_gets_nothing(
    session: VendingSession, shell: Any, method: str, path: str, token: str
) -> None:
    mine = send_photo(phone_with("mine", session), session).json()["id"]
    send_layout(phone_with("mine", session), session, shell, [item(mine)])
    before = Design.objects.values().get()
    stranger = phone_with(token, session)
    data = (
        {"photo_file": upload()}
        if path == "photo/"
        else {"shell": shell.pk, "text": "mine now", "action": "preview"}
    )
    answer = getattr(stranger, method)(at(session, path.format(photo=mine)), data if method == "post" else {})
    assert answer.status_code == 403
    assert (Design.objects.values().get(), Photo.objects.count()) == (before, 1)


def test_the_photo_of_another_session_is_not_found(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    other = make.session(claim_hash=ids.hash_token("theirs"), claim_needs_token=True)
    theirs = send_photo(phone_with("theirs", other), other).json()["id"]
    assert phone.get(at(session, f"photo/{theirs}/")).status_code == 404
    assert send_layout(phone, session, shell, [item(theirs)]).status_code == 404
    page = phone.post(at(session), {"shell": shell.pk, "photo": theirs, "action": "preview"})
    assert page.status_code == 404
    assert theirs not in page.content.decode()
    assert Design.objects.count() == 0


@pytest.mark.parametrize(("state", "status"), [("expired", 410), ("cancelled", 410)])
def test_a_session_that_ended_says_so(
    phone: Client, session: VendingSession, shell: Any, state: str, status: int
) -> None:
    VendingSession.objects.filter(pk=session.pk).update(status=state)
    answer = send_layout(phone, session, shell)
    assert (answer.status_code, answer.json()["code"]) == (status, "session_expired")
    assert phone.get(at(session)).status_code == status
    assert Design.objects.count() == 0


def test_after_the_payment_started_nothing_changes(
    phone: Client, session: VendingSession, shell: Any
) -> None:
    send_layout(phone, session, shell)
    before = Design.objects.values().get()
    VendingSession.objects.filter(pk=session.pk).update(status="payment_pending")
    assert phone.get(at(session))["Location"] == at(session, "summary/")
    answer = send_layout(phone, session, shell, [{"kind": "text", "text": "Hi", "cx": 9, "cy": 9, "size": 8}])
    assert (answer.status_code, answer.json()["code"]) == (409, "order_summary_differs")
    assert send_photo(phone, session).status_code == 409
    assert (Design.objects.values().get(), Photo.objects.count()) == (before, 0)


def test_unknown_and_malformed_sessions(phone: Client) -> None:
    assert phone.get("/studio/s/VM_X_20250101_101010_0000ABCD/").status_code == 404
    assert phone.get("/studio/s/nonsense/").status_code == 400


# --- Limits ------------------------------------------------------------------------------------------------------------
def test_every_post_needs_the_csrf_token(session: VendingSession, shell: Any) -> None:
    phone = phone_with("mine", session, enforce_csrf_checks=True)
    assert send_photo(phone, session).status_code == 403
    assert send_layout(phone, session, shell).status_code == 403
    assert phone.post(at(session), {"shell": shell.pk}).status_code == 403
    assert (Photo.objects.count(), Design.objects.count()) == (0, 0)
    phone.get(at(session))
    token = phone.cookies["csrftoken"].value
    answer = phone.post(
        at(session, "photo/"), {"photo_file": upload()}, headers={**JSON, "x-csrftoken": token}
    )
    assert answer.status_code == 200


def test_a_large_upload_is_refused_by_its_length_before_anything_is_read(
    phone: Client, session: VendingSession
) -> None:
    class Untouched:
        def read(self, *_args: object) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    answer = phone.generic(
        "POST", at(session, "photo/"), b"", content_type="multipart/form-data; boundary=x", headers=JSON,
        CONTENT_LENGTH=str(22 * 1024 * 1024), **{"wsgi.input": Untouched()},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_what_is_read_is_counted_too(phone: Client, session: VendingSession, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 50_000
    answer = send_photo(phone, session, b"\xff\xd8\xff" + b"0" * 60_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert Photo.objects.count() == 0


def test_a_post_without_a_length_is_refused(phone: Client, session: VendingSession) -> None:
    answer = phone.generic(
        "POST", at(session, "layout/"), b"{}", content_type="application/json", CONTENT_LENGTH=""
    )
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b" ", "layout_bad_json"),
        (b"[]", "shell_unknown"),
        (b"{}", "shell_unknown"),
        (b'{"shell": true}', "shell_unknown"),
        (b'{"shell": "1", "shell": "2"}', "layout_duplicate_key"),
        (b'{"shell": NaN}', "layout_not_a_number"),
        (b"\xff", "layout_bad_json"),
    ],
)
def test_a_body_that_is_no_layout(
    phone: Client, session: VendingSession, shell: Any, body: bytes, code: str
) -> None:
    answer = phone.post(at(session, "layout/"), body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert Design.objects.count() == 0


@pytest.mark.parametrize("layout", [None, [], "x", 1, {"version": 1}])
def test_a_layout_of_another_shape(phone: Client, session: VendingSession, shell: Any, layout: Any) -> None:
    answer = send_layout(phone, session, shell, layout=layout)
    assert (answer.status_code, answer.json()["code"][:7]) == (400, "layout_")
    assert Design.objects.count() == 0


@pytest.mark.parametrize("width", ["31", "1201", "x", "-64", "6e2", "٦٤", "9" * 30])
def test_a_preview_has_sensible_widths(
    phone: Client, session: VendingSession, shell: Any, width: str
) -> None:
    send_layout(phone, session, shell)
    assert phone.get(at(session, f"preview.png?w={width}")).status_code == 400


def test_without_a_design_there_is_no_preview(phone: Client, session: VendingSession) -> None:
    assert phone.get(at(session, "preview.png")).status_code == 404


def test_uploads_are_limited_per_session(
    phone: Client, session: VendingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "UPLOAD_PER_SESSION", doors.throttles.Limit("studio-upload", 1, 600))
    assert send_photo(phone, session).status_code == 200
    answer = send_photo(phone, session)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 600
    assert Photo.objects.count() == 1


def test_a_photo_that_is_none_is_refused_in_words(phone: Client, session: VendingSession, shell: Any) -> None:
    answer = send_photo(phone, session, b"GIF89a" + b"0" * 100)
    assert answer.status_code == 400
    assert (
        answer.json()["detail"]
        == "This file is not a photo that we can read. Please use JPEG, PNG, WebP or HEIC."
    )
    page = phone.post(at(session), {"shell": shell.pk, "photo_file": upload(b"GIF89a"), "action": "photo"})
    assert (page.status_code, page.context["errors"]) == (400, [answer.json()["detail"]])
    nothing = phone.post(at(session, "photo/"), {}, headers=JSON)
    assert (nothing.status_code, nothing.json()["code"]) == (400, "photo_missing")
    assert Photo.objects.count() == 0
