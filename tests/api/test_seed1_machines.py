"""What machines and the manufacturer ask and post, field by field: payStatus, order status, the payment poll, staff's
two debug pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from payments.models import PaymentIntent, WebhookEvent
from pimpshop.core.clock import iso
from tests import factories
from tests.flows.conftest import Shop
from tests.support import seed1
from tests.support.manufacturer import DOWN, Manufacturer
from tests.support.seed1 import PAY_STATUS, Phone
from vending.models import PrintJob

ACK = '{"msg":"操作成功","code":200,"data":"success"}'.encode()
ORDER_STATUS = ("/api/chinese/order-status-update", "/api/chinese/order/status-update")


def post(path: str, body: Any, content_type: str = seed1.JSON, **more: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(path, data, content_type=content_type, **more)


# --- payStatus --------------------------------------------------------------------------------------------------------
DOCUMENTED = {"pay_type": 5, "pay_amount": 19.99, "pay_date": "2025-08-30 15:53:29"}


@pytest.mark.parametrize(
    "shape",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: [{**one, **DOCUMENTED}],
        lambda one: {**one, "unknown": {"deep": [1, None]}, "data": None},
        lambda one: {**one, "status": str(one["status"])},
        lambda one: [one, {"third_id": "PYEN250830000000", "status": 1}],
        lambda one: f"third_id={one['third_id']}&status={one['status']}".encode(),
    ],
    ids=["object", "array", "documented", "unknown keys", "text", "with a stranger's", "form"],
)
def test_pay_status_in_every_shape(phone: Phone, manufacturer: Manufacturer, shape: Any) -> None:
    third_id = phone.asked_to_pay()
    manufacturer.payments[third_id] = 3
    answer = post(PAY_STATUS, shape({"third_id": third_id, "status": 3}))
    assert (answer.status_code, answer.content) == (200, ACK)
    assert answer["Content-Type"] == "application/json"
    event = WebhookEvent.objects.get()
    assert (event.subject, event.status, event.payload["status"]) == (third_id, "received", "3")
    assert PaymentIntent.objects.get().status == "requires_action"  # a hint moves nothing by itself
    seed1.work()
    assert PaymentIntent.objects.get().status == "succeeded"


def test_pay_status_about_nobody_is_acknowledged_and_leaves_no_row(shop: Shop, nothing_changes) -> None:
    nothing_changes()
    for third_id in ("PYEN250830540573", "X", "OREN250830540573", "' OR 1=1 --"):
        answer = post(PAY_STATUS, {"third_id": third_id, "status": 3})
        assert (answer.status_code, answer.content) == (200, ACK)


def test_pay_status_answers_before_anybody_is_asked(phone: Phone, manufacturer: Manufacturer) -> None:
    third_id = phone.asked_to_pay()
    asked = list(manufacturer.calls)
    post(PAY_STATUS, {"third_id": third_id, "status": 3})
    assert manufacturer.calls == asked


def test_pay_status_at_the_secret_address(phone: Phone, manufacturer: Manufacturer, settings) -> None:
    """With addresses allowed only on the fixed URL: the extra one proves itself by its secret."""
    settings.MANUFACTURER_WEBHOOK_SECRET_PATH = "long-secret"
    settings.MANUFACTURER_WEBHOOK_ALLOWED_IPS = ["203.0.113.0/24"]
    body = {"third_id": phone.asked_to_pay(), "status": 3}
    assert post(PAY_STATUS, body).status_code == 403
    assert post(f"{PAY_STATUS}/wrong-secret", body).status_code == 403
    assert not WebhookEvent.objects.exists()
    assert post(PAY_STATUS, body, REMOTE_ADDR="203.0.113.7").content == ACK
    assert WebhookEvent.objects.get().count == 1
    seed1.let_time_pass()
    assert post(f"{PAY_STATUS}/long-secret", body).content == ACK
    assert WebhookEvent.objects.get().count == 2


def test_without_a_secret_no_extra_address_opens(phone: Phone, manufacturer: Manufacturer) -> None:
    answer = post(f"{PAY_STATUS}/anything", {"third_id": phone.asked_to_pay(), "status": 3})
    assert answer.status_code == 403
    assert (answer.json()["detail"], answer.json()["status_code"]) == ("forbidden", 403)
    assert not WebhookEvent.objects.exists()


def test_addresses_are_believed_through_trusted_proxies_only(shop: Shop, settings) -> None:
    settings.MANUFACTURER_WEBHOOK_ALLOWED_IPS = ["203.0.113.7/32"]
    body = {"third_id": "X", "status": 3}
    spoofed = {"headers": {"X-Forwarded-For": "203.0.113.7"}, "REMOTE_ADDR": "198.51.100.1"}
    assert post(PAY_STATUS, body, **spoofed).status_code == 403
    settings.TRUSTED_PROXIES = ["198.51.100.0/24"]
    assert post(PAY_STATUS, body, **spoofed).content == ACK


def test_a_signed_post_is_asked_for_when_a_setting_says_so(phone: Phone, manufacturer, settings) -> None:
    from vending.manufacturer import signing

    settings.MANUFACTURER_WEBHOOK_SIGNED = True
    body = json.dumps({"third_id": phone.asked_to_pay(), "status": 3}).encode()
    assert post(PAY_STATUS, body).status_code == 401
    assert post(PAY_STATUS, body, headers={"sign": "0" * 32}).status_code == 401
    assert not WebhookEvent.objects.exists()
    sign = signing.sign(body.decode(), settings.MANUFACTURER_SIGN_KEY)
    assert post(PAY_STATUS, body, headers={"sign": sign}).content == ACK
    assert WebhookEvent.objects.count() == 1


def test_made_up_status_words_fill_no_table(phone: Phone, manufacturer: Manufacturer) -> None:
    """Anybody can post: a row per known id and status, but not one for every word that somebody thinks of."""
    third_id = phone.asked_to_pay()
    for word in (7, 8, "paid", "PAID", -1, 99, "x" * 40):
        assert post(PAY_STATUS, {"third_id": third_id, "status": word}).content == ACK
    assert WebhookEvent.objects.count() == 1


# --- order status posts -----------------------------------------------------------------------------------------------
IDS = ("order_id", "orderId", "third_id", "thirdId", "id", "chineseOrderId")
STATUSES = ("status", "orderStatus")
QUEUES = ("queue_number", "queueNumber", "queue_no")
DEVICES = ("device_id", "deviceId")


def variants() -> list[tuple[str, dict[str, Any]]]:
    """Every spelling of every field, each at least once, with the others in turn."""
    found = []
    for n, name in enumerate(IDS):
        queue, device, status = QUEUES[n % 3], DEVICES[n % 2], STATUSES[n % 2]
        found.append((name, {name: "OREN", status: 11, queue: "9541", device: "CXYLOGD8OQUK"}))
    return found


@pytest.fixture
def printing(phone: Phone, manufacturer: Manufacturer) -> PrintJob:
    """A paid job that the machine has taken; its next look is far away."""
    seed1.paid(phone.asked_to_pay(), manufacturer)
    far = datetime.now(UTC) + timedelta(minutes=5)
    PrintJob.objects.update(due_at=far, updated_at=far - timedelta(minutes=9))
    return PrintJob.objects.get()


def named(job: PrintJob, body: Any) -> Any:
    text = json.dumps(body)
    numbers = {"OREN": job.third_order_id, "MSOR": job.manufacturer_order_id, "OURS": job.order_no}
    for word, value in numbers.items():
        text = text.replace(f'"{word}"', f'"{value}"')
    return json.loads(text)


@pytest.mark.parametrize("path", ORDER_STATUS)
def test_order_status_posts_in_every_spelling(
    path: str, printing: PrintJob, manufacturer: Manufacturer
) -> None:
    """Each makes our next look due; what is true comes from the manufacturer's own answer."""
    for _name, body in variants():
        for shape in (named(printing, body), [named(printing, body)]):
            PrintJob.objects.update(due_at=None, provider_status="4")
            answer = post(path, shape)
            assert (answer.status_code, answer.content) == (200, ACK), shape
            assert PrintJob.objects.get().due_at is not None, shape
        form = "&".join(f"{key}={value}" for key, value in named(printing, body).items())
        PrintJob.objects.update(due_at=None)
        assert post(path, form.encode(), "application/x-www-form-urlencoded").content == ACK
        assert PrintJob.objects.get().due_at is not None, form
    assert PrintJob.objects.get().status == "accepted"  # nobody was believed
    manufacturer.orders[printing.third_order_id] = 12
    seed1.work(looks=True)
    assert PrintJob.objects.get().status == "printed"


