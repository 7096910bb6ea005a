"""Limits: nobody uses up what somebody else needs, and no stranger the machine's memory.

Callers are told apart by X-Forwarded-For behind a trusted proxy, as in production.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.test import Client

from catalog.models import Photo
from orders.models import Order
from orders.services import checkout, sent_pictures
from payments.models import PaymentIntent
from pimpshop.core import throttles
from tests.support import seed1
from tests.support.refusals import assert_refused
from tests.support.seed1 import Phone
from vending import views
from vending.api import machines as machines_api
from vending.api import sessions as sessions_api
from vending.services import sessions

NOISE, HONEST = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch):
    """Lower a limit of a module to `count`."""

    def lower(module: Any, name: str, count: int) -> None:
        limit = getattr(module, name)
        monkeypatch.setattr(module, name, throttles.Limit(limit.name, count, 3600))

    return lower


def at(address: str) -> Client:
    return Client(headers={"X-Forwarded-For": address})


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type=seed1.JSON)


def test_strangers_do_not_darken_a_machines_screen(shop, low) -> None:
    low(views, "SCREEN_PER_MACHINE", 3)
    codes = [at(NOISE).get("/m/CXYLOGD8OQUK/live/").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    assert at(HONEST).get("/m/CXYLOGD8OQUK/live/").status_code == 200


def test_the_real_screen_is_asked_every_two_seconds_and_far_from_its_limit() -> None:
    assert views.SCREEN_PER_MACHINE.count / views.SCREEN_PER_MACHINE.seconds >= 5


def test_strangers_do_not_use_up_a_machines_new_sessions(shop, low) -> None:
    low(sessions_api, "CREATE_PER_MACHINE", 2)
    body = {"machine_id": "CXYLOGD8OQUK"}
    codes = [post(at(NOISE), "/api/vending/create-session", body).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert post(at(HONEST), "/api/vending/create-session", body).status_code == 200


def test_one_address_takes_only_so_many_sessions_of_a_machine(shop, low) -> None:
    low(sessions_api, "CLAIM_PER_MACHINE", 2)
    phones = [shop.phone(client=at(NOISE)) for _ in range(3)] + [shop.phone(client=at(HONEST))]
    for phone in phones:
        phone.create()
    codes = [phone.register()[0] for phone in phones]
    assert codes == [200, 200, 429, 200]


def test_whoever_reads_the_code_does_not_block_the_one_who_pays(
    shop, phone: Phone, low, manufacturer
) -> None:
    low(sessions_api, "WRITE_PER_SESSION", 3)
    mine = sessions.create_session(machine=shop.machine, source="screen")
    token = sessions.claim(mine, needs_token=True, source="page")
    base = f"/api/vending/session/{mine.session_id}"
    for _ in range(5):
        assert_refused(post(at(HONEST), f"{base}/init-payment"), 403, "session_token_required")
    payer = Client(headers={"X-Forwarded-For": HONEST, "X-Session-Token": token})
    phone.session_id = mine.session_id
    assert post(payer, f"{base}/order-summary", phone.order()).status_code == 200
    assert post(payer, f"{base}/init-payment").status_code == 200


def test_a_bare_clients_session_is_not_blocked_from_another_address(shop, phone: Phone, low) -> None:
    low(sessions_api, "WRITE_PER_SESSION", 3)
    phone.client = at(HONEST)
    phone.create()
    assert phone.register()[0] == 200
    codes = [post(at(NOISE), f"{phone.base}/init-payment").status_code for _ in range(4)]
    assert codes == [400, 400, 400, 429]
    assert phone.summary()[0] == 200


def test_pictures_are_limited_per_address(shop, low) -> None:
    low(sessions_api, "SUMMARY_PER_MACHINE", 1)
    first, second, other = (shop.phone(client=at(who)) for who in (NOISE, NOISE, HONEST))
    for phone in (first, second, other):
        phone.create()
    assert (first.summary()[0], second.summary()[0], other.summary()[0]) == (200, 429, 200)


def test_a_session_has_ten_orders_and_then_its_last_one(phone: Phone, monkeypatch) -> None:
    monkeypatch.setattr(checkout, "MAX_ORDERS_PER_SESSION", 2)
    phone.create()
    pictures = [seed1.picture(600, 1200 + step) for step in range(3)]
    assert [phone.summary(designImage=one)[0] for one in pictures[:2]] == [200, 200]
    status, body = phone.summary(designImage=pictures[2])
    assert (status, body["code"]) == (409, "too_many_orders")
    assert (Order.objects.count(), Photo.objects.count()) == (2, 2)
    assert phone.summary(designImage=pictures[1])[0] == 200  # what it ordered last
    assert Order.objects.count() == 2
    assert not PaymentIntent.objects.exists()


def test_two_pictures_are_drawn_at_a_time(phone: Phone, monkeypatch) -> None:
    monkeypatch.setattr(sent_pictures, "WAIT_TO_DRAW", 0.05)
    phone.create()
    for _ in range(2):
        assert sent_pictures.DRAWN_AT_ONCE.acquire(timeout=1)
    try:
        answer = phone.client.post(f"{phone.base}/order-summary", phone.order(), content_type=seed1.JSON)
    finally:
        sent_pictures.DRAWN_AT_ONCE.release(2)
    assert_refused(answer, 503, "busy", "nothing was ordered")
    assert answer["Retry-After"] == "5"
    assert (Order.objects.count(), Photo.objects.count()) == (0, 0)
    assert phone.summary()[0] == 200


def test_a_refused_picture_gives_its_turn_back(phone: Phone) -> None:
    phone.create()
    for _ in range(3):
        assert phone.summary(designImage="data:image/png;base64,AAAA")[0] == 400
    assert phone.summary()[0] == 200


def test_who_waits_to_draw_gets_the_next_turn(phone: Phone, monkeypatch) -> None:
    phone.create()
    for _ in range(2):
        sent_pictures.DRAWN_AT_ONCE.acquire()
    timer = threading.Timer(0.3, sent_pictures.DRAWN_AT_ONCE.release, [2])
    monkeypatch.setattr(sent_pictures, "WAIT_TO_DRAW", 120)
    began = time.monotonic()
    timer.start()
    assert phone.summary()[0] == 200
    assert time.monotonic() - began > 0.25
    timer.join()


def test_payment_numbers_cannot_be_tried_out_without_end(db, low) -> None:
    low(machines_api, "PAYMENT_STATUS_PER_ADDRESS", 3)
    path = "/api/chinese/payment/PYEN250830540573/status"
    assert [at(NOISE).get(path).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert at(HONEST).get(path).status_code == 200


@pytest.mark.parametrize("path", ["/m/%00/", "/m/%00/live/", "/m/CXYLOGD8OQUK%00/"])
def test_an_address_with_a_nul_finds_no_machine(shop, path: str) -> None:
    assert Client(raise_request_exception=False).get(path).status_code == 404
