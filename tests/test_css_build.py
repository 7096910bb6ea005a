"""static/css/shop.css is committed; nobody needs Node to run the shop. This notices, without Node, that it is stale.

Not here: the exact comparison with what npm builds (`make check-css`, called by .ci/run).
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHEET = ROOT / "static" / "css" / "shop.css"
#: Written by hand, for one page that is made for paper.
RECEIPT = ROOT / "static" / "css" / "receipt.css"
#: Hooks of scripts: no look belongs to them.
HOOKS = {"js"}


def used() -> dict[str, str]:
    """Every class that a template or a page script names -> one of the files."""
    found: dict[str, str] = {}
    for path in [*(ROOT / "templates").rglob("*.html")]:
        if "admin" in path.parts:
            continue
        text = path.read_text("utf-8")
        text = re.sub(r"{% comment %}.*?{% endcomment %}|{#.*?#}", "", text, flags=re.DOTALL)
        for value in re.findall(r"\sclass=\"((?:{%.*?%}|{{.*?}}|[^\"])*)\"", text):
            value = re.sub(r"{{.*?}}", "{}", re.sub(r"{%.*?%}", " ", value))
            for name in value.split():
                if "{}" not in name:  # its end comes with the page
                    found[name] = str(path.relative_to(ROOT))
    return found


def built(sheet: str) -> set[str]:
    """Every class that a selector of the sheet names, its escapes undone."""
    return {re.sub(r"\\(.)", r"\1", name) for name in re.findall(r"\.((?:\\.|[\w-])+)", sheet)}


def test_the_sheet_knows_every_class_in_use() -> None:
    """A class that is missing has been typed wrong, or nobody ran `npm run build`."""
    classes = built(SHEET.read_text("utf-8")) | built(RECEIPT.read_text("utf-8"))
    names = used()
    assert len(names) > 150
    assert {name: where for name, where in names.items() if name not in classes | HOOKS} == {}


def test_every_class_of_our_own_is_in_the_sheet() -> None:
    """What styles/ defines is built."""
    ours = set()
    for path in sorted((ROOT / "styles").glob("*.css")):
        text = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", path.read_text("utf-8"), flags=re.DOTALL)
        ours |= set(re.findall(r"(?<![\w.])\.([a-z][\w-]*)", text))
    assert {"card", "stage", "screen-number", "sketch"} <= ours
    assert ours - built(SHEET.read_text("utf-8")) == set()
