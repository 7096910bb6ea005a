"""The pages with which people pay online: goods, the ways to pay, the card form, and what the status page says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.test import Client
from django.utils import timezone

from orders import selectors as orders
from orders.models import Order
from payments.forms import CardForm
from payments.models import PaymentIntent
from payments.services import offers, progress, progress_words, ways
from pimpshop.core.money import Money
from tests import factories as make

CNY, USD = Money(990, "CNY"), Money(200, "USD")
DESKTOP = ways.Shopper(device=ways.DESKTOP)
PHONE_BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


def keys(total: Money, shopper: ways.Shopper) -> list[str]:
    return [way.key for way in ways.offered(total, shopper)]


def pack_order(currency: str = "CNY", **more: Any) -> Order:
    return make.order(
        kind="credits", currency=currency, total_minor=990, email="guest@example.com",
        **{"lines": 0, **more},
    )  # fmt: skip


# --- Which ways -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("agent", "device", "platform"),
    [
        (PHONE_BROWSER, "phone", "ios"),
        ("Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36", "phone", "android"),
        ("Mozilla/5.0 (Linux; Android 14) Mobile MicroMessenger/8.0", "wechat", "android"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/130", "desktop", "desktop"),
        ("", "desktop", "desktop"),
    ],
)
def test_the_device_is_read_from_the_browser(agent: str, device: str, platform: str) -> None:
    assert ways.Shopper.of(agent) == ways.Shopper(device=device, platform=platform)


def test_each_device_gets_what_works_there(db: None) -> None:
    cards = ["stripe.checkout", "airwallex.card"]
    assert keys(CNY, DESKTOP) == ["wechatpay.native", "alipay.precreate", "alipay.page", *cards]
    assert keys(CNY, ways.Shopper(device=ways.PHONE)) == ["wechatpay.h5", "alipay.wap", *cards]
    assert keys(CNY, ways.Shopper(device=ways.WECHAT)) == cards
    assert keys(CNY, ways.Shopper(device=ways.WECHAT, openid="o1")) == ["wechatpay.jsapi", *cards]
    assert keys(USD, DESKTOP) == cards
    assert ways.shut_in_wechat(CNY, ways.Shopper(device=ways.WECHAT))
    assert not ways.shut_in_wechat(USD, ways.Shopper(device=ways.WECHAT))


def test_one_of_each_kind_comes_first(db: None) -> None:
    """Two doors to one wallet, or two companies that take a card, are one kind; the second is folded away, not gone."""
    first = [way.key for way in ways.first_of_kind(ways.offered(CNY, DESKTOP))]
    assert first == ["wechatpay.native", "alipay.precreate", "stripe.checkout"]
    page = Client().get(orders.pay_path(pack_order())).content.decode()
    shown, folded = page.split("<details data-others>")
    assert re.findall(r'data-way="([^"]+)"', shown) == first
    assert re.findall(r'data-way="([^"]+)"', folded) == ["alipay.page", "airwallex.card"]
    assert "Other ways to pay" in folded


def test_nothing_is_folded_where_each_is_the_only_one(db: None, settings: Any) -> None:
    settings.AIRWALLEX_RAW_CARDS = False
    assert "data-others" not in Client().get(orders.pay_path(pack_order("USD"))).content.decode()


def test_the_card_form_asks_for_what_the_methods_endpoint_requires(db: None) -> None:
    """A field that a gateway starts to require would be missed here first."""
    asked = {"number": ["number"], "expiry": ["exp_month", "exp_year"], "cvc": ["cvc"], "name": []}
    assert list(CardForm().fields) == list(asked)
    told = offers.listed(USD)
    for way in ways.WAYS:
        if way.asks_card:
            [gateway] = [entry for entry in told if entry["gateway_id"] == way.gateway]
            [method] = [entry for entry in gateway["payment_methods"] if entry["method_type"] == "card"]
            required = {field["name"] for field in method["required_fields"] if field["required"]}
            assert required == {name for names in asked.values() for name in names}


def test_no_card_form_where_numbers_may_not_pass(db: None, settings: Any) -> None:
    settings.AIRWALLEX_RAW_CARDS = False
    assert keys(USD, DESKTOP) == ["stripe.checkout"]
    order = pack_order("USD")
    answer = Client().get(orders.pay_path(order).replace("/pay/", "/pay/card/"))
    assert (answer.status_code, answer["Location"]) == (303, orders.pay_path(order))


# --- The pay page -----------------------------------------------------------------------------------------------------
def test_a_button_leads_on_to_the_providers_page(db: None) -> None:
    """303, nothing stored by anybody on the way, and the page's policy lets the form go there."""
    order = pack_order()
    page = Client().get(orders.pay_path(order))
    assert "no-store" in page["Cache-Control"]
    answer = Client().post(orders.pay_path(order), {"way": "alipay.page"})
    assert answer.status_code == 303
    origin = "/".join(answer["Location"].split("/")[:3])
    [form_action] = re.findall(r"form-action ([^;]*)", page["Content-Security-Policy"])
    assert origin in form_action.split()
    intent = PaymentIntent.objects.get(order=order)
    assert (intent.gateway, intent.method, intent.status) == ("alipay", "page", "requires_action")
    again = Client().post(orders.pay_path(order), {"way": "alipay.page"})
    assert (again["Location"], PaymentIntent.objects.count()) == (answer["Location"], 1)


