"""The shop in Debian's Firefox: a guest buys a pack with a card on our own form. (Playwright's Firefox is a build of its own;
puppeteer-core drives the one that people have, by WebDriver BiDi.)"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.shop import Shop
from tests.browser.test_online import GOOD, paid_once

pytestmark = pytest.mark.browser
FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


def test_a_pack_by_card_in_firefox(shop: Shop) -> None:
    assert FIREFOX, "no Firefox: apt install firefox-esr, or set FIREFOX"
    asked = {"firefox": FIREFOX, "shop": shop.url, "number": GOOD}
    script = Path(__file__).with_name("firefox.mjs")
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["words"], seen["troubles"]) == ("Thank you, it is paid", [])
    assert paid_once(shop, urlsplit(seen["url"]).path.split("/")[2]) == [("airwallex", 200, True)]
