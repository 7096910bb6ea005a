"""Filters and tags of the pages: money, millimetres, minutes and icons as a reader of that language expects them.

Lives here: presentation of plain values. Not here: markup of whole components (templates/**/_*.html), any query.
Guarantees: pure, no I/O; an empty value (None, "") renders as the empty text, never as "None".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import babel
import babel.numbers
import segno
from django import template
from django.http import HttpRequest, QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from pimpshop.core import money as core_money

register = template.Library()

CREDITS = "CREDITS"


def _locale() -> babel.Locale:
    """Babel's locale of the active language, English where Babel has none."""
    try:
        return babel.Locale.parse(translation.to_locale(translation.get_language() or "en"))
    except (babel.UnknownLocaleError, ValueError):
        return babel.Locale("en")


@register.filter
def money(value: core_money.Money | None) -> str:
    """A Money as text in the reader's language: £19.99, ¥128.00, 1,500 credits."""
    if not value:
        return ""
    if value.currency == CREDITS:
        number = babel.numbers.format_decimal(value.amount_minor, locale=_locale())
        return translation.ngettext("%(number)s credit", "%(number)s credits", value.amount_minor) % {
            "number": number
        }
    return babel.numbers.format_currency(
        value.to_decimal(),
        value.currency,
        locale=_locale(),
        currency_digits=False,
        format=_pattern(value.currency),
        decimal_quantization=False,
    )


def _pattern(currency: str) -> str:
    """Currency pattern with exactly the decimals that we keep for `currency`."""
    decimals = core_money.exponent(currency)
    return "¤#,##0" + ("." + "0" * decimals if decimals else "")


@register.filter
def per_credit(price: core_money.Money, credits: core_money.Money) -> str:
    """What one credit costs, as text to compare with (never to count with): $0.02, ¥0.0798."""
    each = (price.to_decimal() / credits.amount_minor).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    text = babel.numbers.format_currency(
        each, price.currency, locale=_locale(), currency_digits=False, format="¤#,##0.00##"
    )
    return str(text)


@register.filter
def signed(credits: int) -> str:
    """Credits that came or went, in the reader's language: +1,500, −200 (a real minus)."""
    number = babel.numbers.format_decimal(abs(credits), locale=_locale())
    return f"{'−' if credits < 0 else '+'}{number}"


@register.filter
def credits(amount: int) -> str:
    """That many credits, in words: 1,500 credits."""
    return money(core_money.Money(amount, CREDITS)) if amount else translation.gettext("no credits")


@register.filter
def grouped(number: int) -> str:
    """A whole number as the reader's language writes it: 1,500."""
    return str(babel.numbers.format_decimal(number, locale=_locale()))


@register.filter
def mm(value: Decimal | float | int | str | None) -> str:
    """Millimetres with at most one decimal: 73.24 -> "73.2 mm"."""
    if value is None or value == "":
        return ""
    rounded = Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{babel.numbers.format_decimal(rounded, locale=_locale())} mm"


@register.filter
def plain(value: Decimal | float | int | str | None) -> str:
    """A number as a form field needs it, whatever the language: Decimal("73.240") -> "73.24"."""
    if value is None or value == "":
        return ""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def clock(seconds: int | None) -> str:
    """Seconds left as m:ss, never below 0:00."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{rest:02d}"


@register.filter
def way_back(request: HttpRequest) -> str:
    """Where a switch of the language leads back to: this page without `lang`, which would choose the old one again.

    An answer to a form is no page to come back to: then the page that the form was on.
    """
    if request.method in ("GET", "HEAD"):
        path, query = request.path, request.GET.copy()
    else:
        came_from = urlsplit(request.headers.get("Referer", ""))
        ours = came_from.netloc == request.get_host()
        path, query = (
            (came_from.path if ours else "/") or "/",
            QueryDict(came_from.query if ours else "", mutable=True),
        )
    query.pop("lang", None)
    return f"{path}?{query.urlencode()}" if query else path


@register.simple_tag
def log_in_path(request: HttpRequest) -> str:
    """The log-in page, with the way back to this one; between its own pages the way back is handed on."""
    if request.path.startswith(reverse("account_security")):
        back = request.POST.get("next") or request.GET.get("next", "")
    else:
        back = way_back(request)
    log_in = reverse("account_login")
    return f"{log_in}?{urlencode({'next': back})}" if back not in ("", "/") else log_in


@register.filter
def qr(text: str) -> SafeString:
    """A QR code as inline SVG with a viewBox; the text is encoded in modules, never in markup."""
    code = segno.make(text, error="m")
    return mark_safe(code.svg_inline(omitsize=True, border=2, svgclass=None, lineclass=None))  # noqa: S308


@register.filter
def as_json(value: Mapping[str, Any]) -> str:
    """For a data attribute; the template escapes it."""
    return json.dumps(dict(value), ensure_ascii=False)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture of the sprite static/img/icons.svg. It is decoration: the text beside it carries the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def drawing(name: str) -> SafeString:
    """A drawing of static/img/drawings: decoration beside words that say it all."""
    return format_html(
        '<img class="drawing" src="{}" width="200" height="150" alt="">', static(f"img/drawings/{name}.svg")
    )


@register.simple_tag
def case_picture(name: str) -> dict[str, str]:
    """The addresses of a demo case (static/img/demo), 210 and 420 pixels wide."""
    return {
        "small": static(f"img/demo/case-{name}-210.webp"),
        "large": static(f"img/demo/case-{name}-420.webp"),
    }
