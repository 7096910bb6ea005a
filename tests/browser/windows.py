"""The two windows of a purchase: a phone with touch, and the machine's screen; each keeps what went wrong in it.

Here: what a person does, step by step, in words of the page's structure (names of fields, data attributes), never of
its language: texts are the tests' to check. Not here: the shop (`shop`), fixtures (`conftest`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.browser.shop import Shop

MODEL = "iPhone 15 Pro"
#: A refusal that a page is meant to give is reported by the browser in these words; everything else is a fault.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (\d{3})")


@dataclass
class Watch:
    """What a window's console, scripts and network did that they should not. `allowed`: HTTP statuses that are meant."""

    hosts: set[str]
    allowed: set[int] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        found = REFUSED.search(message.text)
        if message.type in ("error", "warning") and not (found and int(found[1]) in self.allowed):
            self.troubles.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc not in self.hosts:
            self.troubles.append(f"a request to {parts.netloc}: {request.url}")


class Phone:
    """Somebody's phone in front of a machine."""

    def __init__(self, page: Page, shop: Shop, watch: Watch) -> None:
        self.page, self.shop, self.watch = page, shop, watch

    # --- The way of a purchase ---
    def scan(self, machine: Machine, query: str = "") -> None:
        """Point the camera at the code on the machine's screen."""
        self.page.goto(machine.code() + query)

    def start(self) -> None:
        self.page.locator("form[action^='/start'] button").click()
        expect(self.page.locator("#studio")).to_be_visible()

    def choose_phone(self, model: str = MODEL) -> None:
        """Brand and model; the first colour that is here is proposed."""
        self.page.locator("#brand").select_option(index=1)
        self.page.locator("#model:enabled").select_option(label=model)
        expect(self.page.locator("input[name=shell]:checked")).to_have_count(1)

    def add_photo(self, photo: bytes) -> None:
        """Pick a photo and wait until it is there."""
        files = [{"name": "IMG_0042.JPG", "mimeType": "image/jpeg", "buffer": photo}]
        self.page.set_input_files("input[name=photo_file]", files)  # type: ignore[arg-type]
        expect(self.page.locator("input[name=photo]")).to_have_value(re.compile(r"^[0-9a-f-]{36}$"))
        self.wait_for_preview()

    def wait_for_preview(self) -> None:
        """The server's picture of the case, up to date."""
        expect(self.page.locator("#preview")).to_have_attribute("src", re.compile(r"/preview\.png\?"))
        expect(self.page.locator("#stage[data-busy]")).to_have_count(0)

    def open(self, panel: str) -> None:
        """One of the studio's panels: phone, photo, text, stickers, style, pieces."""
        self.page.locator(f"[data-tab={panel}]").click()

    def write(self, words: str) -> None:
        """Words on the case, and the new picture."""
        before = self.page.locator("#preview").get_attribute("src") or ""
        self.open("text")
        self.page.locator("input[name=text]").fill(words)
        expect(self.page.locator("#preview")).not_to_have_attribute("src", before)
        self.wait_for_preview()

    def go_on(self) -> None:
        """From the studio to the summary."""
        self.page.locator("button[value=continue]").click()
        expect(self.pay_button).to_be_visible()

    def pay(self) -> None:
        """The button of the summary; the machine asks for the money now."""
        self.pay_button.click()
        self.page.wait_for_url("**/orders/**")

    def design(self, machine: Machine, photo: bytes) -> None:
        """From the code to the summary."""
        self.scan(machine)
        self.start()
        self.choose_phone()
        self.add_photo(photo)
        self.go_on()

    # --- What it shows ---
    @property
    def pay_button(self) -> Locator:
        return self.page.locator("form[data-once][action$='/summary/'] button")

    def expect_state(self, state: str, seconds: float = 60) -> None:
        """The order's page comes to that state by itself."""
        expect(self.page.locator("#status")).to_have_attribute("data-state", state, timeout=seconds * 1000)

    def expect_one_of(self, states: str, seconds: float = 60) -> None:
        """The order's page comes by itself to one of the states "a|b": the machine may be quicker than the page."""
        expect(self.page.locator("#status")).to_have_attribute(
            "data-state", re.compile(f"^({states})$"), timeout=seconds * 1000
        )

    @property
    def order_no(self) -> str:
        return urlsplit(self.page.url).path.split("/")[2]

    @property
    def session_id(self) -> str:
        return urlsplit(self.page.url).path.split("/")[3]

    def queue_no(self) -> str:
        return self.page.locator("#status .number").inner_text()


def press(page: Page, way: str) -> None:
    """The button of a way to pay, which may be folded away."""
    button = page.locator(f"[data-way^='{way}']")
    expect(button).to_have_count(1)
    if not button.is_visible():
        page.locator("[data-others] summary").click()
    button.click()


