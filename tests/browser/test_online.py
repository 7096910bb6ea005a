"""Pay on the phone or at home, through each provider's simulated pages: packs, plans, a case in front of a machine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import press

pytestmark = pytest.mark.browser

GOOD, DECLINED, ASKS = "4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 3220"


def paid_once(shop: Shop, order_no: str) -> list[tuple[object, ...]]:
    """(gateway, amount, settles) of what was paid for the order."""
    return shop.query(
        "select i.gateway, i.amount_minor, i.settles_order from payments_paymentintent i"
        " join orders_order o on o.id = i.order_id where o.order_no = %s and i.captured_minor > 0",
        order_no,
    )


def until_shown(page: Page, selector: str) -> None:
    """Look again and again, as somebody does who waits for a refund: a page of what is done does not ask by itself."""
    end = time.monotonic() + 90
    while time.monotonic() < end:
        page.reload()
        if page.locator(selector).count():
            return
        page.wait_for_timeout(500)


def stripe_card(page: Page, number: str) -> None:
    """Fill Stripe's page and press its button."""
    page.wait_for_url("**/c/pay/**")
    page.locator("input[name=email]").fill("guest@example.com")
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=expiry]").fill("12 / 34")
    page.locator("input[name=cvc]").fill("123")
    page.locator("input[name=name]").fill("Ada Lovelace")
    page.locator("form button").click()


def test_a_pack_on_stripes_page(windows: Windows, shop: Shop) -> None:
    """Declined on the page, then paid with 3-D Secure; Stripe's posts and the return settle it once."""
    buyer = windows.buyer()
    buyer.watch.allowed |= {402}
    buyer.order("/credits/points-small/?currency=USD")
    buyer.choose("stripe.checkout")
    stripe_card(buyer.page, DECLINED)
    expect(buyer.page.get_by_role("alert")).to_be_visible()
    stripe_card(buyer.page, ASKS)
    buyer.page.locator("button[value=approve]").click()
    buyer.page.wait_for_url("**/orders/**")
    buyer.expect_state("kept")
    expect(buyer.page.locator("#status")).to_contain_text("800 credits")
    assert paid_once(shop, buyer.order_no) == [("stripe", 200, True)]
    [(reference,)] = shop.query(
        "select transaction_ref from payments_paymentintent where out_trade_no = %s", buyer.order_no
    )
    shop.sandbox.post(f"stripe/intents/{reference}/refund", {"amount": 50})
    until_shown(buyer.page, "[data-note]")
    expect(buyer.page.locator("[data-note]")).to_contain_text("You got back $0.50 of $2.00.")


def test_whoever_leaves_stripes_page_chooses_again(windows: Windows, shop: Shop) -> None:
    """Cancel there, pay by Airwallex here: declined once, then paid; the first attempt can no longer be paid."""
    buyer = windows.buyer()
    buyer.watch.allowed |= {402}
    buyer.order("/credits/points-large/?currency=USD")
    buyer.choose("stripe.checkout")
    buyer.page.wait_for_url("**/c/pay/**")
    left = buyer.page.url
    buyer.page.locator("a.back").click()
    buyer.page.wait_for_url("**/pay/**")
    buyer.choose("airwallex.card")
    buyer.card(DECLINED)
    expect(buyer.page.get_by_role("alert")).to_contain_text("Nothing was charged.")
    expect(buyer.page.locator("#id_number")).to_have_value("")
    buyer.card(GOOD)
    buyer.expect_state("kept")
    assert paid_once(shop, buyer.order_no) == [("airwallex", 1200, True)]
    buyer.page.goto(left)
    expect(buyer.page.locator("form button")).to_have_count(0)


def test_a_pack_by_a_wechat_code_in_chinese(windows: Windows, shop: Shop) -> None:
    """The code, the wallet, and the page notices by itself."""
    buyer = windows.buyer("zh")
    buyer.order("/credits/")
    expect(buyer.page.locator("[data-total]")).to_have_text("¥9.90")
    buyer.choose("wechatpay.native")
    buyer.expect_state("scan")
    expect(buyer.page.locator("#status .qr svg")).to_be_visible()
    buyer.wallet("/wechatpay/wallet/", f"[data-order='{buyer.order_no}']")
    buyer.expect_state("kept")
    assert paid_once(shop, buyer.order_no) == [("wechatpay", 990, True)]


@pytest.mark.parametrize("way", ["alipay.page", "alipay.precreate"])
def test_a_plan_by_alipay(windows: Windows, shop: Shop, way: str) -> None:
    """On its page, which leads back; and by its code."""
    buyer = windows.buyer()
    buyer.order("/plans/plan-starter/?currency=CNY")
    buyer.choose(way)
    if way == "alipay.page":
        buyer.page.locator("form.pay button").click()
        buyer.page.wait_for_url("**/orders/**")
    else:
        buyer.expect_state("scan")
        buyer.wallet("/alipay/", f"[data-out-trade-no='{buyer.order_no}'] a")
    buyer.expect_state("kept")
    assert paid_once(shop, buyer.order_no) == [("alipay", 3600, True)]


def by_stripe(page: Page, shop: Shop) -> None:
    stripe_card(page, GOOD)
    page.wait_for_url("**/orders/**")


def by_wechat(page: Page, shop: Shop) -> None:
    page.wait_for_url("**/wechatpay/h5/**")
    page.locator("button[value=confirm]").click()
    page.wait_for_url("**/orders/**")


@pytest.mark.parametrize(
    ("way", "paying", "amount"), [("stripe.checkout", by_stripe, 1999), ("wechatpay.h5", by_wechat, 12800)]
)
def test_a_case_in_front_of_the_machine(
    windows: Windows, shop: Shop, photo: bytes, way: str, paying: Callable[[Page, Shop], None], amount: int
) -> None:
    """Paid on the phone, in a currency that the way takes; the screen does not ask for a card; printed with a number."""
    machine, phone = windows.machine(), windows.phone(sandbox=True)
    phone.design(machine, photo)
    machine.show_our_screen()
    press(phone.page, way)
    phone.page.wait_for_url(re.compile(r"/(c/pay|h5)/"))
    expect(machine.ours.locator("#screen")).to_have_attribute("data-state", "phone")
    paying(phone.page, shop)
    expect(phone.page.locator("#status .number")).to_be_visible()
    [order] = shop.orders(machine.machine_id)
    assert phone.queue_no() == order["queue_no"]
    assert paid_once(shop, phone.order_no) == [(way.partition(".")[0], amount, True)]


def test_the_buyer_is_asked_for_an_address(windows: Windows, shop: Shop) -> None:
    """Without one there is no order; "back" and again is the same order."""
    buyer = windows.buyer()
    buyer.watch.allowed |= {400}
    buyer.page.goto(f"{shop.url}/credits/credits-500/?currency=CNY")
    before = shop.query("select count(*) from orders_order")
    buyer.page.locator("form[data-once] button").click()
    expect(buyer.page.locator("#id_email_error")).to_be_visible()
    assert shop.query("select count(*) from orders_order") == before
    buyer.order("/credits/credits-500/?currency=CNY")
    first = buyer.order_no
    buyer.order("/credits/credits-500/?currency=CNY")
    assert buyer.order_no == first
