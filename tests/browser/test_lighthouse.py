"""What Lighthouse says of the pages that sell: full marks for accessibility and best practices, few bytes, nothing jumps.

Its performance score depends on the machine; `make bench B11` measures it.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import lighthouse
from tests.browser.conftest import Windows
from tests.browser.lighthouse import Asked
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser

#: By page: (bytes over the line, requests) at most, its pictures included.
LIMITS = {"shop": (150, 24), "studio": (400, 40), "ways to pay": (150, 20), "order": (150, 20)}
#: Cumulative layout shift at most. The studio's tools come after its first paint and push a little.
SHIFT = {"studio": 0.2}
USUAL_SHIFT = 0.02


def check(pages: list[Asked]) -> None:
    seen = lighthouse.look(pages)
    assert {name: page.url for name, page in seen.items()} == {page.name: page.url for page in pages}
    assert {name: page.failed for name, page in seen.items() if page.failed} == {}
    for name, page in seen.items():
        kilobytes, requests = LIMITS[name]
        assert page.scores["accessibility"] == page.scores["best-practices"] == 100, name
        assert page.bytes <= kilobytes * 1024, name
        assert page.requests <= requests, name
        assert page.shift <= SHIFT.get(name, USUAL_SHIFT), name


def test_shop_and_checkout(windows: Windows, shop: Shop) -> None:
    buyer = windows.buyer()
    buyer.order("/credits/points-small/?currency=USD")
    check([Asked("shop", f"{shop.url}/"), Asked.of("ways to pay", buyer.page)])


def test_studio_and_order(windows: Windows, shop: Shop, photo: bytes) -> None:
    machine, phone = windows.machine(), windows.phone()
    phone.scan(machine)
    phone.start()
    phone.choose_phone()
    phone.add_photo(photo)
    studio = Asked.of("studio", phone.page)
    check([studio])  # before the order, after which its address leads there
    phone.go_on()
    phone.pay()
    machine.press("cash")
    expect(phone.page.locator("#status .number")).to_be_visible()
    check([Asked.of("order", phone.page)])
