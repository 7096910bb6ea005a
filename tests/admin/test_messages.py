"""Messages to customers at the desk: read only, sent again with a name, and shown with sample data."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from orders.services import news
from pimpshop.core.models import AuditEntry, Notification
from pimpshop.core.notifications import kinds, outbox
from tests import factories
from tests.admin.conftest import Desk
from tests.support.bought import bought, pay

pytestmark = pytest.mark.django_db

MODEL = "core_notification"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Notification:
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    pay(bought(user=factories.user("alice@example.com")))
    news.write_due()
    outbox.send_due()
    return Notification.objects.get()


@pytest.fixture
def desk() -> Desk:
    return Desk(factories.staff())


def test_the_row_says_what_to_whom_and_when(desk: Desk, sent: Notification) -> None:
    text = desk.page(MODEL, sent).content.decode()
    for said in ("credits are there", "alice@example.com", sent.reference, "sent", "Send again"):
        assert said in text
    assert "<textarea" not in text


def test_it_is_sent_again_with_name_and_reason(desk: Desk, sent: Notification) -> None:
    desk.act(MODEL, sent, "send-again", "lost in a spam folder")
    outbox.send_due()
    assert [message.to for message in mail.outbox] == [["alice@example.com"]] * 2
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        str(desk.user), "send message again", sent.reference, "lost in a spam folder",
    )  # fmt: skip


def test_without_a_reason_and_while_it_is_under_way_nothing_is_sent(desk: Desk, sent: Notification) -> None:
    desk.act(MODEL, sent, "send-again")
    assert Notification.objects.get().due_at is None
    desk.act(MODEL, sent, "send-again", "once")
    assert "send-again" not in desk.page(MODEL, sent).content.decode()
    desk.act(MODEL, sent, "send-again", "twice")
    assert AuditEntry.objects.count() == 1
    assert Notification.objects.get().again == 1


def test_who_may_only_look_sends_nothing(sent: Notification) -> None:
    from django.contrib.auth.models import Permission

    clerk = factories.user(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_notification"))
    desk = Desk(clerk)
    assert "send-again" not in desk.page(MODEL, sent).content.decode()
    assert desk.act(MODEL, sent, "send-again", "please").status_code == 403
    assert Notification.objects.get().due_at is None


@pytest.mark.parametrize("kind", [kind.name for kind in kinds.everything()])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_kind_is_shown_with_sample_data(desk: Desk, kind: str, language: str) -> None:
    address = reverse("admin:core_notification_wordings")
    answer = desk.client.get(address, {"kind": kind, "in": language})
    assert answer.status_code == 200
    written: Any = answer.context["written"]
    assert written.subject in answer.content.decode()
    html = desk.client.get(address, {"kind": kind, "in": language, "part": "html"}).content.decode()
    assert html == written.html


def test_the_wordings_are_for_staff(desk: Desk) -> None:
    address = reverse("admin:core_notification_wordings")
    assert desk.client.get(address).status_code == 200
    assert desk.client.get(address, {"kind": "nothing"}).status_code == 404
    assert Desk(factories.user(is_staff=True)).client.get(address).status_code == 403
