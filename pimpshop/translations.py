"""The Chinese catalogue: finding every text in the code, bringing locale/ up to date, compiling it. `make messages`.

Here: what Django's makemessages and compilemessages do, without the gettext tools (Babel reads Python, Django itself
turns templates into what can be read). Not here: the translations (locale/*/LC_MESSAGES/django.po), the check that
nothing is missing (tests/test_locale.py).
Texts of the admin's theme that neither Django nor the theme itself translates count as ours. The sandbox has a table of
its own and is left out. Guarantees: a translation is never changed or lost; what is new stands there empty.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import util
from pathlib import Path

from babel.messages import Catalog, extract, mofile, pofile

PROJECT = Path(__file__).resolve().parent.parent
CATALOGUE = PROJECT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
CODE = ("accounts", "catalog", "credits", "orders", "payments", "pimpshop", "vending")
#: The admin's theme, and those of its optional parts that are installed (settings.INSTALLED_APPS).
THEME, THEME_PARTS = "unfold", ("filters",)
KEYWORDS: dict[str, object] = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ugettext": None, "_gettext": None,
    "ngettext": (1, 2), "ngettext_lazy": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3), "npgettext_lazy": ((1, "c"), 2, 3),
}  # fmt: skip
NO_DATE = datetime(2025, 1, 1, tzinfo=UTC)
#: A text: (context or None, singular, plural or None).
Text = tuple[str | None, str, str | None]


# --- Finding ----------------------------------------------------------------------------------------------------------
def texts_of(source: str, *, template: bool) -> Iterator[Text]:
    """Every text that a Python module or a Django template marks for translation."""
    if template:
        from django.utils.translation.template import templatize

        source = f"({templatize(source)})"  # in brackets the indentation of HTML means nothing to Python
    found = extract.extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)  # type: ignore[arg-type]
    for _line, message, _comments, context in found:
        single, plural = (message[0], message[1]) if isinstance(message, tuple) else (message, None)
        if single:
            yield context, single, plural


def files_of(root: Path) -> Iterator[Path]:
    """Modules and templates below a folder, in a fixed order."""
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".html", ".txt") and not {
            "migrations",
            "__pycache__",
            "node_modules",
        } & set(path.parts):
            yield path


def in_files(paths: Iterator[Path], base: Path) -> dict[Text, list[str]]:
    """Every text of the files, with where it stands, in the order of finding."""
    found: dict[Text, list[str]] = {}
    for path in paths:
        template = path.suffix != ".py"
        for text in texts_of(path.read_text("utf-8"), template=template):
            places = found.setdefault(text, [])
            name = str(path.relative_to(base))
            if name not in places:
                places.append(name)
    return found


def ours() -> dict[Text, list[str]]:
    """The texts of our own code and templates."""
    roots = [PROJECT / top for top in (*CODE, "templates")]
    return in_files((path for root in roots for path in files_of(root)), PROJECT)


def of_the_theme() -> dict[Text, list[str]]:
    """The texts of the admin's theme that would show in English: neither Django nor the theme has them in Chinese."""
    import django

    spec = util.find_spec(THEME)
    home = Path(next(iter(spec.submodule_search_locations or []))) if spec else None
    if home is None:
        return {}
    known: set[str] = set()
    for folder in (Path(django.__file__).parent, home):
        for name in folder.rglob("locale/zh_Hans/LC_MESSAGES/django.po"):
            with name.open("rb") as file:
                known |= {_single(m.id) for m in pofile.read_po(file) if m.id and m.string}
    found = in_files((path for path in files_of(home) if _installed(path.relative_to(home))), home.parent)
    return {text: places for text, places in found.items() if text[1] not in known}


def _installed(path: Path) -> bool:
    return path.parts[0] != "contrib" or path.parts[1] in THEME_PARTS


def _single(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


# --- Keeping ----------------------------------------------------------------------------------------------------------
def wanted() -> dict[Text, list[str]]:
    """Everything that the catalogue must have: ours first, then the theme's."""
    found = ours()
    for text, places in of_the_theme().items():
        found.setdefault(text, places)
    return found


def read(path: Path = CATALOGUE) -> Catalog:
    """The catalogue as it stands in the file."""
    with path.open("rb") as file:
        found = pofile.read_po(file, locale="zh_Hans", domain="django")
    # Else the compiled file would differ from minute to minute.
    found.creation_date = found.revision_date = NO_DATE
    return found


def merged(old: Catalog, texts: dict[Text, list[str]]) -> Catalog:
    """A catalogue of exactly those texts, with the old translations. Two texts that differ only in having a plural are
    one message, as gettext wants it."""
    new = Catalog(
        locale="zh_Hans", domain="django", project="pimpshop", header_comment=old.header_comment, fuzzy=False,
        creation_date=old.creation_date, revision_date=old.revision_date, charset="utf-8",
    )  # fmt: skip
    new.mime_headers = old.mime_headers
    plurals = {(context, single): plural for context, single, plural in texts if plural}
    for (context, single, _plural), places in texts.items():
        plural = plurals.get((context, single))
        message_id = (single, plural) if plural else single
        known = old.get(message_id, context)
        flags = {"python-brace-format"} & set(known.flags) if known else set()
        kept = known.string if known and not known.fuzzy else ""
        if plural and isinstance(kept, str):
            kept = (kept,)
        elif not plural and not isinstance(kept, str):
            kept = kept[0] if kept else ""
        new.add(message_id, kept, locations=[(place, 0) for place in places], context=context, flags=flags)
    return new


def as_po(catalogue: Catalog) -> bytes:
    """The catalogue as the file is written: without line numbers, which would change with every edit."""
    out = io.BytesIO()
    pofile.write_po(out, catalogue, width=100, omit_header=True, include_lineno=False, sort_output=False)
    return HEADER.encode() + out.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """The compiled form that Django reads."""
    out = io.BytesIO()
    mofile.write_mo(out, catalogue)
    return out.getvalue()


HEADER = """# Simplified Chinese of the shop, its machine screens and its back office. Kept by `make messages`.
msgid ""
msgstr ""
"Project-Id-Version: pimpshop\\n"
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def missing(catalogue: Catalog) -> list[str]:
    """The texts that have no translation yet, or a doubtful one."""
    return [_single(m.id) for m in catalogue if m.id and (m.fuzzy or not m.string or not all(m.string))]


def main() -> int:
    """Bring django.po up to date, compile it, say what still needs a translation (exit status 1 then)."""
    CATALOGUE.write_bytes(as_po(merged(read(), wanted())))
    catalogue = read()
    CATALOGUE.with_suffix(".mo").write_bytes(as_mo(catalogue))
    untranslated = missing(catalogue)
    for text in untranslated:
        print(f"no translation: {text!r}")
    return 1 if untranslated else 0


if __name__ == "__main__":
    sys.exit(main())
