"""Poor phones: no JavaScript, a slow line, a page that weighs little, and pages for people who do not see or point."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser import photos
from tests.browser.conftest import Windows
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser

FIRST_LOAD_BYTES = 150 * 1024
#: A bad line: 50 KB/s down, 25 KB/s up, 400 ms to the server and back.
SLOW = {"offline": False, "downloadThroughput": 50_000, "uploadThroughput": 25_000, "latency": 400}


def test_without_javascript(windows: Windows, shop: Shop, photo: bytes) -> None:
    """Every step is a form and a page; the status page and our screen reload themselves."""
    machine = windows.machine()
    phone = windows.phone(java_script_enabled=False)
    page = phone.page
    phone.scan(machine)
    phone.start()
    page.locator("#brand").select_option(index=1)
    page.get_by_role("button", name="Show models and colours").click()
    page.locator("#model").select_option(label="iPhone 15 Pro")
    page.get_by_role("button", name="Show models and colours").click()
    expect(page.locator("input[name=shell]:checked")).to_have_count(1)
    page.set_input_files(
        "input[name=photo_file]", [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": photo}]
    )
    page.get_by_role("button", name="Upload photo").click()
    expect(page.locator("input[name=photo_width]")).to_be_visible()
    page.locator("input[name=text]").fill("No script")
    page.locator("input[name=template][value=frame]").check()
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator("#preview")).to_have_attribute("src", re.compile(r"/preview\.png\?"))
    expect(page.locator("input[name=text]")).to_have_value("No script")
    expect(page.locator("input[name=template][value=frame]")).to_be_checked()
    phone.go_on()
    expect(page.locator("dl")).to_contain_text("No script")
    phone.pay()
    phone.expect_state("waiting")
    machine.press("cash")
    expect(page.locator("#status .number")).to_be_visible(timeout=25_000)
    [order] = shop.orders(machine.machine_id)
    assert page.locator("#status .number").inner_text() == order["queue_no"]
    assert shop.query("select status from orders_order where order_no = %s", phone.order_no)[0][0] in (
        "paid",
        "completed",
    )


def network(page: Page) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    return session


def test_a_slow_line(windows: Windows) -> None:
    """The studio answers, shows that it is at work, and comes to the summary."""
    machine, phone = windows.machine(), windows.phone()
    network(phone.page).send("Network.emulateNetworkConditions", SLOW)
    small = photos.from_a_phone(720, 960)
    phone.scan(machine)
    phone.start()
    phone.choose_phone()
    files = [{"name": "IMG.JPG", "mimeType": "image/jpeg", "buffer": small}]
    phone.page.set_input_files("input[name=photo_file]", files)
    expect(phone.page.locator("#progress")).to_be_visible()
    expect(phone.page.locator("#progress")).to_be_hidden()
    phone.wait_for_preview()
    phone.write("slow")
    phone.go_on()
    expect(phone.page.locator("dl")).to_contain_text("slow")


def test_the_first_load_is_light(windows: Windows) -> None:
    """Landing and studio together, as they come over the line to a phone that has nothing yet."""
    machine, phone = windows.machine(), windows.phone()
    received: dict[str, float] = {}
    addresses: dict[str, str] = {}
    session = network(phone.page)
    session.on("Network.responseReceived", lambda e: addresses.update({e["requestId"]: e["response"]["url"]}))
    session.on("Network.loadingFinished", lambda e: received.update({e["requestId"]: e["encodedDataLength"]}))
    phone.scan(machine)
    phone.start()
    phone.page.wait_for_load_state("networkidle")
    weights = sorted(((round(size), addresses.get(key, "?")) for key, size in received.items()), reverse=True)
    assert len(weights) >= 8, weights
    assert sum(size for size, _ in weights) <= FIRST_LOAD_BYTES, weights


CHECKS = """() => {
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  const name = (e) => (e.getAttribute("aria-label") || (e.labels && [...e.labels].map((l) => l.textContent).join(" ")) || e.textContent || e.title || "").trim();
  const say = (e) => e.outerHTML.slice(0, 120);
  const found = [];
  const headings = [...document.querySelectorAll("h1")].filter(shown);
  if (headings.length !== 1) found.push(`${headings.length} h1`);
  if (!document.documentElement.lang) found.push("no lang");
  if (!document.title.trim()) found.push("no title");
  if (document.querySelectorAll("main").length !== 1) found.push("no single main");
  for (const e of document.querySelectorAll("img:not([alt])")) found.push(`no alt: ${say(e)}`);
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href], summary"))
    if (shown(e) && e.getAttribute("aria-hidden") !== "true" && !name(e) && !e.querySelector("img[alt]:not([alt=''])")) found.push(`no name: ${say(e)}`);
  for (const e of document.querySelectorAll("button, a[href], select, summary")) {
    const box = e.getBoundingClientRect();
    const inText = e.tagName === "A" && e.parentElement.tagName === "P" && !e.classList.contains("btn");
    if (shown(e) && !inText && box.height > 1 && box.height < 24) found.push(`too small for a finger: ${say(e)}`);
    if (shown(e) && e.tabIndex < 0 && e.getAttribute("aria-hidden") !== "true") found.push(`cannot be reached by keys: ${say(e)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) found.push(`id twice: ${id}`);
  for (const e of document.querySelectorAll("[aria-labelledby], [for]"))
    for (const id of (e.getAttribute("aria-labelledby") || e.getAttribute("for")).split(" "))
      if (!document.getElementById(id)) found.push(`points nowhere: ${say(e)}`);
  if (document.documentElement.scrollWidth > innerWidth) found.push("wider than the window");
  return found;
}"""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_can_be_used_by_everybody(
    windows: Windows, shop: Shop, photo: bytes, language: str
) -> None:
    """Names, labels, alternatives, language, one heading, reachable by keys, wide enough for fingers, no side scroll."""
    machine, phone = windows.machine(), windows.phone(language)
    phone.watch.allowed |= {404}
    page, problems = phone.page, {}

    def look(name: str) -> None:
        problems[name] = page.evaluate(CHECKS)

    for name, path in (("home", "/"), ("cases", "/studio/"), ("nothing", "/nowhere/")):
        page.goto(shop.url + path)
        look(name)
    phone.scan(machine)
    look("landing")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    phone.start()
    look("studio, empty")
    phone.choose_phone()
    phone.add_photo(photo)
    phone.write("A")
    look("studio")
    phone.go_on()
    look("summary")
    phone.pay()
    look("waiting")
    machine.press("cash")
    expect(page.locator("#status .number")).to_be_visible()
    look("number")
    assert {name: found for name, found in problems.items() if found} == {}
