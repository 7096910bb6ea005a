"""What a second reading of seeds 2 and 3 found: an open page or code is answered again, and never ended by somebody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.test import Client
from django.utils import timezone

from accounts.services import tokens
from catalog import selectors as catalogue
from catalog.models import CreditPack
from orders import selectors as orders
from orders.models import Order, OrderLine
from payments.models import PaymentIntent
from payments.services import online_payments
from tests import factories
from tests.api.wechat_callers import of_user, with_key
from tests.support import checkout_books, goods, wechat_books
from tests.support.checkout_books import CheckoutBooks
from tests.support.wechat_books import WechatBooks


@pytest.fixture
def mock(transactional_db: None) -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def stripe(mock: responses.RequestsMock, settings: Any) -> CheckoutBooks:
    checkout_books.put_on(settings)
    return CheckoutBooks(mock)


@pytest.fixture
def wechat(mock: responses.RequestsMock, settings: Any) -> WechatBooks:
    wechat_books.put_on(settings)
    return WechatBooks(mock)


@pytest.fixture
def price_id(stripe: CheckoutBooks) -> str:
    pack = goods.pack(credits=800)
    stripe.prices[pack.stripe_price_id] = (200, "usd")
    return str(pack.stripe_price_id)


def create(price_id: str, user: Any = None, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {tokens.issue(user)[0]}"} if user else {}
    sent = json.dumps({"priceId": price_id, **more})
    answer = Client().post(
        "/api/create-checkout-session", sent, content_type="application/json", headers=headers
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


def native(user: Any, pack: Any, **more: Any) -> Any:
    sent = {
        "userId": str(user.public_id),
        "contentId": f"pack:{pack.number}",
        "amount": 9.9,
        "subject": "Credits",
        **more,
    }
    answer = of_user(user).post("/native", sent)
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def made(minutes: int) -> None:
    """All that there is was made so many minutes ago."""
    when = timezone.now() - timedelta(minutes=minutes)
    Order.objects.update(created_at=when)
    PaymentIntent.objects.update(created_at=when, expires_at=when + timedelta(minutes=60))


@pytest.mark.parametrize("who", ["user", "email"])
def test_a_page_is_the_same_as_long_as_it_is_open(stripe: CheckoutBooks, price_id: str, who: str) -> None:
    buyer = (
        {"user": factories.user("alice@example.com")} if who == "user" else {"customerEmail": "a@example.com"}
    )
    first = create(price_id, **buyer)
    made(40)
    assert create(price_id, **buyer) == first
    assert (Order.objects.count(), PaymentIntent.objects.count()) == (1, 1)


def test_a_pack_that_gives_something_else_now_is_another_order(stripe: CheckoutBooks, price_id: str) -> None:
    create(price_id, customerEmail="a@example.com")
    CreditPack.objects.update(credits=900)
    create(price_id, customerEmail="a@example.com")
    assert [order.lines.get().snapshot["credits"] for order in Order.objects.order_by("pk")] == [800, 900]


def test_a_code_is_the_same_as_long_as_it_can_be_scanned(wechat: WechatBooks) -> None:
    alice, pack = factories.user("alice@example.com"), goods.pack()
    first = native(alice, pack)
    made(40)
    assert native(alice, pack) == first
    assert (Order.objects.count(), PaymentIntent.objects.count()) == (1, 1)


def test_whoever_knows_an_address_ends_nobodys_payment(stripe: CheckoutBooks, price_id: str) -> None:
    """A guest confirms at the bank; somebody asks for a page with the guest's address."""
    order = factories.order(
        kind="credits", currency="USD", total_minor=200, email="guest@example.com", lines=0
    )
    product = catalogue.by_price_id(price_id)
    assert product is not None
    OrderLine.objects.create(
        order=order, product_id=product.pk, unit_minor=200, snapshot={"name": "800", "credits": 800}
    )
    theirs = factories.intent(
        order,
        gateway="airwallex",
        method="card",
        status="requires_action",
        provider_ref="int_1",
        next_action={"kind": "redirect", "url": "https://bank.example/3ds", "method": "GET", "fields": {}},
    )
    create(price_id, customerEmail="guest@example.com")
    theirs.refresh_from_db()
    assert theirs.status == "requires_action"
    assert Order.objects.count() == 2


