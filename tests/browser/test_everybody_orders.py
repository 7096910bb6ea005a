"""A machine's screens, the pages of an order in all its states, and the pages that say no, for everybody (see `inspector`).

States that would take minutes to come by, or a provider's mistake, are written into the rows of an order that has ended.
"""

from __future__ import annotations

import functools

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, expect

from payments.views import pay
from pimpshop.core import throttles
from tests.browser import tour
from tests.browser.conftest import Windows
from tests.browser.inspector import Inspector
from tests.browser.shop import Shop
from tests.browser.test_online import GOOD
from tests.browser.windows import Machine, Phone

pytestmark = pytest.mark.browser


JOB = "update vending_printjob set status = %s where order_no = %s"
ORDER = "update orders_order set status = %s where order_no = %s"
#: Print jobs, and what the order's page calls it.
JOBS = {
    "accepted": "queued",
    "printing": "printing",
    "printed": "ready",
    "failed": "help",
    "collected": "collected",
}


def shows(page: Page, state: str, where: str = "#screen") -> None:
    expect(page.locator(where)).to_have_attribute("data-state", state, timeout=20_000)


def test_a_purchase_at_a_machine(windows: Windows, shop: Shop, photo: bytes) -> None:
    inspector = Inspector(shop)
    look = inspector.here
    screen, phone = windows.machine(), windows.phone()
    phone.watch.allowed |= tour.MEANT
    page, ours = phone.page, screen.ours

    def look_at_screen(state: str) -> None:
        shows(ours, state)
        look(f"screen: {state}", ours, widths=False)

    screen.show_our_screen()
    look_at_screen("scan")
    code = screen.code()
    phone.scan(screen)
    look("landing", page)
    page.reload()
    phone.start()
    look_at_screen("connected")
    look("studio, empty", page)
    page.reload()
    phone.choose_phone()
    phone.add_photo(photo)
    studio = page.url
    look("studio", page)
    page.goto(code)
    look("landing: back again", page)
    page.goto(studio)
    phone.go_on()
    look("summary", page)
    page.reload()
    phone.pay()
    phone.expect_state("waiting")
    look("order: waiting", page)
    page.reload()
    look_at_screen("pay")
    screen.press("cash")
    expect(page.locator("#status .number")).to_be_visible()
    look_at_screen("thanks")
    shop.wait_until_handed_out(screen.machine_id)
    _job(shop, phone, inspector)
    _screens(shop, screen, phone, inspector)
    assert inspector.found == {}
    assert len(inspector.seen) == 29, inspector.seen


