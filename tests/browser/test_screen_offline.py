"""A machine's screen on a line that breaks: it keeps what is true, says that it tries again, and comes back by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser
TIMEOUT = 30_000


def test_a_lost_line_and_its_return(windows: Windows, shop: Shop) -> None:
    context, watch = windows.context({shop.port}, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.clock.install()
    page.goto(f"{shop.url}/m/{shop.machine()}/")
    code, strip, stale = page.locator(".screen-qr"), page.locator("#offline"), page.locator("#stale")
    expect(code).to_be_visible(timeout=TIMEOUT)
    expect(strip).to_be_hidden()

    context.set_offline(True)
    expect(strip).to_be_visible(timeout=TIMEOUT)
    expect(strip).to_contain_text("Offline, trying again.")
    expect(code).to_be_visible()  # the code is still good
    page.clock.fast_forward("31:00")  # its session has ended meanwhile
    expect(code).to_be_hidden(timeout=TIMEOUT)
    expect(stale).to_be_visible()

    context.set_offline(False)
    expect(code).to_be_visible(timeout=TIMEOUT)
    expect(stale).to_be_hidden()
    expect(strip).to_be_hidden()
    watch.troubles.clear()  # the browser and htmx tell of each request that could not leave
