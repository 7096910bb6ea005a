"""The shop by keys alone, and for people whom movement troubles: every stop of the focus is seen, nothing moves by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_online import GOOD, paid_once
from tests.browser.windows import Phone

pytestmark = pytest.mark.browser

#: Of what has the focus: is it inside the window, not under something else, and does an outline show it?
UNSEEN = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const say = (what) => `${what}: ${e.outerHTML.slice(0, 140)}`;
  if (e === document.body) return "nothing has the focus";
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return say("no outline");
  if (box.top < 0 || box.bottom > innerHeight + 1 || box.width < 2) return say("out of sight");
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return top && (e.contains(top) || top.contains(e)) ? "" : say("covered");
}"""


def tab_to(page: Page, selector: str, most: int = 40, key: str = "Tab") -> int:
    """Press Tab (or Shift+Tab) until the focus is there; how often. Every stop on the way must be seen."""
    for pressed in range(1, most):
        page.keyboard.press(key)
        assert page.evaluate(UNSEEN) == ""
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return pressed
    raise AssertionError(f"Tab never came to {selector}")


def test_a_pack_is_bought_with_the_keyboard_alone(windows: Windows, shop: Shop) -> None:
    buyer = windows.buyer()
    page = buyer.page
    page.goto(f"{shop.url}/credits/?currency=USD")
    tab_to(page, "[data-card] a.btn")
    page.keyboard.press("Enter")
    expect(page.locator("input[type=email]")).to_be_visible()
    tab_to(page, "input[type=email]")
    page.keyboard.type("keys@example.com")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pay/**")
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, "[data-way='airwallex.card']")
    page.keyboard.press("Enter")
    expect(page.locator("#id_number")).to_be_visible()
    tab_to(page, "#id_number")
    page.keyboard.type(GOOD)
    for field, typed in (("#id_expiry", "1234"), ("#id_cvc", "123")):
        assert tab_to(page, field) == 1
        page.keyboard.type(typed)
    tab_to(page, "form[data-once] button")
    page.keyboard.press("Enter")
    buyer.expect_state("kept")
    assert paid_once(shop, buyer.order_no) == [("airwallex", 200, True)]


@pytest.mark.parametrize("path", ["/", "/studio/", "/plans/", "/accounts/login/", "/nowhere/"])
def test_the_focus_walks_through_the_page_and_is_seen(windows: Windows, shop: Shop, path: str) -> None:
    """From the link that skips the head to the last link of the foot, in the order in which things are written."""
    buyer = windows.buyer()
    buyer.watch.allowed |= {404}
    page = buyer.page
    page.goto(shop.url + path)
    tab_to(page, "[href='#main']")
    reached = tab_to(page, "main a, main button, main input, main select, main summary")
    assert reached <= 8
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(UNSEEN) == ""
    assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0


def test_nothing_moves_for_people_who_do_not_want_it(windows: Windows, shop: Shop) -> None:
    machine, phone = windows.machine(), windows.phone(reduced_motion="reduce")
    page = phone.page
    # What takes less than a millisecond is a jump, not a movement, and may be under way at any look.
    moving = (
        "document.getAnimations().filter((one) => one.playState === 'running'"
        " && one.effect.getComputedTiming().duration >= 1).length"
    )
    page.goto(shop.url)
    assert page.evaluate(moving) == 0
    phone.scan(machine)
    assert page.evaluate(moving) == 0
    phone.start()
    assert page.evaluate(moving) == 0


def choose_next(page: Page) -> None:
    """In the list that has the focus: open it, one down, take it."""
    for key in ("Space", "ArrowDown", "Enter"):
        page.keyboard.press(key)


def test_a_case_is_bought_at_a_machine_with_the_keyboard_alone(windows: Windows, shop: Shop) -> None:
    """From the code's page to the number: lists, words, buttons, and no place that keeps the focus."""
    machine, buyer = windows.machine(), windows.buyer()
    page, phone = buyer.page, Phone(buyer.page, shop, buyer.watch)
    phone.scan(machine)
    tab_to(page, "form[action^='/start'] button")
    page.keyboard.press("Enter")
    expect(page.locator("#studio")).to_be_visible()
    tab_to(page, "#brand")
    page.wait_for_load_state()  # a choice is listened to
    choose_next(page)
    expect(page.locator("#model")).to_be_enabled()
    tab_to(page, "#model")
    choose_next(page)
    expect(page.locator("input[name=shell]:checked")).to_have_count(1)
    tab_to(page, "[data-tab=text]", key="Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, "input[name=text]", most=80)
    page.keyboard.type("By keys")
    phone.wait_for_preview()
    page.locator("#enlarge").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog#truth")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog#truth")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "enlarge"
    tab_to(page, "button[value=continue]", most=80)
    page.keyboard.press("Enter")
    expect(phone.pay_button).to_be_visible()
    tab_to(page, "form[data-once][action$='/summary/'] button")
    page.keyboard.press("Enter")
    phone.expect_state("waiting")
    machine.press("cash")
    expect(page.locator("#status .number")).to_be_visible()
    assert len(shop.orders(machine.machine_id)) == 1


def test_the_link_that_skips_the_head_leads_to_the_page(windows: Windows, shop: Shop) -> None:
    page = windows.buyer().page
    page.goto(f"{shop.url}/credits/?currency=USD")
    tab_to(page, "[href='#main']")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert tab_to(page, "main a, main button, main input, main select, main summary") == 1
