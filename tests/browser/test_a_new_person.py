"""Somebody new: makes an account, buys credits by WeChat Pay and by Stripe, spends them on a case, and has it given back.

After each step the account's page, the statement, the spreadsheet and the receipts say the same, and it is what was done.
"""

from __future__ import annotations

import csv
import io
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_every_way import in_wechat
from tests.browser.test_log_in import PASSWORD, fill, mailed_code
from tests.browser.test_online import GOOD, stripe_card, until_shown
from tests.browser.windows import Phone, press

pytestmark = pytest.mark.browser


def sign_up(phone: Phone) -> None:
    """From the shop's list of packs to an account, and back to the list."""
    page, email = phone.page, f"new.{time.monotonic_ns()}@example.com"
    page.goto(f"{phone.shop.url}/credits/?currency=CNY")
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("link", name="Make an account").click()
    fill(page, email=email, password1=PASSWORD)
    fill(page, code=mailed_code(phone, email))
    page.wait_for_url("**/credits/?currency=CNY")


def order(page: Page, shop: Shop, path: str) -> None:
    """Whoever is logged in is asked for no address."""
    page.goto(shop.url + path)
    expect(page.locator("main input[type=email]")).to_have_count(0)
    page.locator("main form[data-once] button").click()
    page.wait_for_url("**/pay/**")


def assert_account(page: Page, shop: Shop, amounts: list[int]) -> None:
    """The movements in their order: each page has them, with the balance that each left."""
    balances = [sum(amounts[: n + 1]) for n in range(len(amounts))]
    page.goto(f"{shop.url}/account/")
    expect(page.locator(".number-big")).to_contain_text(f"{balances[-1]:,}")
    page.get_by_role("link", name="Statement").click()
    lines = page.locator("tr[data-line]")
    expect(lines).to_have_count(len(amounts))
    shown = [
        (
            int(line.locator("[data-amount]").get_attribute("data-amount") or 0),
            int(line.locator("[data-balance]").get_attribute("data-balance") or 0),
        )
        for line in lines.all()
    ]
    assert shown == list(reversed(list(zip(amounts, balances, strict=True))))
    with page.expect_download() as waiting:
        page.locator("a[download]").click()
    text = waiting.value.path().read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(int(row["Credits"]), int(row["Balance after"])) for row in rows] == shown


def test_credits_bought_spent_and_given_back(windows: Windows, shop: Shop, photo: bytes) -> None:
    buyer, machine = windows.buyer(), windows.machine()
    page, phone = buyer.page, Phone(buyer.page, shop, buyer.watch)
    sign_up(phone)

    order(page, shop, "/credits/points-small/?currency=CNY")
    buyer.choose("wechatpay.native")
    in_wechat(buyer)
    buyer.expect_state("given")
    first = buyer.order_no
    assert_account(page, shop, [800])

    order(page, shop, "/credits/points-small/?currency=USD")
    buyer.choose("stripe.checkout")
    stripe_card(page, GOOD)
    page.wait_for_url("**/orders/**")
    buyer.expect_state("given")
    assert_account(page, shop, [800, 800])

    phone.design(machine, photo)
    expect(page.locator("[data-has]")).to_contain_text("1,600 credits")
    press(page, "credits")
    page.wait_for_url("**/orders/**")
    expect(page.locator("#status .number")).to_be_visible()
    case, status_page = phone.order_no, page.url
    [printed] = shop.orders(machine.machine_id)
    assert phone.queue_no() == printed["queue_no"]
    assert_account(page, shop, [800, 800, -1500])

    shop.wait_until_handed_out(machine.machine_id)
    windows.desk().refund(case)
    page.goto(status_page)
    until_shown(page, "#status[data-state=refunded]")
    expect(page.locator("#status")).to_contain_text("You got back 1,500 credits.")
    assert_account(page, shop, [800, 800, -1500, 1500])

    page.goto(f"{shop.url}/account/orders/")
    expect(page.locator("[data-order]")).to_have_count(3)
    page.locator(f"[data-order='{first}']").get_by_role("link", name="Receipt").click()
    expect(page.locator("[data-total]")).to_have_text("CN¥14.00")
    page.goto(f"{shop.url}/account/orders/")
    page.locator(f"[data-order='{case}']").get_by_role("link", name="Receipt").click()
    expect(page.locator("[data-total]")).to_have_text("1,500 credits")
    expect(page.locator("[data-left]")).to_have_text("0 credits")
