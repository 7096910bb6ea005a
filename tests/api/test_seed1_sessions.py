"""Seed 1's session endpoints, field by field: what is asked, what is answered, with exact values and types."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from orders.models import Order, OrderLine
from payments.models import PaymentIntent
from pimpshop.core import ids
from tests import factories
from tests.flows.conftest import Shop
from tests.support import seed1
from tests.support.manufacturer import Manufacturer
from tests.support.seed1 import Phone
from vending.models import PrintJob, VendingSession
from vending.services import sessions

MORNING = datetime(2025, 8, 30, 7, 53, 29, tzinfo=UTC)
CREATED = {"machine_id": "CXYLOGD8OQUK", "location": "Shopping Mall A", "session_timeout_minutes": 32}


@pytest.fixture
def morning():
    with time_machine.travel(MORNING, tick=False) as clock:
        yield clock


def test_create_session(phone: Phone, morning) -> None:
    """The seed's own numbers: 07:53:29 to 08:25:29."""
    status, body = phone.post("/api/vending/create-session", CREATED)
    session_id = body["session_id"]
    assert status == 200
    assert re.fullmatch(r"CXYLOGD8OQUK_20250830_075329_[0-9A-F]{8}", session_id)
    assert body == {
        "success": True,
        "session_id": session_id,
        "qr_url": f"http://127.0.0.1:8000/?qr=true&machine_id=CXYLOGD8OQUK&session_id={session_id}",
        "expires_at": "2025-08-30T08:25:29Z",
    }
    session = VendingSession.objects.get()
    assert (session.status, session.user_progress, session.location) == (
        "active",
        "started",
        "Shopping Mall A",
    )
    assert session.expires_at == MORNING + timedelta(minutes=32)


def test_create_session_with_what_is_optional_left_out(phone: Phone, morning) -> None:
    status, body = phone.create()
    assert status == 200
    assert body["expires_at"] == "2025-08-30T08:23:29Z"  # 30 minutes
    assert VendingSession.objects.get().location == "Shopping Mall A"  # the machine's own


def test_create_session_in_chinese_says_so_in_the_code(phone: Phone) -> None:
    _status, body = phone.create(lang="zh")
    assert body["qr_url"].endswith(f"session_id={body['session_id']}&lang=zh-hans")


@pytest.mark.parametrize("machine_id", ["VM_TEST_MANUFACTURER", "A", "1_2_3"])
def test_a_machine_id_may_contain_underscores_and_look_like_a_test(shop: Shop, machine_id: str) -> None:
    """Mistake 9: real ids refused as "test values"."""
    factories.machine(machine_id=machine_id)
    phone = shop.phone(machine_id=machine_id)
    assert phone.create()[0] == 200
    status, body = phone.register()
    assert (status, body["machine_info"]["id"]) == (200, machine_id)


def test_register_user(phone: Phone, morning) -> None:
    phone.create(session_timeout_minutes=32, location="Level 2")
    status, body = phone.register()
    token = body["session_token"]
    assert status == 200
    assert body == {
        "success": True,
        "session_id": phone.session_id,
        "machine_info": {"id": "CXYLOGD8OQUK", "name": "Mall", "location": "Level 2"},
        "expires_at": "2025-08-30T08:25:29Z",
        "user_progress": "qr_scanned",
        "session_token": token,
    }
    cookie = phone.client.cookies[sessions.claim_cookie(phone.session_id)]
    assert cookie.value == token
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    session = VendingSession.objects.get()
    assert session.claim_hash == ids.hash_token(token)  # never the token itself
    assert session.claim_needs_token is False


def test_register_user_again_by_cookie_or_header_is_the_same_phone(phone: Phone) -> None:
    phone.create()
    _status, first = phone.register()
    assert phone.register() == (200, first)
    phone.client.cookies.clear()
    told = {"machine_id": phone.machine_id, "session_id": phone.session_id}
    again = phone.post(f"{phone.base}/register-user", told, **{"X-Session-Token": first["session_token"]})
    assert again == (200, first)


