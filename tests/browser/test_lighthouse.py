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
LIMITS = {
    "shop": (150, 24),
    "studio": (100, 28),  # nothing on the case yet: what draws comes later
    "studio with a photo": (200, 36),
    "ways to pay": (150, 20),
    "order": (150, 20),
}
#: Cumulative layout shift at most.
SHIFT = 0.02


def check(pages: list[Asked]) -> None:
    seen = lighthouse.look(pages)
    assert {name: page.url for name, page in seen.items()} == {page.name: page.url for page in pages}
    assert {name: page.failed for name, page in seen.items() if page.failed} == {}
    for name, page in seen.items():
        kilobytes, requests = LIMITS[name]
        assert page.scores["accessibility"] == page.scores["best-practices"] == 100, name
        assert page.bytes <= kilobytes * 1024, name
        assert page.requests <= requests, name
        assert page.shift <= SHIFT, name


def test_shop_and_checkout(windows: Windows, shop: Shop) -> None:
    buyer = windows.buyer()
    buyer.order("/credits/points-small/?currency=USD")
    check([Asked("shop", f"{shop.url}/"), Asked.of("ways to pay", buyer.page)])


def test_studio_and_order(windows: Windows, shop: Shop, photo: bytes) -> None:
    machine, phone = windows.machine(), windows.phone()
    phone.scan(machine)
    phone.start()
    check([Asked.of("studio", phone.page)])
    phone.choose_phone()
    phone.add_photo(photo)
    check(
        [Asked.of("studio with a photo", phone.page)]
    )  # before the order, after which its address leads there
    phone.go_on()
    phone.pay()
    machine.press("cash")
    expect(phone.page.locator("#status .number")).to_be_visible()
    check([Asked.of("order", phone.page)])
