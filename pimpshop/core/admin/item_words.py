"""What a staff item says in the reader's language, where it leads, and how many of each kind wait.

`counts` asks once per request. What puts an item right: `item_steps`.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, IntegerField, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pimpshop.core import staff_kinds
from pimpshop.core.admin import finding, words
from pimpshop.core.models import StaffItem

URGENCY: dict[staff_kinds.Severity, tuple[str, Any]] = {
    staff_kinds.Severity.URGENT: ("danger", _("urgent")),
    staff_kinds.Severity.SOON: ("warning", _("today")),
    staff_kinds.Severity.CALM: ("info", _("this week")),
}


def severity() -> Case:
    """How urgent an item is, as a column to sort by."""
    whens = [
        When(kind__in=staff_kinds.names(severity), then=Value(int(severity)))
        for severity in staff_kinds.Severity
    ]
    return Case(*whens, default=Value(int(staff_kinds.Severity.SOON)), output_field=IntegerField())


def headline(item: StaffItem) -> str:
    """What happened, with the money that it is about."""
    kind = staff_kinds.get(item.kind)
    title = str(kind.title) if staff_kinds.is_known(item.kind) else item.title
    amount, currency = item.data.get("minor"), item.data.get("currency", "")
    money = words.money(amount, currency) if isinstance(amount, int) else ""
    return f"{title}: {money}" if money else title


def todo(item: StaffItem) -> str:
    """What to do; of a kind that nobody registered, what was written then."""
    return str(staff_kinds.get(item.kind).todo) or item.detail


def why(item: StaffItem) -> str:
    """What the provider, the machine or the mail server said, in its own words; "" where nobody said anything."""
    said = item.data.get("why", "")
    return said if isinstance(said, str) else ""


def age(item: StaffItem) -> tuple[str, str]:
    """(tone, how long it waits)"""
    late = item.resolved_at is None and timezone.now() - item.created_at > staff_kinds.get(item.kind).limit
    text = words.ago(item.created_at)
    if late:
        return "danger", gettext("%(age)s, overdue") % {"age": text}
    return "", text


def address(item: StaffItem) -> str:
    """Where the row is that it is about."""
    kept = item.data.get("path", "")
    if isinstance(kept, str) and kept.startswith("/admin/"):
        return kept
    return finding.address(item.subject, staff_kinds.get(item.kind).leads)


def link(item: StaffItem) -> SafeString:
    return words.link(address(item), item.subject)


def counts(request: HttpRequest) -> dict[str, int]:
    """Kind -> how many are open, the most urgent kinds first. Asked once per request."""
    known: dict[str, int] | None = getattr(request, "_open_items", None)
    if known is None:
        rows = StaffItem.objects.filter(resolved_at=None).order_by().values_list("kind")
        found = dict(rows.annotate(count=Count("pk")))
        known = dict(sorted(found.items(), key=lambda pair: (staff_kinds.get(pair[0]).severity, pair[0])))
        request._open_items = known  # type: ignore[attr-defined]
    return known


def list_of(kind: str = "", show: str = "") -> str:
    """The list of the items, of one kind or of one question."""
    page = reverse("admin:core_staffitem_changelist")
    asked = "&".join(f"{name}={value}" for name, value in (("kind", kind), ("show", show)) if value)
    return f"{page}?{asked}" if asked else page
