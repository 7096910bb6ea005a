"""The line is cut at the worst moment of each journey and comes back: whoever paid is never shown a failure, nobody is
invited to pay twice, and there is exactly one payment. Also two tabs, two taps and the back button; and no script at all.
"""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_home import files
from tests.browser.test_log_in import fill
from tests.browser.test_online import GOOD, paid_once
from tests.browser.test_payment import PAID, statuses
from tests.browser.windows import Buyer, Phone, Watch, press

pytestmark = pytest.mark.browser

#: What the browser and htmx say of each request that could not leave.
OF_THE_LINE = re.compile(r"net::ERR_|htmx:(sendError|timeout|afterRequest)|Failed to fetch")
#: Words that send somebody who paid to pay again, or into fear for their money.
FAILURE = re.compile(
    r"did not go through|nothing was charged|not paid|have not seen a payment|try again|pay now", re.I
)


def lose(page: Page, addresses: str, *, arrives: bool, method: str = "POST") -> None:
    """The next request there: it arrives and its answer is lost, or it is lost itself."""
    lost: list[str] = []

    def handle(route: Route) -> None:
        if lost or route.request.method != method:
            route.fallback()
            return
        lost.append(route.request.url)
        if arrives:
            route.fetch(max_redirects=0)
        route.abort("internetdisconnected")

    page.route(addresses, handle)


def press_into_the_void(page: Page, selector: str) -> None:
    """Press, and see that nothing comes back: the browser shows a page of its own."""
    with page.expect_event("requestfailed"):
        page.locator(selector).click(no_wait_after=True)
    page.wait_for_url("chrome-error://**")


def forgive(watch: Watch) -> None:
    watch.troubles[:] = [trouble for trouble in watch.troubles if not OF_THE_LINE.search(trouble)]


def captured(shop: Shop, order_no: str) -> None:
    """Wait until the shop knows of the money, whatever the page shows."""
    end = time.monotonic() + 60
    while not paid_once(shop, order_no):
        assert time.monotonic() < end, "the money never arrived"
        time.sleep(0.1)


def attempts(shop: Shop, order_no: str) -> list[tuple[object, ...]]:
    """(state, minor units taken) of all that was ever begun for the order."""
    return shop.query(
        "select i.status, i.captured_minor from payments_paymentintent i join orders_order o on o.id = i.order_id"
        " where o.order_no = %s order by i.attempt", order_no,
    )  # fmt: skip


def waits_off_line(page: Page, state: str) -> None:
    """What was true stays on show, with a word about the line."""
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#status")).to_have_attribute("data-state", state)


def card(buyer: Buyer) -> None:
    """Everything typed, nothing sent."""
    for field, typed in (("number", GOOD), ("expiry", "12/34"), ("cvc", "123")):
        buyer.page.locator(f"#id_{field}").fill(typed)


PAY = "form[data-once] button"


@pytest.mark.parametrize("arrives", [True, False], ids=["the answer is lost", "the request is lost"])
def test_by_card_at_home(windows: Windows, shop: Shop, arrives: bool) -> None:
    """The browser's own "try again" sends the card a second time; then the way back leads to the order."""
    buyer = windows.buyer()
    page = buyer.page
    buyer.order("/credits/points-small/?currency=USD")
    number = buyer.order_no
    buyer.choose("airwallex.card")
    card(buyer)
    lose(page, "**/pay/card/**", arrives=arrives)
    press_into_the_void(page, PAY)
    page.reload()
    buyer.expect_state("kept")
    page.go_back()
    page.wait_for_url(f"**/orders/{number}/?*")
    buyer.expect_state("kept")
    assert FAILURE.search(page.locator("#status").inner_text()) is None
    assert paid_once(shop, number) == [("airwallex", 200, True)]
    assert attempts(shop, number) == [("succeeded", 200)]
    forgive(buyer.watch)


