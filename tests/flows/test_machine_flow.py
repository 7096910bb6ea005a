"""The machine flow of seed 1, request by request: from create-session to the queue number."""

from __future__ import annotations

from django.test import Client

from orders.models import Order
from payments.models import PaymentIntent, WebhookEvent
from pimpshop.core import sweeper
from tests.flows.conftest import Shop
from tests.support import images
from tests.support.manufacturer import Manufacturer
from vending.models import PrintJob, VendingSession


def post(client: Client, path: str, body: object) -> tuple[int, dict]:
    answer = client.post(path, body, content_type="application/json")
    return answer.status_code, answer.json()


def start(client: Client, shop: Shop) -> str:
    status, body = post(client, "/api/vending/create-session", {"machine_id": shop.machine.machine_id})
    assert status == 200, body
    return body["session_id"]


def summary(shop: Shop, **more: object) -> dict:
    return {
        "designImage": images.data_url(images.photo(600, 1200, image_format="PNG")),
        "price": 19.99,
        "chinese_model_id": shop.shell.model.manufacturer_id,
        "mobile_shell_id": shop.shell.manufacturer_id,
        "device_id": shop.machine.machine_id,
        "template": "classic",
        **more,
    }


def test_a_case_paid_at_the_machine_is_printed(
    client: Client, shop: Shop, manufacturer: Manufacturer, settings, django_capture_on_commit_callbacks
) -> None:
    settings.MANUFACTURER_ORDER_DELAY_SECONDS = 0
    session_id = start(client, shop)
    base = f"/api/vending/session/{session_id}"
    status, body = post(
        client, f"{base}/register-user", {"machine_id": shop.machine.machine_id, "session_id": session_id}
    )
    assert status == 200, body
    status, body = post(client, f"{base}/order-summary", summary(shop))
    assert status == 200, body
    assert body["payment_amount"] == 19.99
    status, body = post(client, f"{base}/init-payment", {})
    assert status == 200, body
    third_id = body["third_id"]
    assert body["chinese_payment_id"] == "MSPY10000000000000001"
    assert manufacturer.bodies("order/payData") == [
        {
            "mobile_model_id": shop.shell.model.manufacturer_id,
            "device_id": "CXYLOGD8OQUK",
            "third_id": third_id,
            "pay_amount": 19.99,
            "pay_type": 5,
        }
    ]
    before = client.get(f"{base}/status").json()
    assert before["status"] == "payment_pending"

    manufacturer.payments[third_id] = 3
    PaymentIntent.objects.update(last_query_at=None)
    status, body = post(client, "/api/chinese/order/payStatus", {"third_id": third_id, "status": 3})
    assert (status, body) == (200, {"msg": "操作成功", "code": 200, "data": "success"})
    sweeper.walk_until_quiet()

    assert Order.objects.get().status == "paid"
    assert WebhookEvent.objects.get().status == "processed"
    job = PrintJob.objects.get()
    assert (job.status, job.queue_no) == ("accepted", manufacturer.queue[job.third_order_id])
    [sent] = manufacturer.bodies("order/orderData")
    assert sent["third_pay_id"] == third_id
    assert sent["third_id"] == job.third_order_id
    after = client.get(f"{base}/status").json()
    assert after["status"] == "payment_completed"
    assert after["user_progress"] == "order_submitted"
    assert after["queue_number"] == job.queue_no
    assert after["chinese_order_id"] == "MSOR000000000001"
    assert VendingSession.objects.get().status == "payment_completed"
