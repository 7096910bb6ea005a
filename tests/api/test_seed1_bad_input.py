"""Bad input at each of seed 1's session endpoints: a clear error in the seed's shape, and nothing changes.

`nothing_changes` compares every row of every table before and after, and what the manufacturer was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.flows.conftest import Shop
from tests.support import seed1
from tests.support.refusals import BROKEN, NO_TEXT, assert_refused
from tests.support.seed1 import Phone
from vending.services import sessions

CREATE = "/api/vending/create-session"
Remember = Callable[[], None]


def send(phone: Phone, path: str, body: Any, content_type: str = seed1.JSON, **headers: str) -> Any:
    return phone.client.post(path, body, content_type=content_type, headers=headers)


@pytest.fixture
def session(phone: Phone) -> Phone:
    """A phone with a fresh session that nobody registered."""
    phone.create()
    return phone


# --- bodies that no endpoint takes ------------------------------------------------------------------------------------
@pytest.mark.parametrize("why", BROKEN)
@pytest.mark.parametrize("endpoint", ["create-session", "register-user", "order-summary"])
def test_broken_bodies(session: Phone, endpoint: str, why: str, nothing_changes: Remember) -> None:
    body, content_type, status = BROKEN[why]
    path = CREATE if endpoint == "create-session" else f"{session.base}/{endpoint}"
    nothing_changes()
    assert_refused(send(session, path, body, content_type), status)


@pytest.mark.parametrize("endpoint", ["create-session", "register-user"])
def test_small_endpoints_take_small_bodies(session: Phone, endpoint: str, nothing_changes: Remember) -> None:
    """28 MB are for a picture in order-summary only."""
    path = CREATE if endpoint == "create-session" else f"{session.base}/{endpoint}"
    nothing_changes()
    told = {"machine_id": session.machine_id, "session_id": session.session_id, "x": "y" * 300_000}
    assert_refused(send(session, path, told), 413, "too_large")


# --- create-session ---------------------------------------------------------------------------------------------------
MINUTES: list[Any] = [0, 4, 61, -30, 10**9, 10**30, "30", "thirty", 30.5, True, None, [30], {"minutes": 30}]


@pytest.mark.parametrize("machine_id", [None, "", " ", *NO_TEXT])
def test_create_session_needs_a_machine(shop: Shop, phone: Phone, machine_id: Any, nothing_changes) -> None:
    nothing_changes()
    body = assert_refused(send(phone, CREATE, {"machine_id": machine_id}), 400, "invalid_request")
    assert list(body["fields"]) == ["machine_id"]


@pytest.mark.parametrize(
    "machine_id", ["NOBODY", "cxylogd8oquk", "CXYLOGD8OQUK_1", "CXYLOGD8OQUK'--", "机器"]
)
def test_create_session_knows_its_machines(phone: Phone, machine_id: str, nothing_changes: Remember) -> None:
    nothing_changes()
    assert_refused(send(phone, CREATE, {"machine_id": machine_id}), 404, "machine_not_found")


def test_create_session_at_a_machine_out_of_use(shop: Shop, phone: Phone, nothing_changes: Remember) -> None:
    factories.machine(machine_id="OLD", is_active=False)
    nothing_changes()
    assert_refused(send(phone, CREATE, {"machine_id": "OLD"}), 404, "machine_not_found")


@pytest.mark.parametrize("minutes", MINUTES)
def test_create_session_minutes(phone: Phone, minutes: Any, nothing_changes: Remember) -> None:
    nothing_changes()
    told = {"machine_id": phone.machine_id, "session_timeout_minutes": minutes}
    body = assert_refused(send(phone, CREATE, told), 400, "invalid_request")
    assert list(body["fields"]) == ["session_timeout_minutes"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("machine_id", "x" * 61), ("location", "x" * 201), ("lang", "x" * 17)]
    + [(field, value) for field in ("location", "lang") for value in (*NO_TEXT, None)],
)
def test_create_session_fields(phone: Phone, field: str, value: Any, nothing_changes: Remember) -> None:
    nothing_changes()
    body = assert_refused(send(phone, CREATE, {"machine_id": phone.machine_id, field: value}), 400)
    assert list(body["fields"]) == [field]


# --- the session in the address ---------------------------------------------------------------------------------------
ID = "CXYLOGD8OQUK_20250830_075329_A2440143"
MALFORMED = [
    f"{ID}%3Fqr=true", f"{ID}&lang=en", f"{ID}%26machine_id=CXYLOGD8OQUK", ID.lower(), ID.replace("_", "-"),
    ID.replace("_A2440143", "_a2440143"), "CXYLOGD8OQUK_2025083_075329_A2440143", "CXYLOGD8OQUK_20250830_07532_A2440143",
    "CXYLOGD8OQUK_20250830_075329_A244014", "CXYLOGD8OQUK_20250830_075329_A24401433", "20250830_075329_A2440143",
    "x", "%20", f"{ID}%00", f"{ID}%0A", f"%20{ID}", "%ff%fe", "x" * 4000, "..%2f..%2fetc", f"{ID}%2F", "null",
    "undefined", "机器_20250830_075329_A2440143", "CXYLOGD8OQUK_２0250830_075329_A2440143", "'%20OR%201=1",
]  # fmt: skip
DOORS = [
    ("post", "/register-user"), ("post", "/order-summary"), ("post", "/init-payment"), ("get", "/status"),
    ("get", "/order-info"), ("get", "/health"), ("post", "/cancel"), ("delete", ""),
]  # fmt: skip


def call(client: Client, method: str, path: str, **headers: str) -> Any:
    if method == "post":
        return client.post(path, {}, content_type=seed1.JSON, headers=headers)
    return getattr(client, method)(path, headers=headers)


@pytest.mark.parametrize(("method", "tail"), DOORS, ids=[tail or "delete" for _method, tail in DOORS])
def test_what_partners_get_wrong_in_a_session_id(
    phone: Phone, method: str, tail: str, nothing_changes: Remember
) -> None:
    nothing_changes()
    for wrong in MALFORMED:
        answer = call(phone.client, method, f"/api/vending/session/{wrong}{tail}")
        if "%2" in wrong and answer.status_code == 404:  # an escaped slash is another address
            assert_refused(answer, 404)
            continue
        assert_refused(answer, 400, "session_id_malformed", "without the query string")


@pytest.mark.parametrize(("method", "tail"), DOORS, ids=[tail or "delete" for _method, tail in DOORS])
def test_an_unknown_session(phone: Phone, method: str, tail: str, nothing_changes: Remember) -> None:
    nothing_changes()
    answer = call(phone.client, method, f"/api/vending/session/{ID}{tail}")
    assert_refused(answer, 404, "session_not_found", "Session not found")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_query_string_glued_on_with_its_question_mark(
    session: Phone, method: str, nothing_changes: Remember
) -> None:
    """…_A2440143?qr=true/status is the session's own address with a strange query."""
    nothing_changes()
    answer = call(session.client, method, f"{session.base}?qr=true&machine_id=CXYLOGD8OQUK/status")
    assert_refused(answer, 400, "session_id_malformed", "without the query string")