@pytest.mark.parametrize("way", ["", "alipay.wap", "wechatpay.jsapi", "machine.machine", "nobody.x"])
def test_another_way_than_those_shown_starts_nothing(db: None, way: str) -> None:
    order = pack_order()
    answer = Client().post(orders.pay_path(order), {"way": way})
    assert answer.status_code == 409
    assert "Nothing was charged" in answer.content.decode()
    assert PaymentIntent.objects.count() == 0


def test_the_link_is_the_key(db: None) -> None:
    order = pack_order()
    for path in (f"/orders/{order.order_no}/pay/", f"/orders/{order.order_no}/pay/card/?k=wrong"):
        assert Client().get(path).status_code == 404
        assert Client().post(path, {"way": "alipay.page"}).status_code == 404
    assert PaymentIntent.objects.count() == 0


@pytest.mark.parametrize("status", ["paid", "completed", "refunded", "cancelled"])
def test_what_is_paid_or_over_cannot_be_paid_again(db: None, status: str) -> None:
    order = pack_order(status=status, paid_at=None if status == "cancelled" else timezone.now())
    for answer in (
        Client().get(orders.pay_path(order)),
        Client().post(orders.pay_path(order), {"way": "alipay.page"}),
        Client().post(orders.pay_path(order).replace("/pay/", "/pay/card/"), {"number": "4242424242424242"}),
    ):
        assert (answer.status_code, answer["Location"]) == (303, orders.status_path(order))
    assert PaymentIntent.objects.count() == 0


# --- The card form ----------------------------------------------------------------------------------------------------
CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123", "name": "Ada Quillfeather"}


