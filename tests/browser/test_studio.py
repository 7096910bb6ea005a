"""The studio with everything in it: what the stage shows is what the server draws, and nothing of it is lost on the way."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import Phone

pytestmark = pytest.mark.browser

#: Of 255, per channel: letters and slopes are smoothed in two ways.
MEAN_DIFFERENCE = 4
#: The case as the stage draws it, without handles: those lie on a canvas of their own.
CASE = """(stage) => {
  const [x, y, width, height] = stage.dataset.case.split(" ").map(Number);
  const part = Object.assign(document.createElement("canvas"), { width, height });
  part.getContext("2d").drawImage(stage.querySelector("canvas"), x, y, width, height, 0, 0, width, height);
  return part.toDataURL().split(",")[1];
}"""


def layout(phone: Phone) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(phone.page.locator("input[name=layout]").input_value())
    return found


def kinds(phone: Phone) -> list[str]:
    return [item["kind"] for item in layout(phone)["items"]]


def stage(phone: Phone) -> Image.Image:
    data: str = phone.page.locator("#canvas").evaluate(CASE)
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def truth(phone: Phone) -> Image.Image:
    source = phone.page.locator("#preview").get_attribute("src") or ""
    body = phone.page.request.get(phone.shop.url + source).body()
    return Image.open(io.BytesIO(body)).convert("RGBA")


def differences(shown: Image.Image, printed: Image.Image) -> list[float]:
    """Mean per channel, where the server's picture is solid and no rim is near."""
    printed = printed.resize(shown.size, Image.Resampling.LANCZOS)
    solid = printed.getchannel("A").point([0] * 250 + [255] * 6).filter(ImageFilter.MinFilter(7))
    return ImageStat.Stat(ImageChops.difference(shown, printed.convert("RGB")), solid).mean


def test_a_design_of_everything(windows: Windows, shop: Shop, photo: bytes) -> None:
    """Photo, filter, words and sticker; undone and done again; moved by keys alone; saved whole."""
    machine, phone = windows.machine(), windows.phone()
    page = phone.page
    phone.scan(machine)
    phone.start()
    phone.choose_phone()
    phone.add_photo(photo)
    plain = stage(phone)
    page.locator("input[name=photo_filter][value=vivid]").dispatch_event("click")
    phone.write("For Ada")
    phone.open("stickers")
    page.locator("#stickers button[data-sticker=heart]").click()
    assert kinds(phone) == ["photo", "text", "sticker"]
    phone.wait_for_preview()
    found = differences(stage(phone), truth(phone))
    assert max(found) <= MEAN_DIFFERENCE, found
    assert max(differences(plain, truth(phone))) > MEAN_DIFFERENCE  # the comparison can fail

    page.locator("[data-do=undo]").click()
    assert kinds(phone) == ["photo", "text"]
    page.locator("[data-do=redo]").click()
    assert kinds(phone) == ["photo", "text", "sticker"]

    phone.open("pieces")
    before = layout(phone)["items"][2]
    page.locator("#pieces button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    after = layout(phone)["items"][2]
    assert (round(after["cx"] - before["cx"], 3), round(after["cy"] - before["cy"], 3)) == (1, -5)
    expect(page.locator("#studio-live")).to_contain_text(f"{round(after['cx'])} mm from the left")
    phone.wait_for_preview()
    made = layout(phone)
    phone.go_on()
    [(saved,)] = shop.query(
        "select layout from catalog_design where owner = %s", f"session:{phone.session_id}"
    )
    assert [item["kind"] for item in saved["items"]] == ["photo", "text", "sticker"]
    assert [(i["cx"], i["cy"]) for i in saved["items"]] == [(i["cx"], i["cy"]) for i in made["items"]]
    assert (saved["items"][0]["filter"], saved["items"][1]["text"]) == ("vivid", "For Ada")


def test_chinese_words_bring_only_the_letters_that_they_need(windows: Windows) -> None:
    """A few slices of the font, and then the stage shows what the server draws."""
    machine, phone = windows.machine(), windows.phone("zh")
    page = phone.page
    fonts: list[str] = []
    page.on(
        "response",
        lambda got: fonts.append(got.url.rsplit("/", 1)[1]) if "/noto-sans-sc/" in got.url else None,
    )
    phone.scan(machine)
    phone.start()
    phone.choose_phone()
    phone.write("生日快乐")
    page.wait_for_function("[...document.fonts].filter((face) => face.family.includes('Plain')).length === 4")
    phone.wait_for_preview()
    [json_first, *slices] = fonts
    assert json_first.startswith("slices.")
    assert sorted(slices) == ["01.woff2", "02.woff2", "07.woff2", "09.woff2"]
    page.locator("[data-bind='text.size']").fill("16")
    phone.wait_for_preview()
    found = differences(stage(phone), truth(phone))
    assert max(found) <= MEAN_DIFFERENCE, found
