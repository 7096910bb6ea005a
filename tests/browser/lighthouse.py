"""Lighthouse (npm, at the version of package-lock.json) over pages of a running shop, in Debian's whole Chromium.

It downloads nothing of its own: it drives the browser that is there. Not here: which pages, and what they must reach.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SCRIPT = Path(__file__).with_suffix(".mjs")
#: Lighthouse wants a whole browser: the headless shell lacks what it asks for.
CHROMIUM = os.environ.get("CHROME_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-quic", "--disable-background-networking"]
SECONDS = 240


@dataclass(frozen=True)
class Asked:
    """A page to look at, as whoever has these cookies sees it."""

    name: str
    url: str
    cookies: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, name: str, page: Page) -> Asked:
        """The page that a window shows now."""
        kept = ("name", "value", "domain", "path", "expires", "httpOnly", "secure")
        cookies = [{key: cookie[key] for key in kept} for cookie in page.context.cookies()]  # type: ignore[literal-required]
        return cls(name, page.url, tuple(cookies))


@dataclass(frozen=True)
class Seen:
    """What Lighthouse says: scores of 100 by category, why one is lower, bytes over the line, requests, layout shift."""

    url: str
    scores: dict[str, int]
    failed: list[str]
    bytes: float
    requests: int
    shift: float


def look(pages: Sequence[Asked], *, performance: bool = False) -> dict[str, Seen]:
    """Each page in a browser that has nothing yet; with `performance` on Lighthouse's slow phone, else as quick as it is.

    Raises subprocess errors when it cannot be looked at."""
    if not CHROMIUM:
        raise RuntimeError("no Chromium: apt install chromium, or set CHROME_PATH")
    asked = {
        "chromium": CHROMIUM,
        "arguments": ARGUMENTS,
        "performance": performance,
        "pages": [{"name": page.name, "url": page.url, "cookies": page.cookies} for page in pages],
    }
    done = subprocess.run(
        ["node", str(SCRIPT)], input=json.dumps(asked), capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return {name: Seen(**seen) for name, seen in json.loads(done.stdout).items()}