WRONG_METHODS = [
    ("get", "/register-user"), ("get", "/order-summary"), ("get", "/init-payment"), ("get", "/cancel"), ("post", "/status"),
    ("post", "/order-info"), ("post", "/health"), ("delete", "/status"), ("put", "/order-summary"), ("get", ""), ("post", ""),
    ("patch", "/init-payment"), ("delete", "/init-payment"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "tail"), WRONG_METHODS)
def test_wrong_methods(session: Phone, method: str, tail: str, nothing_changes: Remember) -> None:
    nothing_changes()
    answer = getattr(session.client, method)(f"{session.base}{tail}")
    assert_refused(answer, 405, "method_not_allowed")
    assert answer["Allow"]


@pytest.mark.parametrize("path", [CREATE + "/x", "/api/vending/", "/api/vending/session/", "/api/chinese/x"])
def test_addresses_that_do_not_exist(phone: Phone, path: str, nothing_changes: Remember) -> None:
    nothing_changes()
    for method in ("get", "post", "delete"):
        assert_refused(call(phone.client, method, path), 404, "not_found")


def test_get_where_post_creates(phone: Phone, nothing_changes: Remember) -> None:
    nothing_changes()
    assert_refused(phone.client.get(CREATE), 405, "method_not_allowed")


# --- register-user ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("field", ["machine_id", "session_id"])
@pytest.mark.parametrize("value", [None, "", "x" * 200, *NO_TEXT], ids=repr)
def test_register_user_fields(session: Phone, field: str, value: Any, nothing_changes: Remember) -> None:
    nothing_changes()
    told = {"machine_id": session.machine_id, "session_id": session.session_id, field: value}
    body = assert_refused(send(session, f"{session.base}/register-user", told), 400, "invalid_request")
    assert list(body["fields"]) == [field]
    del told[field]
    assert_refused(send(session, f"{session.base}/register-user", told), 400, "invalid_request")


