"""Looks at pages for everybody: axe (WCAG 2.2 AA), light and dark; nothing wider than a small window, with longer words
either; nothing that moves for people who do not want it.

axe comes from npm (`make browser-test` fetches it). No rule is switched off; what a package draws and we cannot reach is
left out by one selector, with the reason beside it. Not here: which pages (`tour`, tests/browser/test_everybody*.py).
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page, TimeoutError

from tests.browser.shop import ROOT, Shop

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
    if (node.parentElement.closest("button[lang], a[href='/'], .material-symbols-outlined")) continue;
    if (/\\p{L}{3}/u.test(text)) node.data = `${node.data} ${text.slice(0, Math.ceil(text.length / 3))}`;
  }
}"""
WIDER = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > edge + 1);
  const wide = (e) => { const range = document.createRange(); range.selectNodeContents(e); return range.getBoundingClientRect().width; };
  return out.sort((a, b) => wide(b) - wide(a) || b.compareDocumentPosition(a) - 4).slice(0, 3).map((e) => `${Math.round(wide(e))} px: ${e.outerHTML.slice(0, 160)}`);
}"""
SMALL: Any = {"width": 360, "height": 740}
#: A window of 1280 pixels at 400 % (WCAG 1.4.10).
REFLOW: Any = {"width": 320, "height": 740}
#: What takes less than a millisecond is a jump, not a movement, and may be under way at any look.
MOVING = """() => document.getAnimations()
  .filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration >= 1)
  .map((one) => `${one.animationName || one.transitionProperty || one.id}: ${one.effect.target?.outerHTML.slice(0, 120)}`)"""
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
        self._moves(name, beside)
        self._axe(f"{name}, dark", beside)
        self._widths(name, beside)
        beside.goto("about:blank")

    def here(self, name: str, page: Page, *, widths: bool = True) -> None:
        """A stop without a second window, and so quicker: the page that is there, which is left wide and wordy behind."""
        before: Any = page.viewport_size
        self.seen.append(name)
        self._axe(f"{name}, light", page)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        self._moves(name, page)
        self._axe(f"{name}, dark", page)
        if widths:
            page.set_viewport_size(SMALL)
            self._widths(name, page)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size(before)

    def _widths(self, name: str, page: Page) -> None:
        self._width(f"{name}, small", page)
        page.set_viewport_size(REFLOW)
        self._width(f"{name}, at 400 %", page)
        page.set_viewport_size(SMALL)
        page.evaluate(LENGTHEN)
        self._width(f"{name}, small with longer words", page)

    def _speak(self, page: Page, code: str) -> None:
        language: Any = {"name": "django_language", "value": code, "url": self.shop.url}
        page.context.add_cookies([language])

    def _axe(self, where: str, page: Page) -> None:
        page.evaluate(AXE.read_text())
        self._keep(where, page.evaluate(RUN, TAGS))

    def _moves(self, name: str, page: Page) -> None:
        """What had begun before movement was unwanted may come to its end."""
        try:
            page.wait_for_function(f"() => !({MOVING})().length", timeout=2_000)
        except TimeoutError:
            self._keep(f"{name}, moves", page.evaluate(MOVING))

    def _width(self, where: str, page: Page) -> None:
        self._keep(where, page.evaluate(WIDER))

    def _keep(self, where: str, said: list[str]) -> None:
        if said:
            self.found[where] = said
            print(where, *said, sep="\n  ")  # in full, where an assertion cuts