def test_two_tabs_and_two_taps_on_one_order(windows: Windows, shop: Shop) -> None:
    """Both tabs have the card typed in; the second one, and every further tap, is led to the order."""
    buyer = windows.buyer()
    buyer.order("/credits/points-small/?currency=USD")
    number = buyer.order_no
    buyer.choose("airwallex.card")
    other = Buyer(buyer.page.context.new_page(), shop, buyer.watch)
    other.page.goto(buyer.page.url)
    card(buyer)
    card(other)
    other.page.locator(PAY).dblclick(no_wait_after=True)
    buyer.page.locator(PAY).dblclick(no_wait_after=True)
    for tab in (buyer, other):
        tab.page.wait_for_url(f"**/orders/{number}/?*")
        tab.expect_state("kept")
        tab.page.go_back()
        tab.page.wait_for_url(f"**/orders/{number}/?*")
    assert paid_once(shop, number) == [("airwallex", 200, True)]
    assert attempts(shop, number) == [("succeeded", 200)]


def test_by_wechat(windows: Windows, shop: Shop) -> None:
    """Choosing is lost, then the line is away while the wallet pays; the code of the second try is the one that counts."""
    buyer, wallet = windows.buyer(), windows.buyer()
    page = buyer.page
    buyer.order("/credits/points-small/?currency=CNY")
    number = buyer.order_no
    lose(page, "**/pay/?*", arrives=True)
    press_into_the_void(page, "[data-way='wechatpay.native']")
    page.go_back()  # to what was ordered: the same order again
    page.locator(PAY).click()
    page.wait_for_url(f"**/orders/{number}/pay/?*")
    buyer.choose("wechatpay.native")
    buyer.expect_state("scan")
    page.wait_for_load_state()
    page.context.set_offline(True)
    wallet.wallet("/wechatpay/wallet/", f"[data-order='{number}']")
    captured(shop, number)
    waits_off_line(page, "scan")
    page.context.set_offline(False)
    buyer.expect_state("kept")
    expect(page.locator("#offline")).to_be_hidden()
    assert paid_once(shop, number) == [("wechatpay", 1400, True)]
    assert attempts(shop, number) == [("succeeded", 1400)]
    forgive(buyer.watch)


def test_by_alipay(windows: Windows, shop: Shop) -> None:
    """Paid on its page, and the way back is lost; a second tab of the order, in which something else was begun, notices."""
    buyer = windows.buyer()
    page = buyer.page
    buyer.order("/plans/plan-starter/?currency=CNY")
    number, order = buyer.order_no, page.url.replace("/pay/", "/")
    buyer.choose("alipay.page")
    page.locator("form.pay button").wait_for()
    tab = Buyer(page.context.new_page(), shop, buyer.watch)
    tab.page.goto(order)
    tab.expect_state("away")
    lose(page, "**/payments/return/**", arrives=False, method="GET")
    press_into_the_void(page, "form.pay button")
    tab.expect_state("kept")
    page.reload()
    page.wait_for_url(f"**/orders/{number}/?*")
    buyer.expect_state("kept")
    tab.page.goto(order.replace("/?", "/pay/?"))
    tab.expect_state("kept")
    assert paid_once(shop, number) == [("alipay", 3600, True)]
    assert attempts(shop, number) == [("succeeded", 3600)]
    forgive(buyer.watch)


def test_two_tabs_with_two_ways(windows: Windows, shop: Shop) -> None:
    """A code waits in one tab when another way is begun in the other: the code ends there, and what is paid is paid once."""
    buyer = windows.buyer()
    buyer.order("/credits/points-small/?currency=CNY")
    number, ways = buyer.order_no, buyer.page.url
    buyer.choose("wechatpay.native")
    buyer.expect_state("scan")
    other = Buyer(buyer.page.context.new_page(), shop, buyer.watch)
    other.page.goto(ways)
    other.choose("alipay.page")
    other.page.locator("form.pay button").click()
    other.page.wait_for_url("**/orders/**")
    for tab in (other, buyer):
        tab.page.bring_to_front()
        tab.expect_state("kept")
    assert paid_once(shop, number) == [("alipay", 1400, True)]
    assert [status for status, _ in attempts(shop, number)] == ["canceled", "succeeded"]


