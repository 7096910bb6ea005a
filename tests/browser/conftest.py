"""Fixtures of the browser tests: one shop and one Chromium for all, fresh windows for each test.

What a failed test leaves: test-results/<test>/ with a trace (`playwright show-trace`), pictures of all windows and the
shop's log. A test that leaves trouble in a console, breaks the Content-Security-Policy or asks another host fails.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from tests.browser import photos
from tests.browser.shop import ROOT, Shop
from tests.browser.windows import Buyer, Desk, Machine, Phone, Watch

RESULTS = ROOT / "test-results"
#: The headless shell first: whole Chromium may never close a tab that is closed while a new page arrives in it (3 of 142
#: tries; none of 250 with the shell), and then its driver waits for ever: github.com/microsoft/playwright/issues/42366.
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None
)
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking"]
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 1,
}
TIMEOUT_MS = 60_000
PATIENCE_S = 300
HUNG = f"no end after {PATIENCE_S} s"
PHONE_BROWSER = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole shop, running."""
    running = Shop(tmp_path_factory.mktemp("shop"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium (or the one that CHROMIUM names)."""
    assert CHROMIUM, "no Chromium: apt install chromium-headless-shell, or set CHROMIUM"
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A photo from a phone that was held upright."""
    return photos.from_a_phone()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser that has stopped to answer says nothing about the shop: such a test, and only such a one, runs once more."""
    for item in items:
        item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=[f"AssertionError: {HUNG}"]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let the fixtures know at their end whether the test failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


class Windows:
    """Opens windows for one test and looks after what happens in them."""

    def __init__(self, browser: Browser, shop: Shop) -> None:
        self.browser, self.shop = browser, shop
        self.contexts: list[BrowserContext] = []
        self.watches: list[Watch] = []

    def context(self, hosts: set[int], **options: Any) -> tuple[BrowserContext, Watch]:
        """A browser profile of its own that may talk to those of our ports."""
        context = self.browser.new_context(**{"service_workers": "block", **options})
        context.set_default_timeout(TIMEOUT_MS)
        watch = Watch({f"127.0.0.1:{port}" for port in hosts})
        watch.over(context)
        context.tracing.start(snapshots=True, screenshots=False)
        self.contexts.append(context)
        self.watches.append(watch)
        return context, watch

    def phone(self, language: str = "en", *, sandbox: bool = False, **options: Any) -> Phone:
        """Another customer with a phone in that language; with `sandbox` it may open the providers' pages."""
        hosts = {self.shop.port, self.shop.port + 1} if sandbox else {self.shop.port}
        if sandbox:
            options["user_agent"] = PHONE_BROWSER
        context, watch = self.context(hosts, locale=LOCALES[language], **PHONE, **options)
        return Phone(context.new_page(), self.shop, watch)

    def buyer(self, language: str = "en") -> Buyer:
        """Somebody at a computer who may open the providers' pages."""
        size = {"width": 1280, "height": 800}
        context, watch = self.context(
            {self.shop.port, self.shop.port + 1}, locale=LOCALES[language], viewport=size
        )
        return Buyer(context.new_page(), self.shop, watch)

    def desk(self) -> Desk:
        """Somebody of the finance team, logged in to the admin."""
        size = {"width": 1280, "height": 800}
        context, _ = self.context({self.shop.port}, locale=LOCALES["en"], viewport=size)
        return Desk(context.new_page(), self.shop)

    def machine(self, language: str = "en") -> Machine:
        """A machine that nobody has used yet, with the simulator's page and our own."""
        options = {"viewport": {"width": 1280, "height": 800}, "locale": LOCALES[language]}
        context, watch = self.context({self.shop.port, self.shop.port + 1}, **options)
        query = "?lang=zh" if language == "zh" else ""
        self.shop.hold_the_printer()
        return Machine(context.new_page(), context.new_page(), self.shop, watch, self.shop.machine(), query)

    def close(self, keep: Path | None) -> None:
        """Close everything; with `keep`, leave there what somebody needs who looks for the reason."""
        for number, context in enumerate(self.contexts, 1):
            if keep:
                for place, page in enumerate(context.pages, 1):
                    page.screenshot(path=keep / f"window-{number}-{place}.png", full_page=True)
                context.tracing.stop(path=keep / f"trace-{number}.zip")
            else:
                context.tracing.stop()
            for page in context.pages:
                with contextlib.suppress(BrowserError):  # nothing is under way in it any more when it closes
                    page.goto("about:blank", timeout=5_000)
            context.close()
        if keep:
            shutil.copy(self.shop.log, keep / "shop.log")

    def troubles(self) -> list[str]:
        return [trouble for watch in self.watches for trouble in watch.troubles]


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """No test waits for ever: the first look of Playwright's `expect` has no time limit of its own, and a page that never
    answers would hold up everything behind it."""

    def end(*_: object) -> None:
        signal.alarm(PATIENCE_S // 5)  # what cleans up may meet the same page
        raise AssertionError(HUNG)

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(PATIENCE_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def windows(request: pytest.FixtureRequest, chromium: Browser, shop: Shop) -> Iterator[Windows]:
    """Opens phones and machines; at the end nothing may have gone wrong in any of them."""
    opened = Windows(chromium, shop)
    yield opened
    troubles = opened.troubles()
    failed = request.node.stash.get(FAILED, False) or bool(troubles)
    keep = RESULTS / re.sub(r"\W+", "-", request.node.name).strip("-")
    if failed:
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
    opened.close(keep if failed else None)
    shop.end_faults()
    assert troubles == []
