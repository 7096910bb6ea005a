"""Which brand of phone somebody holds, as far as its browser says: two taps less in front of a machine.

Only a proposal: anything else can be chosen. Nothing of it is kept. Not here: the model, which no browser tells reliably.
"""

from __future__ import annotations

import re

#: Slug of a brand -> what its browsers say of themselves.
_SIGNS = {
    "iphone": re.compile(r"\biPhone\b"),
    "samsung": re.compile(r"\bSM-[A-Z]\d|\bSamsung", re.IGNORECASE),
    "huawei": re.compile(r"\bHUAWEI\b|\bHarmonyOS\b|\b[A-Z]{3}-(?:AL|TL|AN|L)\d\d", re.IGNORECASE),
    "xiaomi": re.compile(r"\bXiaomi\b|\bRedmi\b|\bMiuiBrowser\b|; MI \d", re.IGNORECASE),
}


def brand(user_agent: str) -> str:
    """The slug of the brand; "" where nothing is said, or more than one thing."""
    found = [slug for slug, sign in _SIGNS.items() if sign.search(user_agent[:500])]
    return found[0] if len(found) == 1 else ""
