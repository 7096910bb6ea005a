"""Whose session it is, and for how long: two phones at one machine, and a phone that comes too late."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser


def test_two_phones_at_one_machine(windows: Windows, photo: bytes) -> None:
    """Both scan the same code: the first one has it, the second is told so and never sees the first one's design."""
    machine, first, second = windows.machine(), windows.phone(), windows.phone()
    second.watch.allowed |= {403, 409}
    first.scan(machine)
    code = first.page.url
    second.page.goto(code)
    expect(second.page.locator("h1")).to_have_text("Hello! Let's make your case")
    first.start()
    first.choose_phone()
    first.add_photo(photo)
    first.write("For Ada")
    studio, preview = first.page.url, first.page.locator("#preview").get_attribute("src") or ""

    second.page.locator("form[action^='/start'] button").click()
    expect(second.page.locator("h1")).to_have_text("Another phone was faster")
    second.page.goto(code)
    expect(second.page.locator("h1")).to_have_text("Another phone was faster")
    for address in (studio, studio + "summary/"):
        second.page.goto(address)
        expect(second.page.locator("h1")).to_have_text("This is not open to you")
        assert "For Ada" not in second.page.content()
    refused = second.page.request.get(preview if preview.startswith("http") else second.shop.url + preview)
    assert (refused.status, refused.headers["content-type"].startswith("image/")) == (403, False)

    first.page.goto(code)
    expect(first.page.locator("h1")).to_have_text("Welcome back!")
    first.page.get_by_role("link", name="Go on designing").click()
    expect(first.page.locator("input[name=text]")).to_have_value("For Ada")


def test_a_session_that_has_run_out(windows: Windows, shop: Shop, photo: bytes) -> None:
    """The studio says so without losing a word on the way, a reload says so, and the code leads nowhere."""
    machine, phone = windows.machine(), windows.phone()
    phone.watch.allowed |= {410}
    phone.scan(machine)
    code = phone.page.url
    phone.start()
    phone.choose_phone()
    phone.add_photo(photo)
    shop.query(
        "update vending_vendingsession set expires_at = now() - interval '1 s' where session_id = %s",
        phone.session_id,
    )
    phone.open("text")
    phone.page.locator("input[name=text]").fill("too late")
    expect(phone.page.locator("#problems")).to_have_text(
        "Your time is over. Please scan the code on the machine again. Nothing was charged."
    )
    phone.page.reload()
    expect(phone.page.locator("h1")).to_have_text("This has run out")
    expect(phone.page.locator("main")).to_contain_text(
        "Nothing was charged. Please scan the machine's code again."
    )
    phone.page.goto(code)
    expect(phone.page.locator("h1")).to_have_text("This code has run out")
    assert shop.payments(machine.machine_id) == []


def test_the_language_can_be_changed_on_the_way(windows: Windows) -> None:
    """A code whose address asks for Chinese, then English by the switch, which stays."""
    machine, phone = windows.machine(), windows.phone()
    phone.scan(machine, "&lang=zh")
    page = phone.page
    expect(page.locator("h1")).to_have_text("您好！来做您的手机壳")
    page.get_by_role("banner").get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Hello! Let's make your case")
    phone.start()
    expect(page.locator("h1")).to_have_text("Design your case")
    page.get_by_role("banner").get_by_role("button", name="简体中文").click()
    expect(page.locator("h1")).to_have_text("设计手机壳")
