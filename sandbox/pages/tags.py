"""Template tags of the sandbox's pages: `{% t "English" %}` in the page's language, `{% link url %}` that keeps it."""

from datetime import UTC, datetime
from typing import Any

from django import template

from sandbox.pages.words import CHINESE

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: dict[str, Any], text: str) -> str:
    """The text in the page's language."""
    return CHINESE.get(text, text) if context.get("lang") == "zh" else text


@register.simple_tag(takes_context=True)
def link(context: dict[str, Any], url: str) -> str:
    """The URL with the page's language in it."""
    return f"{url}{'&' if '?' in url else '?'}lang=zh" if context.get("lang") == "zh" else url


@register.filter
def clock(seconds: float) -> str:
    """A time of the books, as hours, minutes and seconds in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"


@register.filter
def iso(seconds: float) -> str:
    """A time of the books in ISO 8601, for a script."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