def test_closing_an_old_code_leaves_what_came_after_it(stripe: CheckoutBooks, wechat: WechatBooks) -> None:
    alice, pack = factories.user("alice@example.com"), goods.pack()
    old = native(alice, pack)["outTradeNo"]
    order = Order.objects.get()
    newer = online_payments.start_payment(
        order, online_payments.Choice(gateway="stripe", method="checkout"), source="page"
    )
    answer = of_user(alice).post("/close", {"outTradeNo": old})
    assert answer.json()["data"] == {"outTradeNo": old, "closed": True}
    order.refresh_from_db()
    newer.refresh_from_db()
    assert (order.status, newer.status) == ("pending", "requires_action")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/payments",
        "/v2/payments/methods",
        "/create-checkout-session/",
        "/create-checkout-session",
        "/process-payment-success/",
    ],
)
def test_browsers_may_ask_at_every_form_of_an_address(settings: Any, path: str, db: None) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example"]
    answer = Client().options(
        path, headers={"origin": "https://shop.example", "access-control-request-method": "POST"}
    )
    assert answer.headers.get("Access-Control-Allow-Origin") == "https://shop.example"


def test_nobody_keeps_an_answer(stripe: CheckoutBooks, wechat: WechatBooks, price_id: str) -> None:
    made = create(price_id)
    answer = Client().get(f"/api/check-payment-status/{made['sessionId']}")
    assert "no-store" in answer.headers.get("Cache-Control", "")


def test_a_refund_looks_first_whether_it_was_paid(wechat: WechatBooks) -> None:
    """The notification was lost, and nobody has looked since: it is paid all the same."""
    alice, pack = factories.user("alice@example.com"), goods.pack()
    number = native(alice, pack)["outTradeNo"]
    wechat.pays(number)
    answer = with_key().post(
        "/refund", {"outTradeNo": number, "refundAmount": 5, "refundReason": "asked for"}
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"]["status"] == "PROCESSING"
    assert (len(wechat.asked("refund")), PaymentIntent.objects.get().refund_reserved_minor) == (1, 500)


def test_metadata_of_every_kind_is_kept(stripe: CheckoutBooks, wechat: WechatBooks, price_id: str) -> None:
    sent = {"n": 1.5, "none": None, "yes": True, "i": 7, "t": "x"}
    kept = {**sent, "n": "1.5"}
    create(price_id, metadata=sent)
    assert PaymentIntent.objects.get().metadata["client"] == kept
    (form,) = stripe.created()
    at_stripe = {name: form[f"metadata[{name}]"] for name in ("n", "yes", "i", "t")}
    assert at_stripe == {"n": "1.5", "yes": "true", "i": "7", "t": "x"}
    assert "metadata[none]" not in form
    alice, pack = factories.user("alice@example.com"), goods.pack()
    number = native(alice, pack, metadata=sent)["outTradeNo"]
    told = of_user(alice).get(f"/payment/{number}").json()["data"]["metadata"]
    assert {name: told[name] for name in sent} == kept


def test_a_link_into_wechat_is_renewed_before_it_is_dead(wechat: WechatBooks) -> None:
    """WeChat's h5_url lives five minutes, its payment an hour: until then the same link, afterwards another payment."""
    order = factories.order(kind="credits", currency="CNY", total_minor=990, email="guest@example.com")
    pay, phone = (
        orders.pay_path(order),
        Client(headers={"user-agent": "Mozilla/5.0 (Linux; Android 14) Mobile"}),
    )
    first = phone.post(pay, {"way": "wechatpay.h5"})
    assert first.status_code in (200, 303)
    started = PaymentIntent.objects.get()
    phone.post(pay, {"way": "wechatpay.h5"})
    assert PaymentIntent.objects.count() == 1
    assert "data-go-on" in phone.get(orders.status_path(order)).content.decode()
    over = timezone.now() - timedelta(seconds=1)
    PaymentIntent.objects.update(next_action={**started.next_action, "expires_at": over.isoformat()})
    shown = phone.get(orders.status_path(order)).content.decode()
    assert ("data-go-on" in shown, "data-another" in shown) == (False, True)
    phone.post(pay, {"way": "wechatpay.h5"})
    newest, old = PaymentIntent.objects.order_by("-attempt")
    assert (newest.status, old.status, old.pk) == ("requires_action", "canceled", started.pk)
    assert wechat.orders[old.out_trade_no]["word"] == "CLOSED"
