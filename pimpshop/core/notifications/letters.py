"""A message's words: templates/emails/<kind>.txt in English, <kind>.zh-hans.txt in Chinese; the first line is the subject.

The HTML part is made from the same text (templates/emails/frame.html), so the two never say different things. Pure: the
context has everything, no query is made here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

LANGUAGES = ("en", "zh-hans")


@dataclass(frozen=True)
class Written:
    """A message in words. `text` has no subject in it."""

    subject: str
    text: str
    html: str


def language_of(code: str) -> str:
    """The language of ours that is nearest to `code`."""
    return "zh-hans" if code.lower().startswith("zh") else "en"


def write(kind: str, language: str, context: Mapping[str, Any]) -> Written:
    """The words of a message. Raises TemplateDoesNotExist for a kind without a template."""
    language = language_of(language)
    name = f"emails/{kind}.txt" if language == "en" else f"emails/{kind}.{language}.txt"
    with translation.override(language):
        whole = render_to_string(name, {**context, "shop_url": settings.PUBLIC_BASE_URL}).strip()
        subject, _newline, body = whole.partition("\n")
        subject = " ".join(subject.split())
        text = re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n"
        html = render_to_string(
            "emails/frame.html",
            {"language": language, "subject": subject, "parts": text.strip().split("\n\n")},
        )
    return Written(subject, text, html)
