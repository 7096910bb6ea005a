"""The capability in one sight: a phone and a machine's screen, a real photo, a printed case with its number."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import photos
from tests.browser.conftest import Windows
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser

WORDS = {
    "en": {
        "lang": "en",
        "landing": "Hello! Let's make your case",
        "studio": "Design your case",
        "summary": "Does it look right?",
        "pay": "Pay at the machine",
        "waiting": "Now pay at the machine",
        "amount": "£19.99",
        "number": "Your number",
        "collected": "Enjoy your case!",
        "steps": ["Ordered", "Paid", "Sent to the machine", "Printing", "Ready", "Collected"],
        "machine_ready": "Ready to pay",
        "machine_number": "Your number",
        "bay": "Ready to take",
    },
    "zh": {
        "lang": "zh-hans",
        "landing": "您好！来做您的手机壳",
        "studio": "设计手机壳",
        "summary": "确认一下效果",
        "pay": "到机器上付款",
        "waiting": "请到机器上付款",
        "amount": "£19.99",
        "number": "取件号",
        "collected": "祝您用得开心！",
        "steps": ["已下单", "已付款", "已发往机器", "打印中", "可取件", "已取走"],
        "machine_ready": "请付款",
        "machine_number": "你的号码",
        "bay": "请取走",
    },
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_windows(windows: Windows, shop: Shop, photo: bytes, language: str) -> None:
    """From the code on the screen to the case in the tray, in one language, with nothing amiss in either window."""
    say = WORDS[language]
    machine, phone = windows.machine(language), windows.phone(language)

    phone.scan(machine)
    page = phone.page
    expect(page.locator("html")).to_have_attribute("lang", say["lang"])
    expect(page.locator("h1")).to_have_text(say["landing"])
    phone.start()
    expect(page.locator("h1")).to_have_text(say["studio"])
    phone.choose_phone()
    phone.add_photo(photo)
    phone.write("Hello 你好")
    phone.go_on()
    expect(page.locator("h1")).to_have_text(say["summary"])
    expect(phone.pay_button).to_have_text(say["pay"])
    expect(page.locator("dl")).to_contain_text("Hello 你好")

    phone.pay()
    phone.expect_state("waiting")
    expect(page.locator("#status h1")).to_have_text(say["waiting"])
    expect(page.locator("#status .amount")).to_have_text(say["amount"])
    machine.show_our_screen()
    expect(machine.ours.locator("#screen")).to_have_attribute("data-state", "pay")
    expect(machine.ours.locator(".screen-amount")).to_have_text("£19.99")
    expect(machine.page.locator("h1")).to_have_text(say["machine_ready"])
    expect(machine.page.locator(".amount")).to_have_attribute("data-amount", "19.99")
    order_no = phone.order_no
    machine.press("card")

    expect(page.locator("#status .number")).to_be_visible()
    number = phone.queue_no()
    expect(page.locator("#status")).to_contain_text(say["number"])
    expect(machine.page.locator("[data-queue-no]")).to_have_attribute("data-queue-no", number)
    expect(machine.page.locator("h1")).to_have_text(say["machine_number"])
    expect(machine.ours.locator(".screen-number")).to_have_text(number)
    expect(machine.ours.locator(".screen-queue")).to_contain_text(number)

    shop.let_print()
    phone.expect_one_of("printing|ready|collected")
    shop.wait_until_handed_out(machine.machine_id)
    page.reload()  # the page would look by itself within 15 seconds
    phone.expect_state("collected")
    expect(page.locator("#status h1")).to_have_text(say["collected"])
    steps = page.locator("#status .trail > li")
    assert [re.sub(r"\s*\d+:\d+$", "", text) for text in steps.all_inner_texts()] == say["steps"]
    assert {step.get_attribute("data-step") for step in steps.all()} == {"done"}

    bay = machine.open_bay()
    expect(bay.locator(".job")).to_have_count(1)
    expect(bay.locator(".job .head strong")).to_have_text(number)
    digest = bay.locator("[data-hash]").get_attribute("data-hash") or ""
    assert digest == shop.print_hash(order_no)
    assert photos.is_upright(shop.printed_picture(digest))
    [payment], [order] = shop.payments(machine.machine_id), shop.orders(machine.machine_id)
    assert (payment["status"], payment["pay_amount"], payment["pay_type"]) == (3, "19.99", 5)
    assert (order["third_pay_id"], order["queue_no"]) == (payment["third_id"], number)
