"""What these tests look with can see: each guard is shown what it must catch."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from tests.browser import photos
from tests.browser.conftest import Windows
from tests.browser.shop import Shop
from tests.browser.test_plain_and_slow import CHECKS
from tests.browser.windows import Phone
from tests.support import images


def test_a_picture_that_lies_on_its_side_is_seen() -> None:
    upright = photos.scene(300, 600)
    turned = upright.transpose(Image.Transpose.ROTATE_90).resize((300, 600))
    upside_down = upright.transpose(Image.Transpose.ROTATE_180)
    assert [photos.is_upright(images.encode(p, "PNG")) for p in (upright, turned, upside_down)] == [
        True,
        False,
        False,
    ]


def test_a_phone_stores_its_photo_lying_down(photo: bytes) -> None:
    """Else the orientation would prove nothing."""
    with Image.open(io.BytesIO(photo)) as stored:
        assert (stored.size, stored.getexif()[0x0112]) == ((2000, 1500), 6)
    assert not photos.is_upright(photo)


@pytest.mark.browser
def test_trouble_in_a_window_is_seen(windows: Windows, shop: Shop) -> None:
    phone = windows.phone()
    phone.page.goto(shop.url)
    phone.page.evaluate(
        """async () => {
          console.error("oh no");
          setTimeout(() => { throw new Error("thrown"); });
          document.body.insertAdjacentHTML("beforeend", "<i style='color: red'></i><img src='http://127.0.0.1:9/x.png' alt=''>");
          await fetch("/nowhere/");
          await new Promise((done) => setTimeout(done, 300));
        }"""
    )
    assert seen_in(phone, "error: oh no", "script: ", "thrown", "style-src", "img-src", "status of 404")
    phone.watch.troubles.clear()


def seen_in(phone: Phone, *troubles: str) -> str:
    """What was noted down, once it has all of them: the browser tells of some a moment later."""
    end = time.monotonic() + 60
    while not all(trouble in (seen := "\n".join(phone.watch.troubles)) for trouble in troubles):
        assert time.monotonic() < end, seen
        phone.page.wait_for_timeout(50)
    return seen


@pytest.mark.browser
def test_a_request_to_another_host_is_seen(windows: Windows, shop: Shop) -> None:
    phone = windows.phone(bypass_csp=True)
    phone.page.goto(shop.url)
    phone.page.evaluate("fetch('http://127.0.0.1:9/x', {mode: 'no-cors'}).catch(() => 0)")
    assert seen_in(phone, "a request to 127.0.0.1:9: http://127.0.0.1:9/x")
    phone.watch.troubles.clear()


@pytest.mark.browser
def test_pages_that_shut_people_out_are_seen(windows: Windows) -> None:
    page = windows.phone().page
    page.set_content(
        "<title></title><div style='width: 3000px'>x</div><h1>a</h1><h1>b</h1><img src='data:,'><input><button></button>"
        "<p id=x></p><p id=x></p><label for=nobody>l</label><a href='#' tabindex=-1 style='display:block;height:9px'>go</a>"
    )
    found = [problem.split(":")[0] for problem in page.evaluate(CHECKS)]
    assert sorted(set(found)) == sorted({
        "2 h1", "no lang", "no title", "no single main", "no alt", "no name", "too small for a finger",
        "cannot be reached by keys", "id twice", "points nowhere", "wider than the window",
    })  # fmt: skip
    windows.watches[0].troubles.clear()  # of the made-up page
