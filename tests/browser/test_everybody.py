"""The shop's pages for everybody: axe finds nothing to say (WCAG 2.2 AA), light and dark, some in Chinese, and nothing is
wider than a small phone, with longer words either. These are the parts of the tour that need no machine.

axe comes from npm (`make browser-test` fetches it). No rule is switched off.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser import tour
from tests.browser.conftest import Windows
from tests.browser.shop import ROOT, Shop

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async (tags) => {
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => {
    const why = [...node.any, ...node.all, ...node.none].map((check) => check.message).join(" ");
    return `${rule.id}: ${node.target.join(" ")} ${why.slice(0, 160)}`;
  }));
}"""
#: Every text a third longer, as another language may have it; the names of the shop and of the languages stay.
LENGTHEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.data.trim();
    if (node.parentElement.closest("button[lang], a[href='/']")) continue;
    if (/\\p{L}{3}/u.test(text)) node.data = `${node.data} ${text.slice(0, Math.ceil(text.length / 3))}`;
  }
}"""
WIDER = """() => {
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > edge + 1);
  return out.slice(-3).map((e) => e.outerHTML.slice(0, 160));
}"""
SMALL: Any = {"width": 360, "height": 740}
#: Drawn by Swagger UI, whose colours are not ours.
FOREIGN = {"API docs"}
#: In Chinese the same templates are looked at; these have something of their own there.
CHINESE = {"shop", "ways to pay", "card", "log in", "account"}


class Inspector:
    """Looks at each stop and keeps what it does not like."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.seen: list[str] = []
        self.found: dict[str, list[str]] = {}
        self.beside: dict[BrowserContext, Page] = {}

    def __call__(self, name: str, page: Page, *, keeps: bool = True) -> None:
        self.seen.append(name)
        if name not in FOREIGN:
            self._axe(f"{name}, light", page)
            if keeps:
                self._again(name, page)

    def _again(self, name: str, page: Page) -> None:
        """The same page in a small, dark window beside it: what the tour does in its own is not disturbed."""
        if page.context not in self.beside:
            self.beside[page.context] = page.context.new_page()
            self.beside[page.context].set_viewport_size(SMALL)
            self.beside[page.context].emulate_media(color_scheme="dark", reduced_motion="reduce")
        beside = self.beside[page.context]
        if name in CHINESE:
            self._speak(beside, "zh-hans")
        beside.goto(page.url)
        if name in CHINESE:
            self._speak(beside, "en")
            assert beside.evaluate("document.documentElement.lang").startswith("zh"), name
        self._axe(f"{name}, dark", beside)
        self._width(f"{name}, small", beside)
        beside.evaluate(LENGTHEN)
        self._width(f"{name}, small with longer words", beside)
        beside.goto("about:blank")

    def _speak(self, page: Page, code: str) -> None:
        language: Any = {"name": "django_language", "value": code, "url": self.shop.url}
        page.context.add_cookies([language])

    def _axe(self, where: str, page: Page) -> None:
        page.evaluate(AXE.read_text())
        self._keep(where, page.evaluate(RUN, TAGS))

    def _width(self, where: str, page: Page) -> None:
        self._keep(where, page.evaluate(WIDER))

    def _keep(self, where: str, said: list[str]) -> None:
        if said:
            self.found[where] = said


#: How many stops each part has: a tour that leaves some out proves nothing.
STOPS = {"window": 11, "paying": 9, "home": 6, "account": 21}


@pytest.mark.parametrize("part", STOPS)
def test_every_page(windows: Windows, shop: Shop, photo: bytes, part: str) -> None:
    inspector = Inspector(shop)
    tour.PARTS[part](windows, shop, photo, inspector)
    assert inspector.found == {}
    assert len(inspector.seen) >= STOPS[part], inspector.seen
