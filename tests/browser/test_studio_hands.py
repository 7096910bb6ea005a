"""The studio under fingers and keys: what comes when, two fingers, a double tap, snapping, what is said of a doubtful piece."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.windows import Phone

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(windows: Windows, shop: Shop) -> Phone:
    """In front of an empty case at home."""
    phone = windows.phone()
    phone.page.goto(f"{shop.url}/studio/new/")
    return phone


def items(phone: Phone) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(phone.page.locator("input[name=layout]").input_value())["items"]
    return found


def on_stage(phone: Phone, item: dict[str, Any]) -> tuple[float, float]:
    """Where the middle of an item is in the window, and not under anything else."""
    box = phone.page.locator("#canvas").bounding_box()
    left, top, width, _ = map(float, (phone.page.locator("#canvas").get_attribute("data-case") or "").split())
    millimetre = width / float(phone.page.locator("[name=shell]:checked").get_attribute("data-width") or 0)
    assert box
    return box["x"] + left + item["cx"] * millimetre, box["y"] + top + item["cy"] * millimetre


class Fingers:
    """Real touches, by Chromium's own protocol."""

    def __init__(self, phone: Phone) -> None:
        self.session = phone.page.context.new_cdp_session(phone.page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def move(self, *ways: list[tuple[float, float]]) -> None:
        """Each finger goes its way, all at once."""
        first, *rest = zip(*ways, strict=True)
        self._send("touchStart", *first)
        for points in rest:
            self._send("touchMove", *points)
        self._send("touchEnd")


def test_a_photo_is_on_the_case_with_two_presses(phone: Phone, photo: bytes) -> None:
    """The button on the empty case opens the photos; nothing that draws has come before."""
    page = phone.page
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[typeof Konva, document.querySelectorAll('#canvas canvas').length]") == [
        "undefined",
        0,
    ]
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Add your photo").click()
    chooser.value.set_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}])
    expect(page.locator("#canvas canvas").first).to_be_visible()
    expect(page.get_by_text("Add your photo")).to_be_hidden()
    phone.choose_phone()
    phone.wait_for_preview()
    assert [item["kind"] for item in items(phone)] == ["photo"]


def test_two_fingers_zoom_and_turn_and_a_double_tap_opens(phone: Phone) -> None:
    page, fingers = phone.page, Fingers(phone)
    phone.choose_phone()
    phone.write("Ada")
    [before] = items(phone)
    page.locator("#stage").scroll_into_view_if_needed()
    x, y = on_stage(phone, before)
    across = [(x - 10 - n, y) for n in range(0, 22, 3)], [(x + 10 + n, y) for n in range(0, 22, 3)]
    fingers.move(*across)
    [larger] = items(phone)
    assert larger["size"] > before["size"] * 1.5
    assert (larger["cx"], larger["rotation"]) == (before["cx"], 0)
    quarter = [(x - 30, y + n) for n in range(0, 31, 5)], [(x + 30, y - n) for n in range(0, 31, 5)]
    fingers.move(*quarter)
    [turned] = items(phone)
    assert turned["rotation"] == -45  # close to it, and it snapped

    for what, size in (("undo", larger), ("undo", before), ("redo", larger)):
        page.locator(f"[data-do={what}]").click()
        assert items(phone) == [size]

    phone.open("pieces")
    page.locator("#canvas").evaluate("(stage) => stage.focus()")
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    expect(page.locator("input[name=text]")).to_be_focused()
    page.keyboard.type("!")
    assert items(phone)[0]["text"] == "Ada!"


def test_words_under_the_camera_are_framed_and_named(phone: Phone) -> None:
    """At once on the stage and in the list, as the server says it a moment later; nothing is refused."""
    page = phone.page
    notice = page.locator("#stage-notice")
    phone.choose_phone()
    phone.write("Under the camera")
    expect(notice).to_be_hidden()
    upper = page.locator("#canvas canvas").last
    plain = upper.evaluate("(canvas) => canvas.toDataURL()")
    height = page.locator("[data-bind='text.cy']")
    height.fill("20")
    expect(notice).to_have_text("Text “Under the camera”partly under the camera")
    assert upper.evaluate("(canvas) => canvas.toDataURL()") != plain
    expect(page.locator("#warnings")).to_contain_text("Part of your words is under the camera.")
    phone.open("pieces")
    expect(page.locator("#pieces [data-doubt]")).to_have_text("partly under the camera")

    phone.open("text")
    height.fill("148")
    expect(notice).to_contain_text("may be cut off at the edge")
    height.fill("100")
    expect(notice).to_be_hidden()
    expect(page.locator("#warnings p")).to_have_count(0)
    expect(page.locator("#pieces [data-doubt]")).to_be_hidden()
    page.locator("button[value=continue]").click()
    page.wait_for_url("**/ready/")


def test_what_is_dragged_close_to_the_middle_snaps_onto_it(phone: Phone) -> None:
    page, fingers = phone.page, Fingers(phone)
    phone.choose_phone()
    phone.write("Ada")
    [before] = items(phone)
    page.locator("#stage").scroll_into_view_if_needed()
    x, y = on_stage(phone, before)
    fingers.move([(x - 6, y - 2), (x - 30, y - 60), (x - 40, y - 100)])
    [aside] = items(phone)
    assert aside["cx"] < before["cx"] - 5
    x, y = on_stage(phone, aside)
    width = float(page.locator("[name=shell]:checked").get_attribute("data-width") or 0)
    back = on_stage(phone, before)[0] - x
    fingers.move([(x, y), (x + back / 2, y), (x + back + 4, y)])
    assert items(phone)[0]["cx"] == round(width / 2, 3)  # two millimetres beside it


def test_everything_is_done_with_keys(phone: Phone) -> None:
    """Size, turn, take away, undo and redo, each said; the focus stays where there is something."""
    page, said = phone.page, phone.page.locator("#studio-live")
    phone.choose_phone()
    phone.write("Ada")
    page.locator("[data-do=text]").click()
    page.keyboard.type("Bob")
    phone.open("pieces")
    names = page.locator("#pieces [data-name]")
    expect(names).to_have_text(["Text “Bob”", "Text “Ada”"])
    page.locator("#pieces button").first.focus()
    page.keyboard.press("+")
    expect(said).to_have_text("Text “Bob”: 8.4 mm.")
    page.keyboard.press("]")
    page.keyboard.press("Shift+]")
    expect(said).to_have_text("Text “Bob”: turned by 6 degrees.")
    assert (items(phone)[1]["size"], items(phone)[1]["rotation"]) == (8.4, 6)
    page.keyboard.press("Delete")
    expect(said).to_have_text("Text “Bob”: taken away.")
    expect(names).to_have_text(["Text “Ada”"])
    expect(page.locator("#pieces button")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(said).to_have_text("Undone.")
    expect(names).to_have_count(2)
    page.keyboard.press("Control+y")
    expect(said).to_have_text("Done again.")
    assert [item["text"] for item in items(phone)] == ["Ada"]


def test_a_photo_is_cut_with_keys(phone: Phone, photo: bytes) -> None:
    page = phone.page
    phone.choose_phone()
    phone.add_photo(photo)
    page.locator("#selection [data-do=crop]").click()
    page.locator("#crop summary").click()
    left = page.locator("#crop [data-edge=left]")
    left.focus()
    for _press in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#crop")).to_be_hidden()
    assert items(phone)[0]["crop"] == {"x": 0.1, "y": 0, "w": 0.9, "h": 1}
