"""The runbook names what there is: pages, commands, settings, figures, faults, and the words of the desk as it shows them.

Somebody reads it at night. A button that got another name must not stand there under its old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.core.management import get_commands
from django.test import RequestFactory
from django.urls import resolve

from pimpshop.core import staff_kinds
from pimpshop.core.admin import item_words, navigation

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "docs/runbook.md", *(ROOT / "docs/runbook").glob("*.md")])
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
#: Written so for the sake of the sentence, or words of others' pages.
NOT_OURS = {
    "Dead", "Events", "Resend", "Won", "Lost", "Support", "Find it", "Did the money arrive", "Cannot be printed", "Overview",
    "Where does the print job stand", "The money is not lost, and most of these solve themselves", "Evidence",
    "Will it take more than half an hour", "You saw it print", "Or the buyer takes credits instead",
}  # fmt: skip


def _words(page: str, pattern: str) -> Iterator[str]:
    """What a page has in code or emphasised, blocks of code left out."""
    text = re.sub(r"^ *```.*?^ *```", "", TEXTS[page], flags=re.S | re.M)
    yield from (" ".join(found.split()) for found in re.findall(pattern, text))


def _code(page: str) -> set[str]:
    return set(_words(page, r"(?<!`)`([^`]+)`(?!`)"))


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str) -> None:
    """To a file, and to a heading of it."""
    lost = []
    for target in _words(name, r"\]\(([^)\s]+)\)"):
        path, _hash, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.M) if file.is_file() else []
        slugs = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
        if not file.exists() or (anchor and anchor not in slugs):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("name", TEXTS)
def test_commands_are_there(name: str) -> None:
    commands = {"manage.py": set(get_commands())}
    commands["make"] = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    said = re.findall(r"(manage\.py|\bmake) ([a-z_-]+)", " ; ".join(_code(name)))
    assert [(tool, word) for tool, word in said if word not in commands[tool]] == []


@pytest.mark.parametrize("name", TEXTS)
def test_settings_figures_and_faults_are_there(name: str) -> None:
    ours = "\n".join(path.read_text() for app in ("pimpshop", "payments", "sandbox", "orders", "credits", "vending")
                     for path in (ROOT / app).rglob("*.py"))  # fmt: skip
    known = (ROOT / ".env.example").read_text()
    for word in _code(name):
        for found in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", word):
            assert hasattr(settings, found) or found in known, found
        for found in re.findall(r"\bshop_[a-z_]+", word):
            assert found in ours or found.removeprefix("shop_").removesuffix("_total") in ours, found
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", word):
            assert word in ours, word


@pytest.mark.parametrize("name", TEXTS)
def test_files_and_addresses_are_there(name: str) -> None:
    for word in _code(name):
        if re.fullmatch(r"[\w./-]+\.(py|md)", word):
            assert (ROOT / word).exists() or list(ROOT.glob(f"*/{word}")) or word == "manage.py", word
        if word.startswith("/") and word.count("/") > 1:
            assert resolve(word), word


def _shown() -> set[str]:
    """Every word that the desk shows as a name: entries, acts, questions, panels, columns and fields."""
    request: Any = RequestFactory().get("/admin/")
    request._open_items = {}
    request.user = type("Anybody", (), {"has_perm": lambda *_: True, "pk": 0})()
    words = {str(entry["title"]) for group in navigation.sidebar(request) for entry in group["items"]}
    words |= {str(group["title"]) for group in navigation.sidebar(request) if "title" in group}
    for page in admin.site._registry.values():
        for act in getattr(page, "acts", ()):
            words.add(str(act.label))
        for asked in page.list_filter:
            words |= {str(question.label) for question in getattr(asked, "questions", ())}
        words |= {
            str(field.verbose_name)
            for field in page.model._meta.get_fields()
            if hasattr(field, "verbose_name")
        }
        for name in {*page.list_display, *page.readonly_fields}:
            words.add(str(getattr(getattr(page, str(name), None), "short_description", "")))
    words |= {str(kind.title) for kind in staff_kinds.every()}
    return words | {str(word) for _tone, word in item_words.URGENCY.values()}


@pytest.mark.django_db
def test_the_desk_calls_things_as_the_runbook_does(
    monkeypatch: pytest.MonkeyPatch, client: Any, django_user_model: Any
) -> None:
    shown = {word.lower() for word in _shown()}
    client.force_login(django_user_model.objects.create_superuser("boss@example.com", "x"))
    shown |= {str(panel.title).lower() for panel in client.get("/admin/").context["panels"]}
    shown |= {"find anything by its number", "orders and money", "case not received"}
    strange = {}
    for page in TEXTS:
        said = set(_words(page, r"(?<![\w*])\*{1,2}([A-Z][^*\n]*(?:\n[^*\n]+)?)\*{1,2}(?![\w*])"))
        said = {part.strip(" .:?!") for words in said for part in words.split(" > ")}
        unknown = {word for word in said if word.lower() not in shown and word not in NOT_OURS}
        if unknown:
            strange[page] = sorted(unknown)
    assert strange == {}
