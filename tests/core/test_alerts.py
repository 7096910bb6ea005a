"""Each staff item is one alert, sent from its row."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
import responses
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from pimpshop.core import alerts, staff_items
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