@pytest.mark.parametrize("number", ["OREN", "MSOR", "OURS"])
def test_order_status_posts_are_matched_on_all_our_numbers(number: str, printing: PrintJob) -> None:
    PrintJob.objects.update(due_at=None)
    answer = post(ORDER_STATUS[0], named(printing, {"order_id": number, "status": 11}))
    assert answer.content == ACK
    assert PrintJob.objects.get().due_at is not None


def test_an_order_status_post_about_nobody_is_acknowledged(shop: Shop, nothing_changes) -> None:
    nothing_changes()
    for path in ORDER_STATUS:
        answer = post(path, {"order_id": "OREN250830540573", "status": 12, "queue_number": "1"})
        assert (answer.status_code, answer.content) == (200, ACK)


def test_an_order_status_post_makes_up_no_queue_number(printing: PrintJob, manufacturer) -> None:
    before = printing.queue_no
    post(ORDER_STATUS[0], named(printing, {"order_id": "OREN", "status": 12, "queue_number": "666"}))
    seed1.work(looks=True)
    job = PrintJob.objects.get()
    assert (job.queue_no, job.status) == (before, "accepted")


# --- the payment poll -------------------------------------------------------------------------------------------------
def poll(third_id: str) -> tuple[int, Any]:
    answer = Client().get(f"/api/chinese/payment/{third_id}/status")
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "third_id", ["PYEN250830540573", "OREN250830540573", "nonsense", "pyen250830540573", "%00", "a" * 500]
)
def test_the_poll_of_an_unknown_payment(shop: Shop, nothing_changes, third_id: str) -> None:
    nothing_changes()
    status, body = poll(third_id)
    assert status == 200
    assert body["success"] is False
    assert body["status"] == 1
    assert body["polling_complete"] is False
    assert body["message"] == "Payment not found"
    assert set(body) == {"success", "third_id", "status", "polling_complete", "message"}
    assert len(body["third_id"]) <= 64


