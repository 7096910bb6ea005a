"""B11: the pages that people see first: Lighthouse, the weight of a first load, and what the server needs for a page.

Lighthouse looks three times, on its slow phone; the median counts. Server time is that of one connection that asks one page
after the other, in turns with a bare Django view that renders a template of the same length (`bench.floor.urls.page`: no
base, no session, no row). Accessibility and best practices are asserted in tests/browser/test_lighthouse.py too.
"""

from __future__ import annotations

import http.client
import statistics
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from bench import results, servers, stage

LOOKS = 3
FIRST_LOAD_KB, SERVER_TARGET = 150, 2.0
#: As Chromium asks.
HEADERS = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate, br", "Accept-Language": "en-GB,en;q=0.9"}


@dataclass
class Page:
    """An address of the shop, and who asks."""

    name: str
    path: str
    cookies: dict[str, str] = field(default_factory=dict)
    length: int = 0
    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=lambda: {"ours": 0.0, "bare": 0.0})
    asked: int = 0


def people(url: str) -> list[Page]:
    """Somebody who looks, somebody who designs, somebody who has ordered."""
    guest = requests.Session()
    guest.headers.update(HEADERS)
    studio = guest.get(f"{url}/studio/", timeout=30)
    form = guest.get(f"{url}/credits/points-small/?currency=USD", timeout=30)
    token = form.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    ordered = guest.post(
        form.url, {"csrfmiddlewaretoken": token, "email": "bench@example.com", "currency": "USD"}, timeout=30
    )
    for answer in (studio, form, ordered):
        answer.raise_for_status()
    if "/pay/" not in ordered.url or "/studio/h/" not in studio.url:
        raise RuntimeError(f"not where it should be: {ordered.url} {studio.url}")
    cookies = requests.utils.dict_from_cookiejar(guest.cookies)
    pages = [
        Page("shop", "/"),
        Page("studio", _path(studio.url), cookies),
        Page("status page", _path(ordered.url).replace("/pay/", "/")),
    ]
    for page in pages:
        answer = requests.get(url + page.path, headers=HEADERS, cookies=page.cookies, timeout=30)
        answer.raise_for_status()
        page.length = len(answer.content)
    return pages


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _ask(connection: http.client.HTTPConnection, path: str, cookies: dict[str, str], count: int) -> float:
    """Milliseconds per answer."""
    headers = HEADERS | (
        {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
    )
    started = time.perf_counter()
    for _ in range(count):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    return 1000 * (time.perf_counter() - started) / count


def time_them(pages: list[Page], shop: servers.Web, floor: servers.Web, *, rounds: int, count: int) -> None:
    """In turns, so that the machine's noise meets both alike."""
    ours = http.client.HTTPConnection("127.0.0.1", shop.ports[0], timeout=30)
    bare = http.client.HTTPConnection("127.0.0.1", floor.ports[0], timeout=30)
    for number in range(rounds + 1):  # the first one warms up
        for page in pages:
            before = shop.cpu(), floor.cpu()
            times = (
                _ask(ours, page.path, page.cookies, count),
                _ask(bare, f"/page/{page.length}", {}, count),
            )
            if number:
                page.ours.append(times[0])
                page.bare.append(times[1])
                page.cpu["ours"] += shop.cpu() - before[0]
                page.cpu["bare"] += floor.cpu() - before[1]
                page.asked += count


def look(pages: list[Page], url: str, times: int) -> list[dict[str, Any]]:
    """What Lighthouse sees, look by look."""
    from tests.browser import lighthouse

    asked = [
        lighthouse.Asked(
            page.name,
            url + page.path,
            tuple(
                {
                    "name": name,
                    "value": value,
                    "domain": "127.0.0.1",
                    "path": "/",
                    "expires": -1,
                    "httpOnly": False,
                    "secure": False,
                }
                for name, value in page.cookies.items()
            ),
        )
        for page in pages
    ]
    return [lighthouse.look(asked, performance=True) for _ in range(times)]


def run(ground: stage.Stage) -> list[results.Row]:
    place = ground.place
    ground.load()
    env = place.environment(ground.new_shop("pages"), DJANGO_SETTINGS_MODULE="pimpshop.settings")
    place.python("manage.py", "seed_demo", env=env)
    place.python("manage.py", "collectstatic", "--no-input", "-v0", env=env)
    shop, floor = place.serve("pages", "bench.ours.api", env), ground.floor()
    url = f"http://127.0.0.1:{shop.ports[0]}"
    pages = people(url)
    time_them(pages, shop, floor, rounds=3 if ground.quick else 15, count=10 if ground.quick else 40)
    seen = look(pages, url, 1 if ground.quick else LOOKS)
    return [row for page in pages for row in _rows(page, [one[page.name] for one in seen])]


def _rows(page: Page, seen: list[Any]) -> list[results.Row]:
    fast = sorted(one.scores["performance"] for one in seen)
    least = {name: min(one.scores[name] for one in seen) for name in ("accessibility", "best-practices")}
    kilobytes = max(one.bytes for one in seen) / 1024
    shift = max(one.shift for one in seen)
    ratio = statistics.median(a / b for a, b in zip(page.ours, page.bare, strict=True))
    ours, bare = (
        f"{statistics.median(times):.1f} ms, {1000 * page.cpu[who] / page.asked:.1f} ms CPU"
        for who, times in (("ours", page.ours), ("bare", page.bare))
    )
    return [
        results.Row(
            number="B11", measure=f"{page.name}: Lighthouse, accessibility, best practices, performance (median)",
            ours=f"{least['accessibility']}, {least['best-practices']}, {statistics.median_low(fast)}",
            target="100, 100, reported", met=set(least.values()) == {100},
        ),
        results.at_most(
            "B11", f"{page.name}: first load, compressed", kilobytes, FIRST_LOAD_KB, "KB",
            ours=f"{kilobytes:.0f} KB, {max(one.requests for one in seen)} requests, layout shift {shift:.3f}",
        ),
        results.Row(
            number="B11", measure=f"{page.name}: server time against a bare template of {page.length / 1024:.0f} KB", ours=ours,
            floor=bare, ratio=f"{ratio:.2f} x", target=f"≤ {SERVER_TARGET:g} x", met=ratio <= SERVER_TARGET,
        ),
    ]  # fmt: skip