def test_a_card_is_read_and_never_shown_again() -> None:
    form = CardForm(CARD)
    assert form.is_valid()
    card = form.card()
    assert (card.number, card.exp_month, card.exp_year, card.cvc, card.name) == (
        "4242424242424242", 12, 2034, "123", "Ada Quillfeather",
    )  # fmt: skip
    assert not re.search(r"4242|Quillfeather|\b123\b(?!4)", re.sub(r'placeholder="[^"]*"', "", str(form)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "4242 4242 4242 4241"), ("number", "١٢٣٤"), ("number", ""), ("number", "4" * 31),
        ("expiry", "13/30"), ("expiry", "01/20"), ("expiry", "12/99"), ("expiry", "soon"), ("cvc", "12"),
        ("cvc", "12345"), ("cvc", "abc"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_words_and_nothing_starts(db: None, field: str, value: str) -> None:
    order = pack_order("USD")
    with responses.RequestsMock():  # no call leaves
        answer = Client().post(orders.pay_path(order).replace("/pay/", "/pay/card/"), {**CARD, field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in page
    assert page.count('_error"') == 2  # the words, and the field that names them
    assert "no-store" in answer["Cache-Control"]
    assert not re.search(r"4242 4242 4242 424[12]|Quillfeather", page)
    assert PaymentIntent.objects.count() == 0


# --- The status page --------------------------------------------------------------------------------------------------
QR = {"kind": "qr_code", "content": "weixin://wxpay/x", "expires_at": None}
AWAY = {"kind": "redirect", "url": "https://checkout.stripe.com/c/pay/x", "method": "GET", "fields": {}}
APP = {"kind": "client_params", "sdk": "wechat_app", "params": {}}


@pytest.mark.parametrize(
    ("intent", "state"),
    [
        ({"status": "requires_action", "next_action": QR}, "scan"),
        ({"status": "requires_action", "next_action": AWAY}, "away"),
        ({"status": "requires_action", "next_action": APP}, "in_app"),
        ({"status": "requires_action"}, "confirming"),
        ({"status": "created"}, "confirming"),
        ({"status": "created", "provider_ref": "int_1"}, "unpaid"),
        ({"status": "created", "provider_ref": "int_1", "confirm_count": 1}, "confirming"),
        ({"status": "processing"}, "confirming"),
        ({"status": "expiring"}, "confirming"),
        ({"status": "failed"}, "not_paid"),
        ({"status": "canceled"}, "unpaid"),
        ({"status": "expired"}, "expired"),
    ],
)
def test_the_page_says_where_a_payment_stands(db: None, intent: dict[str, Any], state: str) -> None:
    order = pack_order()
    asked = {"last_query_at": timezone.now(), "next_action": None}  # just now: the page asks nobody
    make.intent(order, **{"gateway": "wechatpay", "method": "native", **asked, **intent})
    shown = progress.order_progress(order)
    assert (shown["state"], shown["final"]) == (state, False)
    page = Client().get(orders.status_path(order)).content.decode()
    assert f'data-state="{state}"' in page
    assert ("data-again" in page) == (state in progress.PAYABLE)
    assert ("data-another" in page) == (state in progress.UNDER_WAY)


def test_nothing_begun_is_not_paid_yet(db: None) -> None:
    assert progress.order_progress(pack_order())["state"] == "unpaid"


@pytest.mark.parametrize(
    ("status", "guest", "state"),
    [("paid", True, "granting"), ("completed", True, "kept"), ("completed", False, "given"), ("refunded", True, "refunded")],
)  # fmt: skip
def test_whoever_paid_sees_no_failure(db: None, status: str, guest: bool, state: str) -> None:
    """Also when a newer attempt failed."""
    order = pack_order(status=status, paid_at=timezone.now(), **({} if guest else {"user": make.user()}))
    make.intent(order, status="succeeded", settles_order=True, captured_minor=order.total_minor)
    make.intent(order, status="failed", attempt=2)
    assert progress.order_progress(order)["state"] == state


def test_the_page_asks_ever_more_slowly(db: None) -> None:
    order = pack_order()
    intent = make.intent(order, gateway="stripe", status="requires_action", next_action=AWAY)
    paces = []
    for age in (0, 3, 11):
        PaymentIntent.objects.update(created_at=timezone.now() - timedelta(minutes=age))
        paces.append(progress.order_progress(order)["poll_ms"])
    assert paces == [2500, 5000, 15000]
    assert intent.attempt == 1


def test_money_that_goes_back_is_told(db: None) -> None:
    order = pack_order(status="completed", paid_at=timezone.now())
    paid = make.intent(
        order, status="partially_refunded", settles_order=True, captured_minor=990, amount_minor=990,
        refund_reserved_minor=400, refunded_minor=300, currency="CNY",
    )  # fmt: skip
    make.refund(paid, status="pending", amount_minor=100, currency="CNY")
    assert progress_words.refund_notes(order) == [
        "You got back CN¥3.00 of CN¥9.90.",
        "CN¥1.00 is on its way back to you. Banks may take a few days.",
    ]


def test_an_address_is_shown_to_its_owner_alone() -> None:
    assert progress_words.hidden("alice@example.com") == "a…e@example.com"
    assert progress_words.hidden("al@example.com") == "a…@example.com"
    assert progress_words.hidden("") == ""
