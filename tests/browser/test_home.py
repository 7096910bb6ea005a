"""The designer at home: a lost connection in the middle of a photo, photos made smaller on the way, and the way to a machine."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import Phone
from tests.support import images

pytestmark = pytest.mark.browser

#: Slow enough that a photo is on its way for some seconds.
SLOW = {"offline": False, "downloadThroughput": 400_000, "uploadThroughput": 60_000, "latency": 20}


def play(phone: Phone) -> str:
    """From the start page to an empty case; answers the draft's id."""
    phone.page.goto(phone.shop.url)
    phone.page.locator("main a[href='/studio/']").first.click()
    expect(phone.page.locator("#studio")).to_be_visible()
    phone.choose_phone()
    return phone.page.url.split("/")[5]


def files(data: bytes) -> list[Any]:
    return [{"name": "IMG_0042.JPG", "mimeType": "image/jpeg", "buffer": data}]


def kept(shop: Shop, draft: str) -> list[Any]:
    return shop.query("select width, height from catalog_photo where owner = %s", f"draft:{draft}")


def test_a_connection_lost_in_the_middle_of_a_photo(windows: Windows, shop: Shop, photo: bytes) -> None:
    """The page says so, goes on by itself, and there is one photo."""
    phone = windows.phone()
    page, draft = phone.page, play(phone)
    phone.open("photo")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    page.set_input_files("input[name=photo_file]", files(photo))
    expect(page.get_by_text(re.compile(r"^Sending your photo: [1-9]0 %$"))).to_be_visible()
    page.context.set_offline(True)
    expect(
        page.get_by_text("The connection is gone. Your photo goes on as soon as it is back.")
    ).to_be_visible()
    assert kept(shop, draft) == []
    page.context.set_offline(False)
    phone_has_photo(phone)
    assert len(kept(shop, draft)) == 1
    phone.watch.troubles[:] = [text for text in phone.watch.troubles if "net::ERR_" not in text]


def phone_has_photo(phone: Phone) -> None:
    expect(phone.page.locator("input[name=photo]")).to_have_value(
        re.compile(r"^[0-9a-f-]{36}$"), timeout=30_000
    )
    phone.wait_for_preview()


def noisy() -> bytes:
    """3000 x 4000 pixels that weigh several megabytes, on their side in the file (orientation 6)."""
    lying = Image.effect_noise((4000, 3000), 80).convert("RGB")
    out = io.BytesIO()
    lying.save(out, "JPEG", quality=88, exif=images.exif(6).tobytes())
    return out.getvalue()


def test_a_large_photo_is_made_smaller_before_it_is_sent(windows: Windows, shop: Shop) -> None:
    """To what the print needs, upright, and no smaller than fills the case."""
    phone = windows.phone()
    page, draft = phone.page, play(phone)
    longest = int(page.locator("template#upload").get_attribute("data-print-px") or 0)
    assert 2000 < longest < 3000
    page.set_input_files("input[name=photo_file]", files(noisy()))
    phone_has_photo(phone)
    scale = max(longest / 4000, longest / 1.3 / 3000)
    [(width, height)] = kept(shop, draft)
    assert (width, height) == (pytest.approx(3000 * scale, abs=1), pytest.approx(4000 * scale, abs=1))
    assert width < 3000


def test_a_design_from_home_is_printed_at_a_machine(windows: Windows, shop: Shop) -> None:
    """Made at home with words alone, found again on the same phone behind a machine's code."""
    phone, machine = windows.phone(), windows.machine()
    play(phone)
    phone.write("From home")
    phone.page.locator("button[value=continue]").click()
    expect(phone.page.locator("h1")).to_have_text("It is saved. Now have it printed!")
    phone.scan(machine)
    phone.start()
    phone.page.get_by_role("button", name="Use this one").click()
    expect(phone.page.locator("[role=status]").first).to_contain_text("Here is your design from home.")
    expect(phone.page.locator("input[name=text]")).to_have_value("From home")
    phone.go_on()
    expect(phone.page.locator("dl")).to_contain_text("From home")


def test_two_windows_of_one_design(windows: Windows) -> None:
    """The older one is told, and the person decides which counts."""
    phone = windows.phone()
    phone.watch.allowed |= {409}
    play(phone)
    phone.write("one")
    other = Phone(phone.page.context.new_page(), phone.shop, phone.watch)
    other.page.goto(phone.page.url)
    other.write("two")
    expect(other.page.locator("#saved")).to_have_text("Saved")
    phone.page.locator("input[name=text]").fill("three")
    expect(phone.page.locator("#problems")).to_contain_text("This design was changed in another window")
    phone.page.get_by_role("button", name="Keep what I see here").click()
    expect(phone.page.locator("#problems .alert")).to_have_count(0)
    expect(phone.page.locator("#saved")).to_have_text("Saved")
    other.page.locator("input[name=text]").fill("four")
    other.page.get_by_role("button", name="Show the newest").click()
    other.open("text")
    expect(other.page.locator("input[name=text]")).to_have_value("three")