def test_at_the_machine(windows: Windows, shop: Shop, photo: bytes) -> None:
    """The answer to "Pay" is lost, then the phone is off the line while the machine takes the money."""
    machine, phone = windows.machine(), windows.phone()
    page = phone.page
    phone.design(machine, photo)
    lose(page, "**/summary/", arrives=True)
    press_into_the_void(page, "form[data-once][action$='/summary/'] button")
    page.go_back()
    page.wait_for_url("**/orders/**")
    phone.expect_state("waiting")
    page.wait_for_load_state()
    page.context.set_offline(True)
    machine.press("cash")
    captured(shop, phone.order_no)
    waits_off_line(page, "waiting")
    page.context.set_offline(False)
    expect(page.locator("#status .number")).to_be_visible()
    assert FAILURE.search(page.locator("#status").inner_text()) is None
    assert statuses(shop, machine) == [PAID]
    assert len(shop.orders(machine.machine_id)) == 1
    assert len(attempts(shop, phone.order_no)) == 1
    forgive(phone.watch)


def test_with_credits(windows: Windows, shop: Shop, photo: bytes) -> None:
    """A case for credits: the answer to the button is lost; they are spent once."""
    buyer, machine = windows.buyer(), windows.machine()
    page, phone = buyer.page, Phone(buyer.page, shop, buyer.watch)
    page.goto(f"{shop.url}/accounts/login/")
    fill(page, login="bob@example.com", password="demo-bob-2025")
    page.wait_for_url(re.compile(r"//[^/]+/(account/)?$"))
    page.goto(f"{shop.url}/credits/points-large/?currency=USD")
    page.locator("main form[data-once] button").click()
    page.wait_for_url("**/pay/**")
    buyer.choose("airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("given")
    had = balance(shop)
    phone.design(machine, photo)
    way = page.locator("[data-way^='credits']")
    if not way.is_visible():
        page.locator("[data-others] summary").click()
    lose(page, "**/summary/**", arrives=True)
    press_into_the_void(page, "[data-way^='credits']")
    page.reload()
    page.wait_for_url("**/orders/**")
    expect(page.locator("#status .number")).to_be_visible()
    assert FAILURE.search(page.locator("#status").inner_text()) is None
    assert paid_once(shop, phone.order_no) == [("credits", 1500, True)]
    assert attempts(shop, phone.order_no) == [("succeeded", 1500)]
    assert (had - balance(shop), len(shop.orders(machine.machine_id))) == (1500, 1)
    forgive(buyer.watch)


def balance(shop: Shop) -> int:
    [(credits,)] = shop.query(
        "select c.balance from credits_creditaccount c join accounts_user u on u.id = c.user_id where u.email = 'bob@example.com'"
    )
    return int(credits)


def test_at_home_without_a_script(windows: Windows, shop: Shop, photo: bytes) -> None:
    """A design and a pack by forms alone, up to the thanks."""
    phone = windows.phone(java_script_enabled=False)
    page, buyer = phone.page, Buyer(phone.page, shop, phone.watch)
    page.goto(f"{shop.url}/studio/")
    page.locator("#brand").select_option(index=1)
    page.get_by_role("button", name="Show models and colours").click()
    page.locator("#model").select_option(label="iPhone 15 Pro")
    page.get_by_role("button", name="Show models and colours").click()
    page.set_input_files("input[name=photo_file]", files(photo))
    page.get_by_role("button", name="Upload photo").click()
    page.locator("button[value=continue]").click()
    page.wait_for_url("**/ready/")
    buyer.order("/credits/points-small/?currency=USD")
    press(page, "airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("kept")
    assert paid_once(shop, buyer.order_no) == [("airwallex", 200, True)]