class Buyer:
    """Somebody at a computer, without an account; the wallets are windows of the same browser."""

    def __init__(self, page: Page, shop: Shop, watch: Watch) -> None:
        self.page, self.shop, self.watch = page, shop, watch

    def order(self, path: str, email: str = "guest@example.com") -> None:
        """Choose the first thing of a list (or open one thing's page), give an address, and come to the ways to pay."""
        self.page.goto(self.shop.url + path)
        if self.page.locator("[data-card]").count():
            self.page.locator("[data-card] a.btn").first.click()
        self.page.locator("input[type=email]").fill(email)
        self.page.locator("form[data-once] button").click()
        self.page.wait_for_url("**/pay/**")

    def choose(self, way: str) -> None:
        press(self.page, way)

    def card(self, number: str) -> None:
        """Fill our own card form and press its button."""
        self.page.locator("#id_number").fill(number)
        self.page.locator("#id_expiry").fill("12/34")
        self.page.locator("#id_cvc").fill("123")
        self.page.locator("form[data-once] button").click()

    def wallet(self, path: str, entry: str) -> None:
        """Scan the code: open the payment in the provider's wallet and confirm it there. Its window stays open."""
        wallet = self.page.context.new_page()
        wallet.goto(self.shop.sandbox.base_url + path)
        wallet.locator(entry).click()
        with wallet.expect_navigation():  # it is not left, let alone closed, while its answer is under way
            wallet.locator("form.pay button[value=confirm]").click()
        self.page.bring_to_front()  # else it may stay a tab in the background, whose scripts Chromium may halt

    def expect_state(self, state: str, seconds: float = 60) -> None:
        """The order's page comes to that state by itself."""
        expect(self.page.locator("#status")).to_have_attribute("data-state", state, timeout=seconds * 1000)

    @property
    def order_no(self) -> str:
        return urlsplit(self.page.url).path.split("/")[2]


class Desk:
    """Somebody of the finance team at the desk."""

    NAME, PASSWORD = "finance@example.com", "demo-finance-2025"

    def __init__(self, page: Page, shop: Shop) -> None:
        self.page, self.shop = page, shop
        page.goto(f"{shop.url}/admin/")
        page.locator("#id_login").fill(self.NAME)
        page.locator("#id_password").fill(self.PASSWORD)
        page.locator("main form button").click()
        page.wait_for_url("**/admin/")

    def refund(self, order_no: str, amount: str = "") -> None:
        """From the payment's page: that much, or all that is left, back the way it came."""
        self._open_payment(order_no)
        self._act("refund", amount=amount, reason="the customer asked for it")

    def pay_back(self, order_no: str) -> None:
        """From the payment's page: written down, to be paid back by hand."""
        self._open_payment(order_no)
        self._act("pay-back", reason="the customer asked for it")

    def mark_paid_back(self, order_no: str, how: str) -> None:
        [(number,)] = self.shop.query(
            "select r.id from payments_refund r join payments_paymentintent i on i.id = r.intent_id"
            " join orders_order o on o.id = i.order_id where o.order_no = %s",
            order_no,
        )
        self.page.goto(f"{self.shop.url}/admin/payments/refund/{number}/change/")
        self._act("mark-paid-back", reason=how)

    def _open_payment(self, order_no: str) -> None:
        [(number,)] = self.shop.query(
            "select i.id from payments_paymentintent i join orders_order o on o.id = i.order_id"
            " where o.order_no = %s and i.settles_order",
            order_no,
        )
        self.page.goto(f"{self.shop.url}/admin/payments/paymentintent/{number}/change/")

    def _act(self, act: str, **answers: str) -> None:
        """Press the button of the row's page, answer its question, and see that it was done."""
        self.page.locator(f"a[href$='/act/{act}/']").click()
        self._answer(**answers)

    def _answer(self, **answers: str) -> None:
        choice = self.page.locator("form.desk-act [type=radio][name=choice]")
        if choice.count():  # the first of what may be chosen
            choice.first.check()
        for name, text in answers.items():
            self.page.locator(f"form.desk-act [name={name}]").fill(text)
        show, sure = (self.page.locator(f"form.desk-act [name={name}]") for name in ("show", "sure"))
        if show.count():  # what was typed changes what will happen: it is looked at first
            with self.page.expect_navigation():
                show.click()
        if sure.count():
            sure.check()
        self.page.locator("form.desk-act button[type=submit]:not([name=show])").click()
        self.page.wait_for_url("**/change/")


class Machine:
    """A machine: the simulated one with its buttons, and what our own page shows on its screen."""

    def __init__(self, page: Page, ours: Page, shop: Shop, watch: Watch, machine_id: str, query: str) -> None:
        self.page, self.ours, self.shop, self.watch, self.machine_id = page, ours, shop, watch, machine_id
        self._query = query
        page.goto(f"{shop.sandbox.base_url}/manufacturer/machine/{machine_id}/{query}")

    def code(self) -> str:
        """What the QR code on the screen says."""
        found = self.page.locator("a.qr")
        expect(found).to_be_visible()
        return found.get_attribute("data-qr") or ""

    def press(self, button: str) -> None:
        """A button of the payment: card, cash, declined, walk_away."""
        self.page.locator(f"form.pay button[value={button}]").click()

    def new_code(self) -> None:
        """The next customer asks for a code of their own."""
        old = self.page.locator("a.qr")
        before = old.get_attribute("data-qr") if old.count() else ""
        self.page.locator("button[value=session]").click()
        expect(self.page.locator("a.qr")).not_to_have_attribute("data-qr", before or "")

    def show_our_screen(self) -> None:
        self.ours.goto(f"{self.shop.url}/m/{self.machine_id}/")

    def open_bay(self) -> Page:
        """The print bay, in the machine's window."""
        self.page.goto(
            f"{self.shop.sandbox.base_url}/manufacturer/machine/{self.machine_id}/bay/{self._query}"
        )
        return self.page
