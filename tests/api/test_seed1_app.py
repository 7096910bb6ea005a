"""Seed 1, "Pay via App": paid on Stripe's page, printed at the named machine or waiting for one. Both are on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Design
from orders import selectors as orders
from orders.models import Order
from payments.models import PaymentIntent
from tests.flows.conftest import Shop
from tests.support import bought, checkout_books, goods, images, seed1
from tests.support.checkout_books import CheckoutBooks
from tests.support.manufacturer import Manufacturer
from tests.support.refusals import BROKEN, assert_refused
from tests.support.shop import later
from vending.models import PrintJob
from vending.services import print_jobs, print_steps, waiting_jobs

CREATE, SUCCESS = "/create-checkout-session", "/process-payment-success"


@pytest.fixture
def stripe(shop: Shop, manufacturer: Manufacturer, settings: Any) -> CheckoutBooks:
    checkout_books.put_on(settings)
    return CheckoutBooks(manufacturer.mock)


def body(**more: Any) -> dict[str, Any]:
    """The seed's request; the picture as a data URL, for nothing may be fetched here."""
    sent = {
        "brand_name": "iphone", "model_name": "iPhone 15 Pro", "color": "Natural Titanium", "template_id": "classic",
        "designImage": seed1.picture(), "device_id": "CXYLOGD8OQUK", "price": 19.99, **more,
    }  # fmt: skip
    return {name: value for name, value in sent.items() if value is not None}


def post(path: str, sent: Any) -> Any:
    return Client().post(path, json.dumps(sent), content_type="application/json")


def started(**more: Any) -> str:
    answer = post(CREATE, body(**more))
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"checkout_url", "session_id"}
    session_id: str = answer.json()["session_id"]
    return session_id


def order_data(**more: Any) -> dict[str, Any]:
    """What the seed's browser sends afterwards."""
    return {
        "brand": "iphone", "model": "iPhone 15 Pro", "chinese_model_id": "MM020250224000010",
        "mobile_shell_id": "MS102503270003", "device_id": "CXYLOGD8OQUK",
        "finalImageUrl": "https://example.com/final-design.png", **more,
    }  # fmt: skip


def nudge(session_id: str, data: Any = None) -> dict[str, Any]:
    answer = post(SUCCESS, {"session_id": session_id, "order_data": order_data() if data is None else data})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def print_it() -> None:
    for _ in range(4):
        for job in print_jobs.due():
            print_steps.advance_job(job)


def test_paid_with_a_machine(stripe: CheckoutBooks, manufacturer: Manufacturer) -> None:
    """payData (12), payStatus 3, orderData with our PYEN, and the queue number: the seed's picture of the flow."""
    session_id = started()
    assert post(CREATE, body()).json()["checkout_url"].startswith("https://checkout.stripe.example/")
    order = Order.objects.get(payment_intents__provider_ref=session_id)
    intent = order.payment_intents.get()
    (sent, _second) = stripe.created()
    assert sent["line_items[0][price_data][unit_amount]"] == "1999"
    assert sent["line_items[0][price_data][currency]"] == "gbp"
    assert nudge(session_id) == {
        "success": False, "order_id": order.order_no, "payment_id": intent.payment_id, "queue_no": None,
        "status": "unpaid", "brand": "iphone", "model": "iPhone 15 Pro", "color": "Natural Titanium",
        "template_id": "classic", "amount": 19.99,
    }  # fmt: skip
    assert not PrintJob.objects.exists()
    stripe.pays(session_id)
    seed1.let_time_pass()
    assert (nudge(session_id)["success"], nudge(session_id)["status"]) == (True, "paid")
    print_it()
    job = PrintJob.objects.get()
    (pay_data,), (pay_status,), (print_order,) = (
        manufacturer.bodies(name) for name in ("order/payData", "order/payStatus", "order/orderData")
    )
    pyen = job.payment_third_id
    assert pay_data == {
        "mobile_model_id": "MM020250224000010", "device_id": "CXYLOGD8OQUK", "third_id": pyen, "pay_amount": 19.99,
        "pay_type": 12,
    }  # fmt: skip
    assert pay_status == {"third_id": pyen, "status": 3, "pay_amount": 19.99}
    assert (print_order["third_pay_id"], print_order["third_id"]) == (pyen, job.third_order_id)
    assert (pyen[:4], job.third_order_id[:4], job.pay_type) == ("PYEN", "OREN", 12)
    assert nudge(session_id)["queue_no"] == job.queue_no == "9541"


def test_the_nudge_works_without_order_data_and_as_often_as_one_likes(stripe: CheckoutBooks) -> None:
    session_id = started()
    stripe.pays(session_id)
    for _ in range(3):
        answer = post(SUCCESS, {"session_id": session_id})
        assert answer.json()["success"] is True
    assert PrintJob.objects.count() == 1
    assert stripe.asked() == 1


