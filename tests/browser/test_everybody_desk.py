"""The staff's desk for everybody, light and dark (see `inspector`): lists, pages, the question before an act, the second person.

Most of what is drawn here is unfold's; static/css/desk.css sets right what it draws too pale or too small.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import tour
from tests.browser.conftest import Windows
from tests.browser.inspector import Inspector
from tests.browser.shop import Shop
from tests.browser.test_log_in import fill
from tests.browser.test_online import GOOD

pytestmark = pytest.mark.browser

ITEM = (
    "insert into core_staffitem (created_at, updated_at, kind, subject, title, detail, data, resolved_by, resolution, owner)"
    " values (now(), now(), 'case_not_received', %s, 'Somebody did not get their case', 'Look at the machine.', '{}', '', '', '')"
)
LISTS = (
    "orders/order", "payments/paymentintent", "payments/refund", "vending/machine", "vending/printjob", "core/staffitem",
    "core/staffrequest", "core/auditentry", "core/notification", "catalog/shell", "catalog/phonemodel", "accounts/user",
)  # fmt: skip
PAGES = (
    "find/?q=nothing", "payments/statementrun/days/", "core/notification/wordings/", "vending/machine/add/",
    "catalog/colour/add/",
)  # fmt: skip
#: One row of each: its table and its key.
FIRST = {
    "vending/machine": ("vending_machine", "id"), "catalog/shell": ("catalog_shell", "id"),
    "catalog/caseproduct": ("catalog_caseproduct", "product_ptr_id"), "accounts/user": ("accounts_user", "id"),
}  # fmt: skip


def bought(windows: Windows, shop: Shop) -> str:
    """An order that has a story, of somebody with an account."""
    buyer = windows.buyer()
    page = buyer.page
    page.goto(f"{shop.url}/accounts/login/?next=/credits/points-small/")
    fill(page, login=tour.ALICE[0], password=tour.ALICE[1])
    page.wait_for_url("**/points-small/")
    page.goto(f"{shop.url}/credits/points-small/?currency=USD")
    page.locator("main form[data-once] button").click()
    page.wait_for_url("**/pay/**")
    buyer.choose("airwallex.card")
    buyer.card(GOOD)
    buyer.expect_state("given")
    return buyer.order_no


def give_credits(page: Page, shop: Shop, account: int, amount: str) -> None:
    page.goto(f"{shop.url}/admin/credits/creditaccount/{account}/act/give-credits/")
    page.locator("form.desk-act [name=amount]").fill(amount)
    page.locator("form.desk-act [name=reason]").fill("a present")
    with page.expect_navigation():
        page.locator("form.desk-act [name=show]").click()


def test_the_desk(windows: Windows, shop: Shop) -> None:
    inspector, order_no = Inspector(shop), bought(windows, shop)
    shop.query(ITEM, f"{order_no}/1")
    context, watch = windows.context({shop.port}, viewport={"width": 1280, "height": 800}, locale="en-GB")
    watch.allowed |= tour.MEANT
    page = context.new_page()

    def look(path: str) -> None:
        page.goto(f"{shop.url}/admin/{path}")
        inspector.here(f"desk: {path}", page)

    look("")
    page.reload()
    fill(page, login=tour.ADMIN[0], password=tour.ADMIN[1])
    page.wait_for_url("**/admin/")
    look("")
    for path in LISTS:
        look(f"{path}/")
    for path in PAGES:
        look(path)
    for model, (table, key) in FIRST.items():
        [(number,)] = shop.query(f"select min({key}) from {table}")
        look(f"{model}/{number}/change/")
    _story(shop, order_no, page, inspector)
    _acts(shop, order_no, page, inspector)
    assert inspector.found == {}
    assert len(inspector.seen) == 2 + len(LISTS) + len(PAGES) + len(FIRST) + 9, inspector.seen


def _story(shop: Shop, order_no: str, page: Page, inspector: Inspector) -> None:
    """An order, its payment and an item about it, with their timelines unfolded."""
    for model, sql in {
        "orders/order": "select id from orders_order where order_no = %s",
        "payments/paymentintent": "select i.id from payments_paymentintent i join orders_order o on o.id = i.order_id where o.order_no = %s",
        "core/staffitem": "select id from core_staffitem where subject like %s || '%%'",
    }.items():
        [(number,)] = shop.query(sql, order_no)
        page.goto(f"{shop.url}/admin/{model}/{number}/change/")
        if model != "core/staffitem":
            expect(page.locator(".desk-story .desk-entry").first).to_be_visible()
        page.evaluate(
            "for (const one of document.querySelectorAll('main details, #main details')) one.open = true"
        )
        inspector.here(f"desk: one of {model}", page)


def _acts(shop: Shop, order_no: str, page: Page, inspector: Inspector) -> None:
    """The question, what would move, what is refused; then what waits for a second person."""
    [(payment,)] = shop.query("select i.id from payments_paymentintent i where i.out_trade_no = %s", order_no)
    page.goto(f"{shop.url}/admin/payments/paymentintent/{payment}/act/refund/")
    inspector.here("desk: before a refund", page)
    page.reload()
    page.locator("form.desk-act button[type=submit]:not([name=show])").click()
    expect(page.locator("form.desk-act")).to_be_visible()
    inspector.here("desk: a refund without a reason", page)
    [(item,)] = shop.query("select max(id) from core_staffitem")
    page.goto(f"{shop.url}/admin/core/staffitem/{item}/act/resolve/")
    inspector.here("desk: before an item is resolved", page)
    [(account,)] = shop.query(
        "select c.id from credits_creditaccount c join accounts_user u on u.id = c.user_id where u.email = %s", tour.ALICE[0]
    )  # fmt: skip
    give_credits(page, shop, account, "20000")
    inspector.here("desk: what would move", page)
    give_credits(page, shop, account, "20000")
    page.locator("form.desk-act button[type=submit]:not([name=show])").click()
    page.wait_for_url(re.compile("/change/"))
    [(request,)] = shop.query("select max(id) from core_staffrequest where status = 'asked'")
    page.goto(f"{shop.url}/admin/core/staffrequest/{request}/change/")
    inspector.here("desk: a request for a second person", page)
    page.goto(f"{shop.url}/admin/core/staffrequest/{request}/act/withdraw/")
    inspector.here("desk: before a request is taken back", page)
    page.reload()
    page.locator("form.desk-act [name=reason]").fill("not any more")
    page.locator("form.desk-act button[type=submit]:not([name=show])").click()
    page.wait_for_url(re.compile("/change/"))
    assert shop.query("select status from core_staffrequest where id = %s", request) != [("asked",)]
