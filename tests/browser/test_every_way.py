"""The same pack, plan and case through each of the four gateways and at the machine; staff give it back, in part and whole.

Each is walked as people do: the shopper pays on the provider's page, in its wallet or with the card on ours; staff open
the payment at the desk and press "Refund" there; the shopper's page tells how it stands each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_online import GOOD, paid_once, stripe_card, until_shown
from tests.browser.windows import Buyer, press

pytestmark = pytest.mark.browser


# --- Saying yes, each in its own way ----------------------------------------------------------------------------------
def on_stripes_page(buyer: Buyer) -> None:
    stripe_card(buyer.page, GOOD)
    buyer.page.wait_for_url("**/orders/**")


def with_a_card_here(buyer: Buyer) -> None:
    buyer.card(GOOD)


def in_wechat(buyer: Buyer) -> None:
    buyer.expect_state("scan")
    buyer.wallet("/wechatpay/wallet/", f"[data-order='{buyer.order_no}']")


def on_alipays_page(buyer: Buyer) -> None:
    buyer.page.locator("form.pay button").click()
    buyer.page.wait_for_url("**/orders/**")


#: way: (how the shopper says yes, currency, a pack's price, a part of it, a plan's price)
WAYS: dict[str, tuple[Callable[[Buyer], None], str, str, str, str]] = {
    "stripe.checkout": (on_stripes_page, "USD", "$2.00", "0.50", "$5.00"),
    "airwallex.card": (with_a_card_here, "USD", "$2.00", "0.50", "$5.00"),
    "wechatpay.native": (in_wechat, "CNY", "CN¥14.00", "3.50", "CN¥36.00"),
    "alipay.page": (on_alipays_page, "CNY", "CN¥14.00", "3.50", "CN¥36.00"),
}
every_way = pytest.mark.parametrize("way", WAYS)


def minor(shown: str) -> int:
    return int(re.sub(r"\D", "", shown))


def sign(shown: str) -> str:
    return shown.rstrip("0123456789.")


def notes(page: Page, words: str) -> None:
    """The page says so as soon as the money has arrived; some providers take a moment."""
    until_shown(page, f"[data-note]:has-text('{words}')")
    expect(page.locator("[data-note]")).to_contain_text(words)


def buy(windows: Windows, shop: Shop, way: str, path: str, price: str, credits: str) -> Buyer:
    """A guest buys it; the page tells how many credits wait."""
    say_yes, currency = WAYS[way][:2]
    buyer = windows.buyer()
    buyer.order(f"{path}?currency={currency}")
    expect(buyer.page.locator("[data-total]")).to_have_text(price)
    buyer.choose(way)
    say_yes(buyer)
    buyer.expect_state("kept")
    expect(buyer.page.locator("#status")).to_contain_text(f"{credits} credits")
    assert paid_once(shop, buyer.order_no) == [(way.partition(".")[0], minor(price), True)]
    return buyer


@every_way
def test_a_pack_and_its_money_back(windows: Windows, shop: Shop, way: str) -> None:
    """A quarter first: three quarters of the credits stay. Then the rest."""
    price, part = WAYS[way][2:4]
    buyer = buy(windows, shop, way, "/credits/points-small/", price, "800")
    windows.desk().refund(buyer.order_no, part)
    notes(buyer.page, f"You got back {sign(price)}{part} of {price}.")
    expect(buyer.page.locator("#status")).to_contain_text("600 credits")
    windows.desk().refund(buyer.order_no)
    until_shown(buyer.page, "#status[data-state=refunded]")
    expect(buyer.page.locator("#status")).to_contain_text(f"You got back {price}.")
    assert given_back(shop, buyer.order_no) == ("refunded", minor(price), 0)


@every_way
def test_a_plan_and_all_its_money_back(windows: Windows, shop: Shop, way: str) -> None:
    price = WAYS[way][4]
    buyer = buy(windows, shop, way, "/plans/plan-starter/", price, "2,000")
    windows.desk().refund(buyer.order_no)
    until_shown(buyer.page, "#status[data-state=refunded]")
    expect(buyer.page.locator("#status")).to_contain_text(f"You got back {price}.")
    assert given_back(shop, buyer.order_no) == ("refunded", minor(price), 0)


def given_back(shop: Shop, order_no: str) -> tuple[object, ...]:
    """(the order's state, minor units given back, credits that are left waiting for its buyer)."""
    [row] = shop.query(
        "select o.status, i.refunded_minor, coalesce((select sum(l.remaining) from credits_lot l"
        " where l.payment_reference = o.order_no), 0)"
        " from orders_order o join payments_paymentintent i on i.order_id = o.id and i.settles_order"
        " where o.order_no = %s",
        order_no,
    )
    return row


# --- A case -----------------------------------------------------------------------------------------------------------
def with_alipay_on_the_phone(page: Page) -> None:
    page.wait_for_url("**/alipay/**")
    page.locator("form.pay button").click()
    page.wait_for_url("**/orders/**")


def with_a_card_on_the_phone(page: Page) -> None:
    page.locator("#id_number").fill(GOOD)
    page.locator("#id_expiry").fill("12/34")
    page.locator("#id_cvc").fill("123")
    page.locator("form[data-once] button").click()


@pytest.mark.parametrize(
    ("way", "paying", "price", "part"),
    [
        ("airwallex.card", with_a_card_on_the_phone, "£19.99", "5.00"),
        ("alipay.wap", with_alipay_on_the_phone, "CN¥128.00", "28.00"),
    ],
)
def test_a_case_and_some_of_its_money_back(
    windows: Windows,
    shop: Shop,
    photo: bytes,
    way: str,
    paying: Callable[[Page], None],
    price: str,
    part: str,
) -> None:
    """As tests.browser.test_online does with Stripe and WeChat: paid on the phone, printed, and then a part is given back."""
    machine, phone = windows.machine(), windows.phone(sandbox=True)
    phone.design(machine, photo)
    press(phone.page, way)
    paying(phone.page)
    expect(phone.page.locator("#status .number")).to_be_visible()
    [order] = shop.orders(machine.machine_id)
    assert phone.queue_no() == order["queue_no"]
    assert paid_once(shop, phone.order_no) == [(way.partition(".")[0], minor(price), True)]
    windows.desk().refund(phone.order_no, part)
    notes(phone.page, f"You got back {sign(price)}{part} of {price}.")


def test_at_the_machine_staff_pay_back_by_hand(windows: Windows, shop: Shop, photo: bytes) -> None:
    """The machine gives nothing back: staff do, and write it down; only then the shopper's page says so."""
    machine, phone = windows.machine(), windows.phone()
    phone.design(machine, photo)
    phone.pay()
    machine.press("card")
    expect(phone.page.locator("#status .number")).to_be_visible()
    shop.wait_until_handed_out(machine.machine_id)
    desk = windows.desk()
    desk.pay_back(phone.order_no)
    phone.page.reload()
    phone.expect_state("collected")
    desk.mark_paid_back(phone.order_no, "cash at the counter")
    until_shown(phone.page, "#status[data-state=refunded]")
    expect(phone.page.locator("#status")).to_contain_text("You got back £19.99.")