DIFFERENT: list[dict[str, Any]] = [
    {"chinese_model_id": "MM020250224000011"}, {"mobile_shell_id": "MS102503270004"}, {"brand": "samsung"},
    {"model": "iPhone 14"}, {"color": "Blue"}, {"device_id": "VM_TEST_MANUFACTURER"}, {"template": "retro"},
    {"price": 0.01}, {"currency": "USD"},
]  # fmt: skip


def test_order_data_changes_nothing(stripe: CheckoutBooks) -> None:
    session_id = started()
    stripe.pays(session_id)
    before = list(Order.objects.values())
    for other in DIFFERENT:
        answer = post(SUCCESS, {"session_id": session_id, "order_data": order_data(**other)})
        assert_refused(answer, 409, "order_differs")
    assert list(Order.objects.values()) == before
    assert stripe.asked() == 0
    assert nudge(session_id)["success"] is True


def at_home(stripe: CheckoutBooks) -> PrintJob:
    """Paid without a machine."""
    session_id = started(device_id=None)
    stripe.pays(session_id)
    assert nudge(session_id, order_data(device_id=""))["queue_no"] is None
    job = PrintJob.objects.get()
    assert (job.status, job.machine, job.due_at) == ("waiting", None, None)
    return job


def test_the_buyer_sends_it_to_a_machine_from_the_page(
    stripe: CheckoutBooks, shop: Shop, manufacturer: Manufacturer
) -> None:
    job = at_home(stripe)
    order = Order.objects.get()
    page = Client().get(orders.status_path(order))
    assert page.status_code == 200
    assert b'value="CXYLOGD8OQUK"' in page.content
    url = orders.status_path(order).replace("/?", "/machine/?")
    assert Client().post(url[:-1] + "!", {"machine": "CXYLOGD8OQUK"}).status_code == 404
    assert Client().post(url, {"machine": "VM_NONE"}).status_code == 404
    assert PrintJob.objects.get().status == "waiting"
    answer = Client().post(url, {"machine": "CXYLOGD8OQUK"})
    assert (answer.status_code, answer["Location"]) == (302, orders.status_path(order))
    print_it()
    job.refresh_from_db()
    assert (job.status, job.machine, job.pay_type) == ("accepted", shop.machine, 12)
    assert manufacturer.bodies("order/payData")[0]["pay_type"] == 12
    again = Client().post(url, {"machine": "CXYLOGD8OQUK"})
    assert again.status_code == 409
    assert len(manufacturer.bodies("order/orderData")) == 1


def test_a_machine_named_after_the_payment_gets_the_waiting_case(stripe: CheckoutBooks) -> None:
    job = at_home(stripe)
    session_id = PaymentIntent.objects.get().provider_ref
    nudge(session_id, order_data(device_id="VM_NONE"))
    job.refresh_from_db()
    assert job.status == "waiting"
    nudge(session_id)
    job.refresh_from_db()
    assert (job.status, job.machine.machine_id if job.machine else "") == ("announcing", "CXYLOGD8OQUK")


def test_a_machine_that_cannot_print_gets_no_case(stripe: CheckoutBooks, shop: Shop) -> None:
    job = at_home(stripe)
    shop.machine.maintenance = True
    shop.machine.save()
    order = Order.objects.get()
    page = Client().get(orders.status_path(order))
    assert b'value="CXYLOGD8OQUK"' not in page.content
    url = orders.status_path(order).replace("/?", "/machine/?")
    assert Client().post(url, {"machine": "CXYLOGD8OQUK"}).status_code == 503
    job.refresh_from_db()
    assert job.status == "waiting"


def test_a_case_that_is_being_paid_back_is_not_sent(stripe: CheckoutBooks, shop: Shop) -> None:
    """Until staff let it go on."""
    from payments.services import refunds

    job = at_home(stripe)
    refunds.request_refund(
        intent=PaymentIntent.objects.get(), origin="staff", actor="desk", reason="asked for", source="admin"
    )
    job.refresh_from_db()
    assert waiting_jobs.offered_for(job.order_no) == []
    with pytest.raises(waiting_jobs.BeingPaidBack):
        waiting_jobs.choose_machine(job=job, machine=shop.machine, source="page")
    assert PrintJob.objects.get().status == "waiting"
    assert print_jobs.check_now(job=job) is True
    assert waiting_jobs.offered_for(job.order_no) == [shop.machine]


@pytest.mark.parametrize("why", ["refund", "late", ""])
def test_the_page_says_why_no_machine_is_offered(stripe: CheckoutBooks, shop: Shop, why: str) -> None:
    job = at_home(stripe)
    intent, address = PaymentIntent.objects.get(), orders.status_path(Order.objects.get())
    if why == "refund":
        bought.ask(intent)
    with later(days=31 if why == "late" else 0):
        page = Client().get(address).content.decode()
    said = {
        "refund": "This case is being paid back",
        "dispute": "bank is deciding",
        "late": "more than 30 days ago",
    }
    assert [word for word in said if said[word] in page] == ([why] if why else [])
    assert ("Where shall we print your case?" in page) == (not why)
    assert "No machine can print it right now" not in page
    assert PrintJob.objects.get(pk=job.pk).status == "waiting"


