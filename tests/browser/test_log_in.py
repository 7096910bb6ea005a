"""An account on the website: sign up with a code from the mailbox, log out, log in where one was; with and without scripts."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import Phone

pytestmark = pytest.mark.browser
PASSWORD = "a case for every phone"


def mailed_code(phone: Phone, email: str) -> str:
    """Open the mailbox in another window and read the newest mail."""
    box = phone.page.context.new_page()
    box.goto(f"{phone.shop.sandbox.base_url}/mailbox/?to={email}")
    box.locator("[data-mail] a").first.click()
    found = re.search(r"\b\d{4}-\d{4}\b", box.locator(".letter").inner_text())
    assert found
    phone.page.bring_to_front()
    return found[0]


def fill(page: Page, **fields: str) -> None:
    """Fill the form of the page by the names of its fields, and send it."""
    for name, text in fields.items():
        page.locator(f"main [name={name}]").fill(text)
    page.locator("main form button").first.click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_sign_up_log_out_and_log_in(windows: Windows, shop: Shop, scripts: bool) -> None:
    phone = windows.phone(sandbox=True, java_script_enabled=scripts)
    page, email = phone.page, f"ada.{time.monotonic_ns()}@example.com"
    page.goto(f"{shop.url}/plans/?currency=CNY")
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("link", name="Make an account").click()
    fill(page, email=email, password1="abc")
    expect(page.locator("#id_password1_error")).to_contain_text("at least 8 characters")
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    fill(page, password1=PASSWORD)
    expect(page.locator("h1")).to_have_text("Look into your mail")
    fill(page, code="0000-0000")
    expect(page.locator("#id_code_error")).to_have_text("That is not the right code. Please look again.")
    fill(page, code=mailed_code(phone, email))
    page.wait_for_url(f"{shop.url}/plans/?currency=CNY")
    expect(page.get_by_role("link", name="Account", exact=True)).to_have_count(1)

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{shop.url}/")
    expect(page.get_by_text("You are logged out.")).to_be_visible()
    page.goto(f"{shop.url}/credits/")
    page.get_by_role("link", name="Log in").click()
    fill(page, login=email, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("That e-mail address and password do not go together.")
    fill(page, password=PASSWORD)
    page.wait_for_url(f"{shop.url}/credits/")
    expect(page.get_by_role("button", name="Log out")).to_have_count(1)
