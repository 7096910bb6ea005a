"""The shop's pages for everybody: axe finds nothing to say (WCAG 2.2 AA), light and dark, some in Chinese, and nothing is
wider than a small phone, with longer words either. These are the parts of the tour that need no machine.

axe comes from npm (`make browser-test` fetches it). No rule is switched off.
"""

from __future__ import annotations

import pytest

from tests.browser import tour
from tests.browser.conftest import Windows
from tests.browser.inspector import Inspector
from tests.browser.shop import Shop

pytestmark = pytest.mark.browser

#: How many stops each part has: a tour that leaves some out proves nothing.
STOPS = {"window": 11, "paying": 9, "home": 6, "account": 21}


@pytest.mark.parametrize("part", STOPS)
def test_every_page(windows: Windows, shop: Shop, photo: bytes, part: str) -> None:
    inspector = Inspector(shop)
    tour.PARTS[part](windows, shop, photo, inspector)
    assert inspector.found == {}
    assert len(inspector.seen) >= STOPS[part], inspector.seen
