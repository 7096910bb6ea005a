"""Money in front of a machine: refused, walked away from, asked for twice, lost on the way; never taken twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import Machine

pytestmark = pytest.mark.browser

WAITING, PAID, DECLINED = 1, 3, 4


def statuses(shop: Shop, machine: Machine) -> list[int]:
    """The manufacturer's numbers for the machine's payments, oldest first."""
    return [
        payment["status"] for payment in sorted(shop.payments(machine.machine_id), key=lambda p: p["created"])
    ]


def test_a_declined_card_and_a_second_try(windows: Windows, shop: Shop, photo: bytes) -> None:
    """Nothing was charged, says the page; from there the same design is paid with cash."""
    machine, phone = windows.machine(), windows.phone()
    phone.design(machine, photo)
    phone.pay()
    first = phone.order_no
    machine.press("declined")
    phone.expect_state("not_paid")
    expect(phone.page.locator("#status")).to_contain_text("Nothing was charged")
    phone.page.get_by_role("link", name="Try again").click()
    expect(phone.pay_button).to_be_visible()
    phone.pay()
    phone.expect_state("waiting")
    assert phone.order_no == first
    machine.press("cash")
    expect(phone.page.locator("#status .number")).to_be_visible()
    assert statuses(shop, machine) == [DECLINED, PAID]
    assert len(shop.orders(machine.machine_id)) == 1


def test_walking_away(windows: Windows, shop: Shop, photo: bytes) -> None:
    """Who leaves pays nothing and gets nothing; the machine is free for the next one, who sees nothing of it."""
    machine, phone = windows.machine(), windows.phone()
    phone.design(machine, photo)
    phone.pay()
    phone.expect_state("waiting")
    machine.press("walk_away")
    machine.new_code()
    other = windows.phone()
    other.scan(machine)
    other.start()
    expect(other.page.locator("input[name=photo]")).to_have_value("")
    phone.expect_state("waiting")
    assert (statuses(shop, machine), shop.orders(machine.machine_id)) == ([WAITING], [])


def test_impatience_never_pays_twice(windows: Windows, shop: Shop, photo: bytes) -> None:
    """Two tabs, two taps, reload and the back button: one order, one payment, and each way leads to its page."""
    machine, phone = windows.machine(), windows.phone()
    phone.design(machine, photo)
    summary = phone.page.url
    tab = phone.page.context.new_page()
    tab.goto(summary)
    phone.pay_button.dblclick(no_wait_after=True)
    phone.page.wait_for_url("**/orders/**")
    tab.locator("form[data-once][action$='/summary/'] button").click()
    tab.wait_for_url("**/orders/**")
    assert tab.url == phone.page.url
    for _ in range(3):
        phone.page.reload()
    phone.page.go_back()
    phone.page.wait_for_url("**/orders/**")
    phone.expect_state("waiting")
    phone.page.goto(summary.removesuffix("summary/"))
    phone.page.wait_for_url("**/orders/**")
    machine.press("card")
    expect(phone.page.locator("#status .number")).to_be_visible()
    phone.page.reload()
    tab.goto(summary)
    tab.wait_for_url("**/orders/**")
    assert statuses(shop, machine) == [PAID]
    assert len(shop.orders(machine.machine_id)) == 1
    assert shop.query("select count(*) from orders_order where session_id = %s", summary.split("/")[5]) == [
        (1,)
    ]


def test_a_lost_answer_is_looked_after(windows: Windows, shop: Shop, photo: bytes) -> None:
    """The machine took the order for the money and its answer was lost: the page says not to pay again, and recovers."""
    machine, phone = windows.machine(), windows.phone()
    phone.design(machine, photo)
    shop.sandbox.fault("answer_lost_after_accepting", target="order/payData", count=1)
    shop.sandbox.fault("down", target="order/getPayStatus")
    phone.pay()
    phone.expect_state("confirming")
    expect(phone.page.locator("#status h1")).to_have_text("We are checking your payment")
    expect(phone.page.locator("#status .alert-warning")).to_have_text("Please do not pay again.")
    assert statuses(shop, machine) == [WAITING]
    shop.sandbox.fault("down", target="order/getPayStatus", on=False)
    phone.expect_state("waiting")
    machine.press("card")
    expect(phone.page.locator("#status .number")).to_be_visible()
    assert statuses(shop, machine) == [PAID]


def test_a_machine_that_cannot_print_takes_no_money(windows: Windows, shop: Shop, photo: bytes) -> None:
    """One customer's print fails because the printer is out; who is about to pay is told, and asked for nothing."""
    machine, first, second = windows.machine(), windows.phone(), windows.phone()
    second.watch.allowed |= {503}
    first.design(machine, photo)
    machine.new_code()
    second.design(machine, photo)
    shop.sandbox.fault("printer_out_status_13")
    shop.let_print()
    first.pay()
    machine.press("card")
    first.expect_state("help")
    expect(first.page.locator("#status")).to_contain_text("Please do not pay again.")

    second.pay_button.click()
    expect(second.page.get_by_role("alert")).to_contain_text("The machine is not ready to print")
    expect(second.page.get_by_role("alert")).to_contain_text("Nothing was charged.")
    expect(second.pay_button).to_have_count(0)
    assert statuses(shop, machine) == [PAID]

    third = windows.phone()
    third.watch.allowed |= {503}
    third.page.goto(
        f"{shop.url}/?qr=true&machine_id={machine.machine_id}&session_id={shop.sandbox.start_session(machine.machine_id)['session_id']}"
    )
    expect(third.page.locator("h1")).to_have_text("This machine takes a break")
