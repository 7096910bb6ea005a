"""`make screenshots`: pictures of every page, for people to look at; asserts nothing but that the tour can be walked.

Each stop in both languages, as a phone and as a desktop, light and dark: screenshots/<stop>.<language>.<size>.<scheme>.png,
all on one page: screenshots/index.html. Pytest collects this file only when it is named (`make screenshots`).
"""

from __future__ import annotations

import html
import os
import re
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import tour
from tests.browser.conftest import Windows
from tests.browser.shop import ROOT, Shop

pytestmark = pytest.mark.browser
FOLDER = ROOT / "screenshots"
LANGUAGES = {"en": "en", "zh": "zh-hans"}
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
SCHEMES = ("light", "dark")
#: The machine's screen is no phone.
WIDE = re.compile(r"screen|desk")
#: One scheme in each language is enough for the many lists of the desk.
DESK = {"en": "light", "zh": "dark"}
#: Longer pages are cut here (pixels).
LONGEST = 2400
#: So that Chinese can be read on a machine that has no such font.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>"""


class Camera:
    """Takes the pictures of a stop and remembers them for the sheet."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.taken: list[str] = []

    def __call__(self, name: str, page: Page, *, keeps: bool = True) -> None:
        before: Any = page.viewport_size
        slug = re.sub(r"\W+", "-", name).strip("-")
        for language, code in LANGUAGES.items():
            if language != "en":
                if not keeps:
                    continue
                page.context.add_cookies([_language(self.shop, code)])
                page.reload()
            for (size, (width, height)), scheme in product(SIZES.items(), SCHEMES):
                if size == "phone" and WIDE.match(name):
                    continue
                if name.startswith("desk: ") and scheme != DESK[language]:
                    continue
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                self._take(page, FOLDER / f"{slug}.{language}.{size}.{scheme}.png", width, height)
        page.set_viewport_size(before)
        page.emulate_media(color_scheme="light")
        if keeps:  # this page too: a part that is fetched later would be English in a Chinese page
            page.context.add_cookies([_language(self.shop, "en")])
            page.reload()
        self.taken.append(name)

    @staticmethod
    def _take(page: Page, path: Path, width: int, height: int) -> None:
        tall = min(LONGEST, max(height, page.evaluate("document.documentElement.scrollHeight")))
        page.screenshot(
            path=path, full_page=True, animations="disabled", scale="css",
            clip={"x": 0, "y": 0, "width": width, "height": tall},
        )  # fmt: skip


def _language(shop: Shop, code: str) -> Any:
    return {"name": "django_language", "value": code, "url": shop.url}


@pytest.fixture(scope="session")
def folder() -> Iterator[list[str]]:
    """Empty at first; the sheet is written when all is done."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    (FOLDER / "fonts.conf").write_text(FONTS.format(folder=ROOT / "static" / "fonts"))
    os.environ["FONTCONFIG_FILE"] = str(FOLDER / "fonts.conf")
    names: list[str] = []
    yield names
    (FOLDER / "index.html").write_text(_sheet(names))


def _sheet(names: list[str]) -> str:
    rows = []
    for name in names:
        slug = re.sub(r"\W+", "-", name).strip("-")
        pictures = sorted(FOLDER.glob(f"{slug}.*.png"))
        shown = "".join(
            f'<a href="{path.name}" title="{path.stem}"><img src="{path.name}" alt="{path.stem}" loading="lazy"></a>'
            for path in pictures
        )
        rows.append(f"<h2>{html.escape(name)}</h2><div>{shown}</div>")
    return (
        "<!doctype html><meta charset=utf-8><title>Every page</title><style>body{font:14px sans-serif;background:#888}"
        "div{display:flex;gap:8px;overflow-x:auto;align-items:start}img{height:420px;border:1px solid #000}</style>"
        + "".join(rows)
    )


@pytest.mark.parametrize("part", tour.PARTS)
def test_pictures(folder: list[str], windows: Windows, shop: Shop, photo: bytes, part: str) -> None:
    camera = Camera(shop)
    try:
        tour.PARTS[part](windows, shop, photo, camera)
    finally:
        folder += camera.taken
