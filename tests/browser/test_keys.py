"""The shop by keys alone, and for people whom movement troubles: every stop of the focus is seen, nothing moves by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_online import GOOD, paid_once

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


def tab_to(page: Page, selector: str) -> int:
    """Press Tab until the focus is there; how often. Every stop on the way must be seen."""
    for pressed in range(1, 40):
        page.keyboard.press("Tab")
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
