"""The Chinese catalogue is complete, compiled, keeps every placeholder, and no page has a text that escapes it.

What finds the texts is pimpshop.translations (`make messages`); that it finds them is proved here first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages import Catalog
from django.template import Context, Template
from django.utils import formats, translation
from django.utils.translation import ngettext, pgettext

from pimpshop import translations

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return translations.read()


def ids(catalogue: Catalog) -> dict[tuple[str | None, str], str]:
    """(context, text) -> translation, the first form of several."""
    found = {}
    for message in catalogue:
        if message.id:
            text = message.id if isinstance(message.id, str) else message.id[0]
            said = message.string if isinstance(message.string, str) else message.string[0]
            found[message.context, text] = said
    return found


# --- What finds the texts ---------------------------------------------------------------------------------------------
def test_texts_are_found_in_python() -> None:
    source = '_("one"); pgettext_lazy("kind", "two"); ngettext("%(n)s", "%(n)s of", 3)\n_(name)\n_("a " "b")'
    found = list(translations.texts_of(source, template=False))
    assert found == [
        (None, "one", None),
        ("kind", "two", None),
        (None, "%(n)s", "%(n)s of"),
        (None, "a b", None),
    ]


def test_texts_are_found_in_templates() -> None:
    source = """{% extends "x" %}
      <p (>{% translate "It's" %}</p>
  {% comment %}{% translate "not this" %}{% endcomment %}
          <b>{% translate "Paid" context "time" %}{# {% translate "nor this" %} #}
{% blocktranslate trimmed with x=y|upper %}
    Hello
    {{ x }}{% endblocktranslate %}
 {% blocktranslate count n=m %}{{ n }} case{% plural %}{{ n }} cases{% endblocktranslate %}{{ _("in a variable") }}"""
    assert set(translations.texts_of(source, template=True)) == {
        (None, "It's", None),
        ("time", "Paid", None),
        (None, "Hello %(x)s", None),
        (None, "%(n)s case", "%(n)s cases"),
        (None, "in a variable", None),
    }


def test_the_texts_of_code_templates_and_theme_are_looked_at() -> None:
    """Guards everything below: a rule over nothing holds always."""
    ours = {text for _context, text, _plural in translations.ours()}
    assert len(ours) > 600
    assert {"Design your case", "machine", "Session not found", "Needs a person", "Back office"} <= ours
    assert "Select all rows" in {text for _context, text, _plural in translations.of_the_theme()}


# --- The catalogue ----------------------------------------------------------------------------------------------------
def test_the_catalogue_has_every_text_and_no_other(catalogue: Catalog) -> None:
    wanted = {(context, text) for context, text, _plural in translations.wanted()}
    have = set(ids(catalogue))
    assert (sorted(map(str, wanted - have)), sorted(map(str, have - wanted))) == ([], []), "make messages"


def test_every_text_is_translated_without_doubt(catalogue: Catalog) -> None:
    assert translations.missing(catalogue) == []
    assert list(catalogue.obsolete) == []
    assert "fuzzy" not in translations.CATALOGUE.read_text("utf-8")


def test_no_translation_is_left_in_english(catalogue: Catalog) -> None:
    """What stays as it is are names that Chinese readers know so, two of them from WeChat's own pages."""
    same = {
        text for (_context, text), said in ids(catalogue).items()
        if not re.search(r"[\u4e00-\u9fff]", said) and re.search(r"[A-Za-z]", PLACEHOLDER.sub("", text))
    }  # fmt: skip
    assert same == {"HTTP", "PYEN", "OREN", "MSOR", "openid", "unionid"}


def test_translations_keep_placeholders_and_tags(catalogue: Catalog) -> None:
    wrong = {
        text: said
        for (_context, text), said in ids(catalogue).items()
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(said))
    }
    assert wrong == {}


class _Anything(dict[str, int]):
    """A value for every name."""

    def __missing__(self, name: str) -> int:
        return 3


def test_translations_can_be_filled_in(catalogue: Catalog) -> None:
    """A lone "95% of" is no placeholder, but breaks the page that fills in the others."""
    broken = []
    for (_context, text), said in ids(catalogue).items():
        if "%(" in text:
            for form in (text, said):
                try:
                    form % _Anything()
                except (TypeError, ValueError):
                    broken.append(form)
    assert broken == []


def test_the_compiled_catalogue_is_current(catalogue: Catalog) -> None:
    assert translations.CATALOGUE.with_suffix(".mo").read_bytes() == translations.as_mo(catalogue), (
        "make messages"
    )


def test_bringing_it_up_to_date_loses_nothing(catalogue: Catalog) -> None:
    """A new text stands empty, a vanished one goes, everything else is kept."""
    texts = translations.wanted()
    gone = (None, "Design your case", None)
    texts = {text: places for text, places in texts.items() if text != gone} | {
        (None, "Brand new", None): ["x.py"]
    }
    merged = translations.merged(catalogue, texts)
    before, after = ids(catalogue), ids(merged)
    assert after.pop((None, "Brand new")) == ""
    assert before.pop((None, "Design your case")) == "设计手机壳"
    assert after == before
    assert translations.missing(merged) == ["Brand new"]


# --- In use -----------------------------------------------------------------------------------------------------------
def test_plurals_contexts_and_dates_are_chinese() -> None:
    with translation.override("zh-hans"):
        text = ngettext("%(ahead)s case is before yours.", "%(ahead)s cases are before yours.", 3) % {
            "ahead": 3
        }
        assert text == "您前面还有 3 个。"
        assert (pgettext("position in a list", "order"), translation.gettext("order")) == ("排序", "订单")
        assert (pgettext("time", "Paid"), translation.gettext("Paid")) == ("付款时间", "已付款")
        at = datetime(2025, 11, 20, 22, 5, tzinfo=UTC)
        assert formats.date_format(at, "DATETIME_FORMAT") == "2025年11月20日 22:05"
        page = Template("{% load i18n %}{% blocktranslate count seconds=n %}Please wait {{ seconds }} second, then try "
                        "again.{% plural %}Please wait {{ seconds }} seconds, then try again.{% endblocktranslate %}")  # fmt: skip
        assert page.render(Context({"n": 1})) == "请等待 1 秒后再试。"


#: Pages that are not translated, and why.
ONE_LANGUAGE = {
    "500.html": "no tags at all, shows both languages",
    "503.html": "no tags at all, shows both languages",
    "core/design.html": "for those who build the pages",
    "payments/evidence.html": "for the bank, in English",
}
TEMPLATES = sorted(
    path
    for path in (ROOT / "templates").rglob("*.html")
    if str(path.relative_to(ROOT / "templates")) not in ONE_LANGUAGE
)
#: Words that are the same in both languages, or no words; a language's own name, which is never translated; keys.
NO_WORDS = {"pimpshop", "UTC", "HTML", "English", "Ctrl", "Delete"}
SPOKEN = re.compile(r"\s(?:alt|title|placeholder|aria-label)=\"([^\"]*)\"")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_says_nothing_past_the_catalogue(path: Path) -> None:
    text = path.read_text("utf-8")
    for removed in (
        r"{% comment %}.*?{% endcomment %}",
        r"{#.*?#}",
        r"{% blocktranslate.*?{% endblocktranslate %}",
        r"{%.*?%}",
        r"{{.*?}}",
    ):
        text = re.sub(removed, "", text, flags=re.DOTALL)
    said = [*SPOKEN.findall(text), re.sub(r"<[^>]*>", " ", text)]
    words = {word for part in said for word in re.findall(r"[A-Za-z]{2,}", part)}
    assert words - NO_WORDS == set()
