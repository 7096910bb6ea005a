"""A purchase leads to a mail, the mail to the receipt, and the receipt to paper: A4 and a till's rolls."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_online import GOOD, stripe_card

pytestmark = pytest.mark.browser
#: Nobody else's: guests of other tests get letters too.
READER = "reader.of.receipts@example.com"


def test_from_the_mail_to_the_receipt(windows: Windows, shop: Shop) -> None:
    buyer = windows.buyer()
    buyer.order("/credits/points-small/?currency=USD", email=READER)
    buyer.choose("stripe.checkout")
    stripe_card(buyer.page, GOOD)
    buyer.page.wait_for_url("**/orders/**")
    page = buyer.page
    expect(page.locator("[data-receipt]")).to_be_visible()
    address = page.locator("[data-receipt]").get_attribute("href") or ""
    order_no = address.split("/")[2]

    page.goto(f"{shop.sandbox.base_url}/mailbox/")
    mail = page.locator("article", has_text="credits wait for you").filter(has_text=READER)
    expect(mail).to_be_visible(timeout=30_000)
    mail.locator("a").click()
    expect(page.locator(".letter")).to_contain_text(order_no)
    page.locator(f".letter a[href*='{order_no}/receipt/']").click()

    expect(page.locator("h1")).to_have_text("Receipt")
    expect(page.locator("[data-total]")).to_have_text("$2.00")
    expect(page.locator("[data-left]")).to_have_text("$2.00")
    expect(page.locator("[data-print]")).to_be_visible()
    page.emulate_media(media="print")
    for hidden in ("body > header", "body > footer", "[data-print]"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".receipt-head")).to_be_visible()
    for width in (794, 302, 219):  # A4, and a till's rolls of 80 and 58 mm
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (wide, width)
