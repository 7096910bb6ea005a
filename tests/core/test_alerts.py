"""Each staff item is one alert, sent from its row."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
import responses
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from pimpshop.core import alerts, staff_items, staff_kinds
from pimpshop.core.models import StaffItem

pytestmark = pytest.mark.django_db


def open_item(subject: str = "P1/1") -> None:
    staff_items.open_item(
        kind="print_stuck", subject=subject, title="Paid, but not printed", detail="Look at it."
    )


def test_a_new_item_is_mailed_once(settings) -> None:
    settings.ALERT_EMAILS = ["duty@example.com"]
    open_item()
    assert alerts.send_due() == 1
    assert alerts.send_due() == 0
    [message] = mail.outbox
    assert message.to == ["duty@example.com"]
    assert message.subject == "[pimpshop] Paid, but not printed"
    item = StaffItem.objects.get()
    assert f"/admin/core/staffitem/{item.pk}/change/" in message.body
    assert item.alerted_at is not None


def test_nobody_to_alert_sends_nothing(settings) -> None:
    settings.ALERT_EMAILS, settings.ALERT_WEBHOOK_URL = [], ""
    open_item()
    assert alerts.send_due() == 0
    assert mail.outbox == []
    assert StaffItem.objects.get().alert_taken_at is None


def test_a_failed_mail_is_tried_again_later(settings, monkeypatch) -> None:
    settings.ALERT_EMAILS = ["duty@example.com"]
    open_item()
    with monkeypatch.context() as broken:
        broken.setattr(
            EmailMessage, "send", lambda self: (_ for _ in ()).throw(smtplib.SMTPConnectError(421, "no"))
        )
        assert alerts.send_due() == 0
    assert StaffItem.objects.get().alerted_at is None
    assert alerts.send_due() == 0  # held for two minutes
    StaffItem.objects.update(alert_taken_at=timezone.now() - alerts.RETRY_AFTER - timedelta(seconds=1))
    assert alerts.send_due() == 1
    assert len(mail.outbox) == 1


@responses.activate
def test_an_item_is_posted_to_the_webhook(settings) -> None:
    settings.ALERT_EMAILS, settings.ALERT_WEBHOOK_URL = [], "https://hooks.example.com/shop"
    responses.post("https://hooks.example.com/shop", json={})
    open_item("P2/1")
    assert alerts.send_due() == 1
    assert responses.calls[0].request.body is not None
    assert b'"subject":"P2/1"' in bytes(responses.calls[0].request.body).replace(b": ", b":")


# --- waiting too long
def test_an_item_that_waits_too_long_is_told_once_more(settings) -> None:
    settings.ALERT_EMAILS = ["duty@example.com"]
    open_item()
    assert alerts.send_due() == 1
    assert alerts.note_overdue() == 0
    age = staff_kinds.get("print_stuck").limit + timedelta(seconds=1)
    StaffItem.objects.update(created_at=timezone.now() - age, owner="ada@example.com")
    assert (alerts.note_overdue(), alerts.note_overdue()) == (1, 0)
    assert (alerts.send_due(), alerts.send_due()) == (1, 0)
    assert [message.subject for message in mail.outbox] == [
        "[pimpshop] Paid, but not printed",
        "[pimpshop] Overdue: Paid, but not printed",
    ]
    assert "Looked after by ada@example.com." in mail.outbox[1].body


def test_what_is_closed_before_the_reminder_goes_out_is_not_reminded_of(settings) -> None:
    settings.ALERT_EMAILS = ["duty@example.com"]
    open_item()
    StaffItem.objects.update(created_at=timezone.now() - timedelta(hours=2), alerted_at=timezone.now())
    assert alerts.note_overdue() == 1
    staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="printed")
    assert (alerts.note_overdue(), alerts.send_due(), mail.outbox) == (0, 0, [])


def test_an_item_of_days_ago_is_still_told_when_it_becomes_overdue(settings) -> None:
    settings.ALERT_EMAILS = ["duty@example.com"]
    staff_items.open_item(kind="print_unclaimed", subject="P1/1", title="Nobody chose a machine")
    StaffItem.objects.update(created_at=timezone.now() - timedelta(days=8), alerted_at=timezone.now())
    assert (alerts.note_overdue(), alerts.send_due()) == (1, 1)
    assert mail.outbox[0].subject == "[pimpshop] Overdue: Nobody chose a machine"