def test_the_poll_of_a_payment(phone: Phone, manufacturer: Manufacturer) -> None:
    with time_machine.travel(
        datetime.now(UTC), tick=False
    ):  # one second for the row and for what is told of it
        third_id = _waits(phone)
    manufacturer.payments[third_id] = 3
    seed1.let_time_pass()
    status, body = poll(third_id)  # it asks by itself, for the post may be lost
    assert (status, body["status"], body["payment_status"]) == (200, 3, "succeeded")
    assert (body["polling_complete"], body["message"]) == (True, "Paid")
    assert body["order_id"] == PrintJob.objects.get().third_order_id
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["paid_at"])


def _waits(phone: Phone) -> str:
    """A payment that was asked for, and what its poll tells then."""
    third_id = phone.asked_to_pay()
    intent = PaymentIntent.objects.get()
    waiting = {
        "success": True,
        "third_id": third_id,
        "status": 1,
        "order_id": intent.order.order_no,
        "payment_status": "requires_action",
        "total_amount": 19.99,
        "currency": "GBP",
        "created_at": iso(intent.created_at),
        "updated_at": iso(intent.updated_at),
        "paid_at": None,
        "polling_complete": False,
        "message": "Waiting for the payment",
    }
    assert poll(third_id) == (200, waiting)
    return third_id