@pytest.mark.parametrize("picture", ["data:image/png;base64," + "A" * 5000, {"url": "x"}, 7, None])
def test_whoever_paid_is_not_refused_for_the_picture_that_comes_along(
    stripe: CheckoutBooks, picture: Any
) -> None:
    session_id = started(device_id=None)
    stripe.pays(session_id)
    told = nudge(
        session_id, {"finalImageUrl": picture, "designImage": picture, "finalImagePublicUrl": picture}
    )
    assert (told["success"], told["status"]) == (True, "paid")


def test_after_thirty_days_staff_take_care(stripe: CheckoutBooks, shop: Shop) -> None:
    from pimpshop.core.models import StaffItem

    job = at_home(stripe)
    with later(days=29):
        assert waiting_jobs.tell_of_unclaimed() == 0
    with later(days=31):
        assert waiting_jobs.tell_of_unclaimed() == 1
        assert waiting_jobs.tell_of_unclaimed() == 0
        assert StaffItem.objects.filter(kind="print_unclaimed", subject=job.reference).count() == 1
        with pytest.raises(waiting_jobs.ChoiceOver):
            waiting_jobs.choose_machine(job=job, machine=shop.machine, source="page")
    job.refresh_from_db()
    assert job.status == "waiting"


def test_what_is_refused_before_any_money(
    stripe: CheckoutBooks, shop: Shop, manufacturer: Manufacturer
) -> None:
    """(status, code) of each; nothing is ordered, no picture kept, Stripe never asked."""
    broken = images.data_url(b"no picture at all")
    for wrong, status, code in (
        ({"price": 19.98}, 409, "price_mismatch"),
        ({"price": True}, 400, "invalid_request"),
        ({"currency": "USD"}, 409, "price_mismatch"),
        ({"device_id": None, "currency": "JPY"}, 409, "not_sold"),
        ({"model_name": "iPhone 99"}, 400, "shell_unknown"),
        ({"model_name": None}, 400, "shell_unknown"),
        ({"device_id": "VM_NONE"}, 404, "machine_not_found"),
        ({"designImage": None}, 400, "picture_missing"),
        ({"designImage": broken}, 400, "picture_unsupported_format"),
        ({"designImage": None, "design_image_url": "http://127.0.0.1:9/x.png"}, 400, "picture_unreachable"),
        (
            {"designImage": None, "design_image_url": "http://127.0.0.1:8000/pictures/x.png"},
            400,
            "picture_unreachable",
        ),
        ({"designImage": None, "design_image_url": "file:///etc/passwd"}, 400, "picture_unreachable"),
        ({"success_url": "https://evil.example/"}, 400, "redirect_not_allowed"),
        ({"cancel_url": "https://evil.example/"}, 400, "redirect_not_allowed"),
        ({"customer_email": "nobody"}, 400, "invalid_request"),
        ({"brand_name": 7}, 400, "invalid_request"),
        ({"color": "x" * 121}, 400, "invalid_request"),
        ({"template_id": ["classic"]}, 400, "invalid_request"),
    ):
        assert_refused(post(CREATE, body(**wrong)), status, code)
    shop.machine.maintenance = True
    shop.machine.save()
    assert_refused(post(CREATE, body()), 503, "machine_not_ready")
    assert not Order.objects.exists()
    assert not Design.objects.exists()
    assert not stripe.calls
    assert not manufacturer.bodies("order/payData")


def test_bodies_that_are_none(stripe: CheckoutBooks) -> None:
    for path in (CREATE, SUCCESS):
        for why, (raw, content_type, status) in BROKEN.items():
            if why == "huge":
                continue
            answer = Client(REMOTE_ADDR=f"198.51.100.{len(why)}").post(path, raw, content_type=content_type)
            assert_refused(answer, status)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "session_id", ["cs_stripe_session_id", "cs_test_a1Unknown", "pi_1", "", None, 1, "cs_test_\x00"]
)
def test_unknown_sessions(stripe: CheckoutBooks, session_id: Any) -> None:
    answer = post(SUCCESS, {"session_id": session_id, "order_data": order_data()})
    assert answer.status_code == (
        404 if isinstance(session_id, str) and session_id and "\x00" not in session_id else 400
    )
    assert not stripe.calls


def test_a_session_for_credits_is_no_case(stripe: CheckoutBooks) -> None:

    pack = goods.pack()
    stripe.prices[pack.stripe_price_id] = (200, "usd")
    session_id = post("/api/create-checkout-session", {"priceId": pack.stripe_price_id}).json()["sessionId"]
    assert_refused(post(SUCCESS, {"session_id": session_id}), 404, "session_not_found")


def test_the_limit_says_when_to_come_back(stripe: CheckoutBooks) -> None:
    for _ in range(30):
        post(CREATE, {})
    answer = post(CREATE, body())
    assert_refused(answer, 429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert not Order.objects.exists()