def test_order_summary_flat(shop: Shop, phone: Phone) -> None:
    """The seed's example, word for word but for the picture."""
    phone.create()
    phone.register()
    status, body = phone.summary(
        brand="iphone",
        brand_id="BR20250111000002",
        model="iPhone 15 Pro",
        finalImagePublicUrl="https://example.com/final-design.png",
    )
    assert status == 200
    assert body == {
        "success": True,
        "message": "Order summary received",
        "session_id": phone.session_id,
        "payment_amount": 19.99,
        "currency": "GBP",
        "status": "designing",
    }
    order = Order.objects.get()
    assert (order.status, order.total_minor, order.currency) == ("pending", 1999, "GBP")
    assert (order.machine_id, order.session_id) == ("CXYLOGD8OQUK", phone.session_id)
    said = OrderLine.objects.get().snapshot
    assert (said["mobile_model_id"], said["mobile_shell_id"]) == ("MM020250224000010", "MS102503270003")
    assert (said["brand"], said["model"], said["colour"]) == ("iphone", "iPhone 15 Pro", "Natural Titanium")


def test_order_summary_nested_is_the_same_order(phone: Phone) -> None:
    phone.create()
    phone.register()
    flat = phone.order(currency="GBP")
    inner = {key: value for key, value in flat.items() if key not in ("price", "currency")}
    nested = {"session_id": phone.session_id, "order_data": inner, "payment_amount": 19.99, "currency": "GBP"}
    first = phone.post(f"{phone.base}/order-summary", nested)
    assert first[0] == 200
    assert first[1]["payment_amount"] == 19.99
    assert phone.post(f"{phone.base}/order-summary", flat) == first
    assert Order.objects.count() == 1


def test_the_price_is_a_json_number_on_the_wire(phone: Phone) -> None:
    phone.create()
    answer = phone.client.post(f"{phone.base}/order-summary", phone.order(), content_type=seed1.JSON)
    assert b'"payment_amount":19.99,' in answer.content
    answer = phone.client.get(f"{phone.base}/status")
    assert b'"payment_amount":19.99,' in answer.content


@pytest.mark.parametrize("price", [19.99, "19.99", "19.990", None])
def test_prices_that_say_what_the_case_costs(phone: Phone, price: object) -> None:
    phone.create()
    status, body = phone.summary(price=price)
    assert (status, body["payment_amount"]) == (200, 19.99)


def test_init_payment(phone: Phone, manufacturer: Manufacturer, morning) -> None:
    phone.ordered()
    status, body = phone.init()
    third_id = body["third_id"]
    assert status == 200
    assert re.fullmatch(r"PYEN250830\d{6}", third_id)
    assert body == {
        "success": True,
        "message": "Vending machine payment initialized - complete payment on machine",
        "session_id": phone.session_id,
        "third_id": third_id,
        "payment_amount": 19.99,
        "currency": "GBP",
        "chinese_payment_id": "MSPY10000000000000001",
        "status": "awaiting_payment",
        "instructions": "Complete payment on vending machine to receive order confirmation",
    }
    assert manufacturer.bodies("order/payData") == [
        {
            "mobile_model_id": "MM020250224000010",
            "device_id": "CXYLOGD8OQUK",
            "third_id": third_id,
            "pay_amount": 19.99,
            "pay_type": 5,
        }
    ]


def test_the_second_init_payment_answers_the_first(phone: Phone, manufacturer: Manufacturer) -> None:
    phone.ordered()
    assert phone.init() == phone.init()
    assert len(manufacturer.bodies("order/payData")) == 1
    assert PaymentIntent.objects.count() == 1


def test_init_payment_needs_no_body(phone: Phone, manufacturer: Manufacturer) -> None:
    phone.ordered()
    answer = phone.client.post(f"{phone.base}/init-payment")
    assert (answer.status_code, answer.json()["status"]) == (200, "awaiting_payment")