def test_register_user_at_another_machine(shop: Shop, session: Phone, nothing_changes: Remember) -> None:
    factories.machine(machine_id="VM_TEST_MANUFACTURER")
    nothing_changes()
    for machine_id in ("VM_TEST_MANUFACTURER", "NOBODY", "cxylogd8oquk"):
        told = {"machine_id": machine_id, "session_id": session.session_id}
        assert_refused(send(session, f"{session.base}/register-user", told), 400, "machine_mismatch")


def test_register_user_with_another_session_in_the_body(shop: Shop, session: Phone, nothing_changes) -> None:
    other = shop.phone()
    other.create()
    nothing_changes()
    for wrong in (other.session_id, session.session_id + "?qr=true", session.session_id.lower()):
        told = {"machine_id": session.machine_id, "session_id": wrong}
        answer = send(session, f"{session.base}/register-user", told)
        assert_refused(answer, 400, "session_id_malformed", "in the address")


# --- other people's sessions ------------------------------------------------------------------------------------------
def claimed_by_page(shop: Shop, phone: Phone) -> Client:
    """The browser that pressed the landing page's button; `phone` knows the session's id, not its token."""
    browser = Client()
    phone.session_id = sessions.create_session(machine=shop.machine, source="screen").session_id
    assert browser.post(f"/start/{phone.session_id}/").status_code == 302
    return browser


@pytest.mark.parametrize("token", ["", "wrong", "another phone's", "ünïcode"])
@pytest.mark.parametrize("tail", ["/order-summary", "/init-payment", "/order-info", "/cancel", ""])
def test_a_session_that_a_page_claimed_needs_its_token(
    shop: Shop, phone: Phone, token: str, tail: str, nothing_changes: Remember
) -> None:
    page = claimed_by_page(shop, phone)
    other = shop.phone()
    other.create()
    _status, told = other.register()
    token = told["session_token"] if token == "another phone's" else token
    method = {"/order-info": "get", "": "delete"}.get(tail, "post")
    nothing_changes()
    # Header bytes as a server would hand them over.
    answer = call(
        Client(), method, f"{phone.base}{tail}", **({"X-Session-Token": token} if token.isascii() else {})
    )
    assert_refused(answer, 403, "session_token_required")
    stranger = Client()
    for name in page.cookies:
        stranger.cookies[name] = token
    assert_refused(call(stranger, method, f"{phone.base}{tail}"), 403, "session_token_required")


@pytest.mark.parametrize("how", ["cookie", "header"])
def test_the_phone_that_claimed_it_by_our_page_may_use_the_api(shop: Shop, phone: Phone, how: str) -> None:
    page = claimed_by_page(shop, phone)
    [cookie] = page.cookies.values()
    if how == "cookie":
        phone.client = page
    headers = {"X-Session-Token": cookie.value} if how == "header" else {}
    assert phone.post(f"{phone.base}/order-summary", phone.order(), **headers)[0] == 200
    assert phone.get(f"{phone.base}/order-info", **headers)[1]["amount"] == 19.99
    assert Client().get(f"{phone.base}/status").status_code == 200  # open to all: it shows no design


@pytest.mark.parametrize("machine_id", ["%00", "NOBODY", "%ff", "..%2f", "x" * 3000])
def test_screens_of_no_machine(phone: Phone, machine_id: str, nothing_changes: Remember) -> None:
    nothing_changes()
    for tail in ("", "live/"):
        assert phone.client.get(f"/m/{machine_id}/{tail}").status_code == 404


def test_the_second_phone_cannot_take_a_session(shop: Shop, session: Phone, nothing_changes) -> None:
    session.register()
    second = shop.phone(session_id=session.session_id)
    nothing_changes()
    told = {"machine_id": session.machine_id, "session_id": session.session_id}
    for headers in ({}, {"X-Session-Token": "guessed"}):
        answer = send(second, f"{session.base}/register-user", told, **headers)
        assert_refused(answer, 409, "session_taken")
        assert not answer.cookies


# --- init-payment -----------------------------------------------------------------------------------------------------
def test_init_payment_before_order_summary(session: Phone, nothing_changes: Remember) -> None:
    session.register()
    nothing_changes()
    answer = send(session, f"{session.base}/init-payment", {})
    assert_refused(answer, 400, "order_summary_missing", "order summary")
