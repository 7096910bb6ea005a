"""Words, colours and ages of the staff's desk: how a state, a time or a JSON value is shown.

Pure presentation: no query, no request. Every status of every state table has a word and a tone here
(tests/admin/test_words.py), so that a new one is never shown raw by accident.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop

#: status -> (word, tone). Tones: success, warning, danger, info, or "" for grey (static/css/desk.css).
STATES: dict[str, tuple[Any, str]] = {
    # sessions and progress
    "active": (_("active"), "info"),
    "started": (_("started"), ""),
    "qr_scanned": (_("code scanned"), "info"),
    "designing": (_("designing"), "info"),
    "design_complete": (_("design complete"), "info"),
    "payment_pending": (_("payment pending"), "warning"),
    "payment_completed": (_("payment completed"), "success"),
    "payment_failed": (_("payment failed"), "danger"),
    "order_submitted": (_("order submitted"), "success"),
    "order_failed": (_("order failed"), "danger"),
    "cancelled": (_("cancelled"), ""),
    "expired": (_("expired"), ""),
    # print jobs
    "waiting": (_("waiting for a machine"), "info"),
    "announcing": (_("announcing"), "warning"),
    "confirming": (_("confirming"), "warning"),
    "submitting": (_("submitting"), "warning"),
    "accepted": (_("accepted"), "info"),
    "printing": (_("printing"), "info"),
    "printed": (_("printed"), "success"),
    "collected": (_("collected"), "success"),
    "gave_up": (_("gave up"), "danger"),
    # orders
    "pending": (_("pending"), "warning"),
    "paid": (_("paid"), "success"),
    "completed": (_("completed"), "success"),
    "refunded": (_("refunded"), ""),
    # payments and refunds
    "created": (_("created"), ""),
    "requires_action": (_("waiting for the shopper"), "warning"),
    "processing": (_("processing"), "warning"),
    "authorized": (_("authorized"), "info"),
    "expiring": (_("closing"), "warning"),
    "succeeded": (_("succeeded"), "success"),
    "partially_refunded": (_("partly refunded"), "info"),
    "failed": (_("failed"), "danger"),
    "canceled": (_("canceled"), ""),
    # inbox
    "received": (_("received"), "warning"),
    "processed": (_("processed"), "success"),
    "ignored": (_("nothing to do"), ""),
    "parked": (_("parked"), "danger"),
    # requests for a second person
    "asked": (_("waiting for a second person"), "warning"),
    "done": (_("done"), "success"),
    "turned_down": (_("turned down"), ""),
    "withdrawn": (_("taken back"), ""),
    "lapsed": (_("nobody decided"), ""),
    "overtaken": (_("had changed"), "danger"),
    # webhook deliveries
    "delivered": (_("delivered"), "success"),
}
TONES: dict[str, str] = {status: tone for status, (_word, tone) in STATES.items()}


def word(status: str) -> str:
    """The status in the reader's language; an unknown one as it is."""
    known = STATES.get(status)
    return str(known[0]) if known else status


def tone(status: str) -> str:
    return TONES.get(status, "")


def label(text: Any, tone: str = "") -> SafeString:
    """A coloured label."""
    return format_html('<span class="desk-label tone-{}">{}</span>', tone, text)


def labelled(description: Any, ordering: str | None = None) -> Callable[..., Any]:
    """Decorates a column whose method answers (tone, text): it is shown as a label, in lists and on pages alike."""

    def decorate(method: Callable[[Any, Any], tuple[str, Any]]) -> Callable[..., Any]:
        @display(description=description, ordering=ordering)
        @functools.wraps(method)
        def column(self: Any, obj: Any) -> SafeString:
            colour, text = method(self, obj)
            return label(text, colour)

        shown: Callable[..., Any] = column
        return shown

    return decorate


def state_column(field: str = "status", description: Any = None) -> Callable[..., Any]:
    """A column that shows a state as a label."""

    @labelled(description or _("state"))
    def column(self: Any, obj: Any) -> tuple[str, str]:
        status = getattr(obj, field)
        return tone(status), word(status)

    shown: Callable[..., Any] = column
    return shown


def labels(obj: Any, *fields: str) -> SafeString:
    """Several states of a row, one label each."""
    statuses = [getattr(obj, field) for field in fields]
    return format_html_join(" ", "{}", ((label(word(status), tone(status)),) for status in statuses))


def ago(at: datetime | None) -> str:
    """A time as its age in the reader's language; "never" for None. The future reads as "in …"."""
    if at is None:
        return gettext("never")
    now = timezone.now()
    seconds = (now - at).total_seconds()
    if abs(seconds) < 60:
        return gettext("just now")
    if seconds < 0:
        return gettext("in %(age)s") % {"age": timesince(now, at, depth=1)}
    return gettext("%(age)s ago") % {"age": timesince(at, now, depth=1)}


def span(seconds: float | None) -> str:
    """A span of time, short: 0.4 s, 12 s, 3 min, 2 h 5 min; "–" when it is not known."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return gettext("%(seconds)s s") % {"seconds": round(seconds, 1)}
    if seconds < 60:
        return gettext("%(seconds)s s") % {"seconds": round(seconds)}
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return gettext("%(minutes)s min") % {"minutes": minutes}


def money(amount_minor: int | None, currency: str) -> str:
    """Minor units as the reader writes money; "" when there is none yet."""
    return shop.money(Money(amount_minor, currency)) if amount_minor is not None and currency else ""


def pretty(value: Any) -> str:
    """JSON for reading: indented, not escaped. "" for nothing."""
    return "" if value in (None, "", {}, []) else json.dumps(value, indent=2, ensure_ascii=False, default=str)


def json_block(value: Any) -> SafeString | str:
    """JSON as a block of text on a page."""
    text = pretty(value)
    return format_html('<pre class="desk-json" tabindex="0">{}</pre>', text) if text else ""


def link(href: str, text: Any) -> SafeString:
    """A link as the desk shows them."""
    return format_html('<a class="desk-link" href="{}">{}</a>', href, text)