@pytest.mark.parametrize(("word", "status", "complete"), [(1, 1, False), (2, 2, False), (4, 4, True)])
def test_the_poll_speaks_the_machines_codes(phone: Phone, manufacturer, word, status, complete) -> None:
    third_id = phone.asked_to_pay()
    manufacturer.payments[third_id] = word
    seed1.let_time_pass()
    _code, body = poll(third_id)
    assert (body["status"], body["polling_complete"]) == (status, complete)


def test_the_poll_asks_at_most_once_in_three_seconds(phone: Phone, manufacturer: Manufacturer) -> None:
    third_id = phone.asked_to_pay()
    seed1.let_time_pass()
    with time_machine.travel(datetime.now(UTC), tick=False):  # ten requests, however long they take
        for _ in range(5):
            poll(third_id)
            phone.status()
    assert len(manufacturer.bodies("order/getPayStatus")) == 1


def test_the_poll_answers_while_the_manufacturer_is_down(phone: Phone, manufacturer: Manufacturer) -> None:
    third_id = phone.asked_to_pay()
    manufacturer.fail("order/getPayStatus", DOWN)
    seed1.let_time_pass()
    assert poll(third_id)[1]["status"] == 1


# --- staff only -------------------------------------------------------------------------------------------------------
STAFF_ONLY = ("/api/chinese/test-connection", "/api/chinese/debug/session-validation/{}")


@pytest.mark.parametrize("path", STAFF_ONLY)
@pytest.mark.parametrize("who", ["nobody", "shopper"])
def test_debug_pages_tell_nothing_to_others(phone: Phone, path: str, who: str, nothing_changes) -> None:
    phone.ordered()
    client = Client()
    if who == "shopper":
        client.force_login(factories.user())
    nothing_changes()
    for session_id in (phone.session_id, "CXYLOGD8OQUK_20250830_075329_A2440143", "nonsense"):
        answer = client.get(path.format(session_id))
        assert answer.status_code == (401 if who == "nobody" else 403)
        assert set(answer.json()) == {"detail", "status_code", "code"}
        assert phone.session_id not in answer.content.decode()


def test_session_validation_for_staff(phone: Phone, manufacturer: Manufacturer) -> None:
    third_id = phone.asked_to_pay()
    client = Client()
    client.force_login(factories.staff())
    answer = client.get(f"/api/chinese/debug/session-validation/{phone.session_id}")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["session_id"], body["third_id"], body["valid"]) == (phone.session_id, third_id, True)
    assert (body["status"], body["missing"]) == ("payment_pending", [])
    for secret in ("/pictures/", "data:image", "claim", "token"):
        assert secret not in answer.content.decode()


def test_session_validation_names_what_is_missing(phone: Phone) -> None:
    phone.create()
    client = Client()
    client.force_login(factories.staff())
    body = client.get(f"/api/chinese/debug/session-validation/{phone.session_id}").json()
    assert body["valid"] is False
    assert body["missing"] == list(body["present"])


def test_test_connection_for_staff(shop: Shop, manufacturer: Manufacturer, settings) -> None:
    client = Client()
    client.force_login(factories.staff())
    body = client.get("/api/chinese/test-connection").json()
    assert (body["success"], body["brands"]) == (True, 0)
    manufacturer.fail("brand/list", DOWN)
    answer = client.get("/api/chinese/test-connection")
    assert (answer.status_code, answer.json()["success"]) == (200, False)
    assert settings.MANUFACTURER_PASSWORD not in answer.content.decode()
    assert settings.MANUFACTURER_SIGN_KEY not in answer.content.decode()