def test_status_before_and_after(phone: Phone, manufacturer: Manufacturer) -> None:
    third_id = phone.asked_to_pay()
    seed = {
        "session_id": phone.session_id,
        "status": "payment_pending",
        "user_progress": "payment_pending",
        "payment_amount": 19.99,
        "instructions": "Complete payment on vending machine",
        "chinese_payment_id": "MSPY10000000000000001",
    }
    status, body = phone.status()
    assert status == 200
    assert {key: body[key] for key in seed} == seed
    assert set(body) - set(seed) == {"currency", "expires_at", "next_poll_ms", "third_id"}
    assert body["third_id"] == third_id

    seed1.paid(third_id, manufacturer)
    job = PrintJob.objects.get()
    seed = {
        "session_id": phone.session_id,
        "status": "payment_completed",
        "user_progress": "order_submitted",
        "payment_amount": 19.99,
        "queue_number": manufacturer.queue[job.third_order_id],
        "order_status": "queued",
        "chinese_order_id": "MSOR000000000001",
    }
    status, body = phone.status()
    assert status == 200
    assert {key: body[key] for key in seed} == seed
    manufacturer.orders[job.third_order_id] = 11
    seed1.work(looks=True)
    assert phone.status()[1]["order_status"] == "printing"  # the seed's word


def test_status_of_a_fresh_session(phone: Phone, morning) -> None:
    phone.create()
    assert phone.status() == (
        200,
        {
            "session_id": phone.session_id,
            "status": "active",
            "user_progress": "started",
            "payment_amount": None,
            "currency": "GBP",
            "expires_at": "2025-08-30T08:23:29Z",
            "next_poll_ms": 5000,
        },
    )


def test_order_info(phone: Phone) -> None:
    phone.create()
    empty = phone.get(f"{phone.base}/order-info")
    assert empty[0] == 200
    assert (empty[1]["brand"], empty[1]["amount"], empty[1]["status"]) == (None, None, "active")
    phone.register()
    phone.summary()
    assert phone.get(f"{phone.base}/order-info") == (
        200,
        {
            "success": True,
            "session_id": phone.session_id,
            "brand": "iphone",
            "model": "iPhone 15 Pro",
            "color": "Natural Titanium",
            "template": "classic",
            "amount": 19.99,
            "currency": "GBP",
            "status": "designing",
        },
    )


def test_health(shop: Shop, phone: Phone, morning) -> None:
    phone.create()
    well = {
        "success": True,
        "session_id": phone.session_id,
        "healthy": True,
        "status": "active",
        "user_progress": "started",
        "expires_at": "2025-08-30T08:23:29Z",
        "machine_ready": True,
        "machine_reason": None,
    }
    assert phone.get(f"{phone.base}/health") == (200, well)
    type(shop.machine).objects.update(maintenance=True)
    ill = {**well, "healthy": False, "machine_ready": False, "machine_reason": "maintenance"}
    assert phone.get(f"{phone.base}/health") == (200, ill)


@pytest.mark.parametrize("how", ["delete", "cancel"])
def test_a_session_is_cancelled(phone: Phone, how: str) -> None:
    phone.create()
    answer = phone.client.delete(phone.base) if how == "delete" else phone.client.post(f"{phone.base}/cancel")
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "session_id": phone.session_id, "status": "cancelled"}
    assert VendingSession.objects.get().status == "cancelled"
    assert phone.status()[0] == 410


def test_every_answer_has_a_request_id(phone: Phone) -> None:
    phone.create()
    mine = phone.client.get(f"{phone.base}/status", headers={"X-Request-ID": "from-the-screen-1"})
    assert mine["X-Request-ID"] == "from-the-screen-1"
    assert re.fullmatch(r"[0-9a-f]{32}", phone.client.get(f"{phone.base}/status")["X-Request-ID"])


def test_errors_have_the_seeds_shape_and_words(shop: Shop) -> None:
    answer = Client().get("/api/vending/session/CXYLOGD8OQUK_20250830_075329_A2440143/status")
    assert answer.status_code == 404
    body = json.loads(answer.content)
    assert (body["detail"], body["status_code"]) == ("Session not found", 404)


def test_a_client_that_asks_for_chinese_is_answered_in_chinese(phone: Phone) -> None:
    answer = phone.client.get("/api/vending/session/nonsense/status", headers={"Accept-Language": "zh-CN"})
    assert answer.json()["status_code"] == 400
    assert re.search("[一-鿿]", answer.json()["detail"])
