"""Alerts: each new staff item goes once to ALERT_EMAILS and to ALERT_WEBHOOK_URL, from its row, never from a request;
and once more when it has waited longer than its kind allows (`note_overdue`).

Guarantees: an item is taken by one sender (compare-and-set); a mail or post that fails is tried again for a day; an
outage of the mail server never touches what opened the item. No call inside a transaction.
"""

from __future__ import annotations

import json
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from pimpshop.core import http, staff_kinds
from pimpshop.core.models import StaffItem

log = structlog.get_logger(__name__)

#: A sender that dies holds an item for so long; a failed one is tried again after it.
RETRY_AFTER = timedelta(minutes=2)
#: Older news is in the admin, and no alert any more.
ALERT_FOR = timedelta(days=1)


def wanted() -> bool:
    """Is anybody to be alerted?"""
    return bool(settings.ALERT_EMAILS or settings.ALERT_WEBHOOK_URL)


def note_overdue() -> int:
    """Mark the open items that wait too long, once each; a mark makes an alert of its own due. A sweep round."""
    now = timezone.now()
    late = StaffItem.objects.filter(staff_kinds.overdue(now), overdue_at=None)
    return late.update(overdue_at=now, alerted_at=None, alert_taken_at=None, updated_at=now)


def send_due(limit: int = 20) -> int:
    """Send the alerts that are due; a sweep round. Answers how many went out."""
    if not wanted():
        return 0
    now = timezone.now()
    free = Q(alert_taken_at=None) | Q(alert_taken_at__lt=now - RETRY_AFTER)
    news = StaffItem.objects.annotate(news_at=Coalesce("overdue_at", "created_at"))
    still = Q(resolved_at=None) | Q(overdue_at=None)  # what was closed meanwhile is not overdue any more
    due = news.filter(free, still, alerted_at=None, news_at__gt=now - ALERT_FOR).order_by("pk")[:limit]
    sent = 0
    for item in due:
        if StaffItem.objects.filter(free, pk=item.pk, alerted_at=None).update(alert_taken_at=now) and _send(
            item
        ):
            StaffItem.objects.filter(pk=item.pk).update(alerted_at=timezone.now())
            sent += 1
    return sent


def _send(item: StaffItem) -> bool:
    """One item to everybody who is to know; False when one of them could not be reached."""
    link = f"{settings.PUBLIC_BASE_URL}/admin/core/staffitem/{item.pk}/change/"
    subject = f"Overdue: {item.title}" if item.overdue_at else item.title
    whose = f"Looked after by {item.owner}.\n\n" if item.owner else ""
    try:
        if settings.ALERT_EMAILS:
            text = f"{item.title}\n\nAbout: {item.subject}\n\n{item.detail}\n\n{whose}{link}\n"
            EmailMessage(f"[pimpshop] {subject}", text, to=settings.ALERT_EMAILS).send()
        if settings.ALERT_WEBHOOK_URL:
            body = {
                "kind": item.kind, "subject": item.subject, "title": item.title, "link": link,
                "overdue": item.overdue_at is not None,
            }  # fmt: skip
            http.Client(provider="alerts").request(
                "POST",
                settings.ALERT_WEBHOOK_URL,
                name="alert",
                body=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            )
    except (OSError, http.HttpError) as error:
        log.warning("alert_not_sent", item=item.pk, error=type(error).__name__)
        return False
    return True