def _job(shop: Shop, phone: Phone, inspector: Inspector) -> None:
    """The states of a case; "I did not get my case"; what was given back of it."""
    page, number = phone.page, phone.order_no
    address = page.url
    for status, state in JOBS.items():
        shop.query(JOB, status, number)
        page.goto(address)
        shows(page, state, "#status")
        inspector.here(f"order: {state}", page)
    page.goto(address)
    page.locator("[data-missing=offer]").click()
    inspector.here("did not get my case", page)
    page.reload()
    page.locator("form[data-once] button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspector.here("did not get my case, nothing said", page)
    page.reload()
    page.locator("main input[type=radio]").first.check()
    page.locator("#id_contact").fill("ada@example.com")
    page.locator("form[data-once] button").click()
    expect(page.locator("[data-missing=sent]")).to_be_visible()
    inspector.here("order: message sent", page)
    shop.query(
        "update vending_printjob set attempts = 4, accepted_at = null, status = 'submitting' where order_no = %s",
        number,
    )
    page.goto(address)
    shows(page, "delayed", "#status")
    inspector.here("order: delayed", page)
    shop.query(JOB, "waiting", number)
    page.goto(address)
    shows(page, "choose", "#status")
    inspector.here("order: which machine", page)
    shop.query(
        "update vending_printjob set accepted_at = now(), status = 'collected' where order_no = %s", number
    )
    for back, state in ((500, "collected"), (1999, "refunded")):
        given_back(shop, number, back)
        if state == "refunded":
            shop.query(ORDER, state, number)
        page.goto(address)
        shows(page, state, "#status")
        inspector.here(f"order: {back} given back", page)


def given_back(shop: Shop, order_no: str, minor: int) -> None:
    shop.query(
        "update payments_paymentintent i set refund_reserved_minor = %s, refunded_minor = %s from orders_order o"
        " where o.id = i.order_id and o.order_no = %s and i.captured_minor > 0",
        minor, minor, order_no,
    )  # fmt: skip


def _screens(shop: Shop, screen: Machine, phone: Phone, inspector: Inspector) -> None:
    """The rest of a machine's screens: with a queue, paid on the phone, off the line, closed. None of them is a phone's."""
    ours, machine = screen.ours, screen.machine_id
    shop.query(
        "update vending_printjob set status = 'printing', accepted_at = now() where order_no = %s",
        phone.order_no,
    )
    shop.query(
        "update vending_vendingsession set status = 'payment_pending', payment_started_at = now(), third_id = 'elsewhere'"
        " where order_no = %s", phone.order_no,
    )  # fmt: skip
    ours.reload()
    shows(ours, "phone")
    expect(ours.locator(".screen-chip[data-now]")).to_be_visible()
    inspector.here("screen: phone, and a queue", ours, widths=False)
    shop.query(
        "update vending_vendingsession set status = 'payment_completed' where order_no = %s", phone.order_no
    )
    shop.query("update vending_machine set maintenance = true where machine_id = %s", machine)
    shop.query(
        "update vending_vendingsession set updated_at = now() - interval '1 hour' where order_no = %s",
        phone.order_no,
    )
    ours.reload()
    shows(ours, "closed")
    inspector.here("screen: closed", ours, widths=False)
    ours.reload()
    ours.evaluate("for (const id of ['offline', 'stale']) document.getElementById(id).hidden = false")
    inspector.here("screen: off the line", ours, widths=False)
    fresh = shop.sandbox.start_session(machine)["session_id"]
    for name, session in (("not ready", fresh), ("invalid", "nonsense")):
        phone.page.goto(f"{shop.url}/?qr=true&machine_id={machine}&session_id={session}")
        inspector.here(f"landing: {name}", phone.page)
    shop.query(
        "update vending_vendingsession set expires_at = now() - interval '1 s' where session_id = %s", fresh
    )
    for name, path in (
        ("landing", f"/?qr=true&machine_id={machine}&session_id={fresh}"),
        ("studio", f"/studio/s/{fresh}/"),
    ):
        phone.page.goto(shop.url + path)
        inspector.here(f"{name}: run out", phone.page)


INTENT = (
    "update payments_paymentintent i set {} from orders_order o where o.id = i.order_id and o.order_no = %s"
)
IN_WECHAT = '{"kind": "client_params", "sdk": "wechat_jsapi", "params": {}}'
#: Stop: (what the page calls it, the order's state, what is written into its payment).
ENDS = {
    "in an app": ("in_app", "pending", f"next_action = '{IN_WECHAT}'"),
    "expired": ("expired", "pending", "status = 'expired'"),
    "not paid": ("not_paid", "pending", "status = 'failed', error_code = 'card_declined'"),
    "confirming": ("confirming", "pending", "status = 'processing'"),
    "cancelled": ("cancelled", "cancelled", "status = 'canceled'"),
    "paid too late": (
        "late",
        "cancelled",
        "status = 'succeeded', is_surplus = true, captured_minor = amount_minor",
    ),
    "late money given back": (
        "late",
        "cancelled",
        "refund_reserved_minor = amount_minor, refunded_minor = amount_minor",
    ),
}


def test_orders_that_ended_otherwise(windows: Windows, shop: Shop) -> None:
    inspector = Inspector(shop)
    buyer = windows.buyer()
    buyer.watch.allowed |= tour.MEANT
    page = buyer.page
    buyer.order("/credits/points-small/?currency=CNY")
    buyer.choose("wechatpay.native")
    buyer.expect_state("scan")
    address, number = page.url, buyer.order_no
    shop.query(INTENT.format("next_query_at = null, last_query_at = now() + interval '1 hour'"), number)
    for name, (state, order, payment) in ENDS.items():
        shop.query(ORDER, order, number)
        shop.query(INTENT.format(payment), number)
        page.goto(address)
        shows(page, state, "#status")
        inspector.here(f"order: {name}", page)
    buyer.order("/credits/points-small/?currency=USD")
    buyer.choose("airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("kept")
    address, number = page.url, buyer.order_no
    for back in (50, 200):
        given_back(shop, number, back)
        for name, path in (("order", address), ("receipt", address.replace("/?", "/receipt/?"))):
            page.goto(path)
            inspector.here(f"{name}: {back} given back", page)
    assert inspector.found == {}
    assert len(inspector.seen) == len(ENDS) + 4


def answer(route: Route, *, status: int, body: str) -> None:
    route.fulfill(status=status, body=body, content_type="text/html; charset=utf-8")


def test_pages_that_say_no(windows: Windows, shop: Shop) -> None:
    """404 and the form from elsewhere stand in the tour."""
    inspector = Inspector(shop)
    buyer = windows.buyer()
    buyer.watch.allowed |= tour.MEANT | {500}
    page = buyer.page
    for code in (500, 503):  # these ask nothing of anybody; the looks are the shop's
        body = render_to_string(f"{code}.html")
        page.route(f"**/{code}/", functools.partial(answer, status=code, body=body))
        page.goto(f"{shop.url}/{code}/")
        inspector.here(str(code), page)
    page.goto(f"{shop.url}/orders/PYEN0000000000000001/?k=nonsense")
    inspector.here("no such order", page)
    page.goto(f"{shop.url}/studio/h/00000000-0000-4000-8000-000000000000/")
    inspector.here("no such design", page)
    buyer.order("/credits/points-small/?currency=USD")
    for _ in range(pay.STARTS.count):
        throttles.hit(pay.STARTS, buyer.order_no)
    buyer.choose("airwallex.card")
    expect(page.locator("h1")).to_be_visible()
    inspector.here("too fast", page)
    assert inspector.found == {}
    assert inspector.seen == ["500", "503", "no such order", "no such design", "too fast"]
