"""A walk through every page of the shop, in the states that people meet: one function for each part of it.

A part opens its own windows, does what people do, and calls `look` at each stop. What a look does (a picture, a test of
the page) is its caller's. States that would take minutes to come by are written into the rows of an order of the tour.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_log_in import fill
from tests.browser.test_online import DECLINED, GOOD, until_shown
from tests.browser.windows import Buyer

ALICE = ("alice@example.com", "demo-alice-2025")
ADMIN = ("admin@example.com", "demo-admin-2025")
#: Refusals that the tour asks for.
MEANT = {400, 402, 403, 404, 405, 409, 410, 429, 503}
#: What the page says, from which states of order and payment.
ENDS = (
    ("expired", "pending", "expired"),
    ("cancelled", "cancelled", "canceled"),
    ("confirming", "pending", "processing"),
)


class Look(Protocol):
    """A stop. `keeps`: the page may be asked for again (it is not the answer to a form)."""

    def __call__(self, name: str, page: Page, *, keeps: bool = True) -> None: ...


def _buyer(windows: Windows) -> Buyer:
    buyer = windows.buyer()
    buyer.watch.allowed |= MEANT
    return buyer


def window(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """What somebody sees who only looks around, and the pages that say no."""
    buyer = _buyer(windows)
    page = buyer.page
    for name, path in {
        "shop": "/", "help": "/help/", "the look": "/design/", "credits": "/credits/", "plans": "/plans/",
        "buy a pack": "/credits/points-small/?currency=USD", "buy a plan": "/plans/plan-starter/?currency=CNY",
        "no such page": "/nowhere/",
    }.items():  # fmt: skip
        page.goto(shop.url + path)
        look(name, page)
    page.goto(f"{shop.url}/credits/points-small/?currency=USD")
    page.locator("form[data-once] button").click()
    expect(page.locator("#id_email_error")).to_be_visible()
    look("buy a pack, no address", page, keeps=False)
    page.goto(shop.url)
    page.evaluate(
        "() => { const form = document.createElement('form'); form.method = 'post'; form.action = '/i18n/setlang/';"
        " document.body.append(form); form.submit(); }"
    )
    expect(page.locator("h1")).to_have_count(1)
    page.wait_for_url("**/i18n/**")
    look("form from elsewhere", page, keeps=False)
    page.goto(f"{shop.url}/api/docs/")
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
    look("API docs", page)


def paying(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """An order from the ways to pay to each of its ends, and its receipt."""
    buyer = _buyer(windows)
    page = buyer.page
    buyer.order("/credits/points-small/?currency=CNY")
    look("ways to pay", page)
    buyer.choose("wechatpay.native")
    buyer.expect_state("scan")
    look("order: scan", page)
    buyer.order("/plans/plan-starter/?currency=CNY")
    order = page.url.replace("/pay/", "/")
    buyer.choose("alipay.page")
    page.wait_for_load_state()
    page.goto(order)
    buyer.expect_state("away")
    look("order: away", page)
    buyer.order("/credits/points-large/?currency=USD")
    order = page.url.replace("/pay/", "/")
    page.goto(order)
    buyer.expect_state("unpaid")
    look("order: unpaid", page)
    page.goto(order.replace("/?", "/pay/?"))
    buyer.choose("airwallex.card")
    look("card", page)
    page.locator("form[data-once] button").click()
    if page.locator("#id_number_error").count():
        look("card, nothing typed", page, keeps=False)
    buyer.card(DECLINED)
    expect(page.get_by_role("alert")).to_be_visible()
    look("card, declined", page, keeps=False)
    buyer.card(GOOD)
    buyer.expect_state("kept")
    look("order: kept", page)
    page.goto(order.replace("/?", "/receipt/?"))
    look("receipt", page)


def home(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """Designing at home: an empty case, what was saved, and where to have it printed."""
    phone = windows.phone()
    page = phone.page
    page.goto(f"{shop.url}/studio/")
    expect(page.locator("#studio")).to_be_visible()
    look("home studio, empty", page)
    phone.choose_phone()
    phone.add_photo(photo)
    phone.write("From home")
    look("home studio", page)
    page.locator("button[value=continue]").click()
    page.wait_for_url("**/ready/")
    look("home studio: ready", page)
    page.locator("button[value=share]").click()
    address = page.locator("#share input[readonly]").get_attribute("value") or ""
    look("home studio: shared", page)
    page.goto(address)
    look("a design that was shared", page)
    page.goto(f"{shop.url}/studio/")
    look("designs", page)


def account(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """Logging in, and one's own pages."""
    buyer = _buyer(windows)
    page = buyer.page
    for name, path in {
        "log in": "login/", "sign up": "signup/", "password forgotten": "password/reset/",
    }.items():  # fmt: skip
        page.goto(f"{shop.url}/accounts/{path}")
        look(name, page)
    fill(page, email="nobody@example.com")
    page.wait_for_url("**/done/")
    look("password forgotten, sent", page)
    page.goto(f"{shop.url}/accounts/login/")
    fill(page, login=ALICE[0], password="wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    look("log in, wrong", page, keeps=False)
    fill(page, password=ALICE[1])
    page.wait_for_url(re.compile(r"//[^/]+/(account/)?$"))
    page.goto(f"{shop.url}/account/statement/")
    look("statement, empty", page)
    page.goto(f"{shop.url}/credits/points-small/?currency=USD")
    look("buy a pack, logged in", page)
    page.locator("main form[data-once] button").click()
    page.wait_for_url("**/pay/**")
    buyer.choose("airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("given")
    look("order: given", page)
    for name, path in {
        "account": "account/", "statement": "account/statement/", "my orders": "account/orders/",
        "cards": "account/cards/", "devices": "account/devices/", "my data": "account/data/",
        "how I log in": "accounts/", "my address": "accounts/email/", "new password": "accounts/password/change/",
        "my designs": "account/designs/", "second factor": "accounts/2fa/", "second factor, begin": "accounts/2fa/totp/activate/",
        "log out": "accounts/logout/",
    }.items():  # fmt: skip
        page.goto(f"{shop.url}/{path}")
        look(name, page)


def machine(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """In front of a machine: phone and screen side by side, from the code to the case, and what else may become of it."""
    screen, phone = windows.machine(), windows.phone()
    phone.watch.allowed |= MEANT
    page, ours = phone.page, screen.ours
    screen.show_our_screen()
    _shows(ours, "scan")
    look("screen: scan", ours)
    code = screen.code()
    phone.scan(screen)
    look("landing", page)
    phone.start()
    _shows(ours, "connected")
    look("screen: connected", ours)
    look("studio, empty", page)
    phone.choose_phone()
    phone.add_photo(photo)
    phone.write("Hello 你好")
    look("studio", page)
    page.goto(code)
    look("landing: resume", page)
    page.go_back()
    other = windows.phone()
    other.watch.allowed |= MEANT
    other.page.goto(code)
    look("landing: taken", other.page)
    other.page.goto(f"{shop.url}/?qr=true&machine_id={screen.machine_id}&session_id=nonsense")
    look("landing: invalid", other.page)
    phone.go_on()
    look("summary", page)
    phone.pay()
    phone.expect_state("waiting")
    _shows(ours, "pay")
    look("order: waiting", page)
    look("screen: pay", ours)
    screen.press("cash")
    expect(page.locator("#status .number")).to_be_visible()
    look("order: queued", page)
    _shows(ours, "thanks")
    look("screen: thanks", ours)
    shop.wait_until_handed_out(screen.machine_id)
    order_no = phone.order_no
    _job(windows, shop, order_no, page, look)
    shop.query("update vending_machine set maintenance = true where machine_id = %s", screen.machine_id)
    ours.reload()
    _shows(ours, "closed")
    look("screen: closed", ours)
    other.page.goto(screen.code())
    look("landing: not ready", other.page)


def _shows(page: Page, state: str) -> None:
    expect(page.locator("#screen")).to_have_attribute("data-state", state)


def _job(windows: Windows, shop: Shop, order_no: str, page: Page, look: Look) -> None:
    """The states of a print job, written into the one that has ended: nothing moves it any more."""
    for state, shown in {
        "printing": "printing",
        "printed": "ready",
        "failed": "help",
        "collected": "collected",
    }.items():
        shop.query("update vending_printjob set status = %s where reference like %s", state, f"{order_no}%")
        page.reload()
        expect(page.locator("#status")).to_have_attribute("data-state", shown)
        look(f"order: {shown}", page)


def ended(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """Orders at a machine that came to nothing: refused there, given up; and given back."""
    screen, phone = windows.machine(), windows.phone()
    phone.watch.allowed |= MEANT
    phone.design(screen, photo)
    phone.pay()
    phone.expect_state("waiting")
    screen.press("declined")
    phone.expect_state("not_paid")
    look("order: not paid", phone.page)
    buyer = _buyer(windows)
    for state, order, payment in ENDS:
        buyer.order("/credits/points-large/?currency=CNY")
        buyer.choose("wechatpay.native")
        buyer.expect_state("scan")
        shop.query("update orders_order set status = %s where order_no = %s", order, buyer.order_no)
        shop.query(
            "update payments_paymentintent i set status = %s from orders_order o"
            " where o.id = i.order_id and o.order_no = %s",
            payment, buyer.order_no,
        )  # fmt: skip
        buyer.page.reload()
        buyer.expect_state(state)
        look(f"order: {state}", buyer.page)
    buyer.order("/credits/points-small/?currency=USD")
    buyer.choose("airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("kept")
    windows.desk().refund(buyer.order_no)
    until_shown(buyer.page, "#status[data-state=refunded]")
    look("order: refunded", buyer.page)


def desk(windows: Windows, shop: Shop, photo: bytes, look: Look) -> None:
    """The staff's home, every list, and a page of what matters most."""
    context, watch = windows.context({shop.port}, viewport={"width": 1280, "height": 800}, locale="en-GB")
    watch.allowed |= MEANT
    page = context.new_page()
    page.goto(f"{shop.url}/admin/")
    look("desk: log in", page)
    fill(page, login=ADMIN[0], password=ADMIN[1])
    page.wait_for_url("**/admin/")
    look("desk", page)
    lists = page.evaluate(
        "() => [...new Set([...document.querySelectorAll('a[href]')].map((a) => a.pathname))]"
    )
    for path in sorted(path for path in lists if re.fullmatch(r"/admin/\w+/\w+/", path)):
        page.goto(shop.url + path)
        look(f"desk: {path.removeprefix('/admin/').strip('/')}", page)
    for path in ("orders/order", "payments/paymentintent", "vending/machine", "vending/printjob"):
        page.goto(f"{shop.url}/admin/{path}/")
        row = page.locator("#result_list tbody th a, #result_list tbody td a").first
        if row.count():
            page.goto(shop.url + (row.get_attribute("href") or ""))
            look(f"desk: one of {path}", page)


#: By name, in an order in which the desk has something to show.
PARTS: dict[str, Callable[[Windows, Shop, bytes, Look], None]] = {
    "window": window,
    "paying": paying,
    "home": home,
    "account": account,
    "machine": machine,
    "ended": ended,
    "desk": desk,
}
