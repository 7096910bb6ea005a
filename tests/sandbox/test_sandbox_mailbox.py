"""The mailbox: what the shop mails under SANDBOX arrives there once, and people and tests can read it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from accounts.models import WeChatIdentity
from orders.services import news
from payments.services import news as refund_news
from pimpshop.core.models import Notification
from pimpshop.core.notifications import outbox
from tests import factories
from tests.support.bought import bought, pay
from tests.support.sandbox import Sandbox

BACKEND = "pimpshop.core.notifications.mail.SandboxBackend"


@pytest.fixture
def box(settings: Any, sandbox_client: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    settings.EMAIL_BACKEND, settings.SANDBOX_URL = BACKEND, sandbox_client.base_url
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    return sandbox_client


def get(box: Sandbox, path: str, **params: str) -> requests.Response:
    return requests.get(f"{box.base_url}{path}", params=params, timeout=9)


def mails(box: Sandbox) -> list[dict[str, Any]]:
    return box.books("mailbox")["mails"]


def send(**more: Any) -> None:
    message = EmailMultiAlternatives(
        "Ready: Größe", "Look: http://127.0.0.1:8000/x/?k=1&lang=en\n\n<b>no</b>", to=["alice@example.com"],
        **{"headers": {"Message-ID": "<one@shop>"}, **more},
    )  # fmt: skip
    message.attach_alternative("<h1>Ready</h1>", "text/html")
    message.send()


def test_a_mail_arrives_and_can_be_read(box: Sandbox) -> None:
    send()
    [mail] = mails(box)
    assert (mail["receiver"], mail["subject"], mail["came"]) == ("alice@example.com", "Ready: Größe", 1)
    assert "Ready: Größe" in get(box, "/mailbox/").text
    shown = get(box, f"/mailbox/{mail['id']}/")
    assert 'href="http://127.0.0.1:8000/x/?k=1&amp;lang=en"' in shown.text
    assert "&lt;b&gt;no&lt;/b&gt;" in shown.text
    html = get(box, f"/mailbox/{mail['id']}/html/")
    assert (html.text.strip(), "default-src 'none'" in html.headers["Content-Security-Policy"]) == (
        "<h1>Ready</h1>", True,
    )  # fmt: skip
    assert get(box, "/mailbox/999/").status_code == 404


def test_the_same_message_again_is_one_that_came_twice(box: Sandbox) -> None:
    send()
    send()
    assert [(mail["subject"], mail["came"]) for mail in mails(box)] == [("Ready: Größe", 2)]


def test_the_list_is_by_receiver_and_sent_only_when_it_changed(box: Sandbox) -> None:
    send()
    first = get(box, "/mailbox/part/", to="alice@example.com")
    assert "Ready" in first.text
    assert (
        get(box, "/mailbox/part/", to="alice@example.com", have=first.headers["X-State"]).status_code == 204
    )
    assert "Ready" not in get(box, "/mailbox/part/", to="bob@example.com").text


@pytest.mark.parametrize("path", ["/mailbox/", "/mailbox/1/"])
def test_the_pages_are_strict_and_speak_both_languages(box: Sandbox, path: str) -> None:
    send()
    number = mails(box)[0]["id"]
    path = path.replace("1", str(number))
    answer = get(box, path)
    assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert "邮箱" in get(box, path, lang="zh").text


def test_what_is_no_mail_is_refused(box: Sandbox) -> None:
    answer = requests.post(f"{box.base_url}/mailbox/api/messages", data=b"hello", timeout=9)
    assert (answer.status_code, mails(box)) == (400, [])


@pytest.mark.django_db
def test_a_purchase_is_in_the_mailbox_and_an_outage_only_delays_it(box: Sandbox) -> None:
    alice = factories.user()
    box.fault("down", count=1, provider="mailbox")
    pay(bought(user=alice))
    news.write_due()
    refund_news.write_due()
    outbox.send_due()
    assert (mails(box), Notification.objects.get().attempts) == ([], 1)
    outbox._rests_until = 0.0
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        outbox.send_due()
    [mail] = mails(box)
    assert (mail["receiver"], mail["subject"], mail["came"]) == (
        alice.email, "Paid: 500 credits on your account", 1,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_lost_yes_of_the_server_shows_its_reader_one_mail(box: Sandbox) -> None:
    """At least once: it is handed in again, under the same Message-ID."""
    box.fault("error_after_accepting", count=1, provider="mailbox")
    pay(bought(user=factories.user()))
    news.write_due()
    outbox.send_due()
    assert Notification.objects.get().outcome == ""
    outbox._rests_until = 0.0
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=True):
        outbox.send_due()
    assert [mail["came"] for mail in mails(box)] == [2]
    assert Notification.objects.get().outcome == "sent"


# --- WeChat's messages lie there too ----------------------------------------------------------------------------------
@pytest.fixture
def at_wechat(box: Sandbox, settings: Any) -> Any:
    """Somebody of the simulated mini program, without an address, and a template for credits."""
    settings.WECHAT_LOGIN_BASE = f"{box.base_url}/wechat"
    settings.WECHAT_MESSAGE_TEMPLATES = {
        "credits_granted": {
            "id": "template-1",
            "data": {"character_string1": "order_no", "amount2": "amount"},
        }
    }
    user = factories.user(email=None)
    openid = box.books("wechat")["people"][0]["openid"]
    WeChatIdentity.objects.create(user=user, app_id=settings.WECHAT_MINI_APP_ID, openid=openid)
    return user


@pytest.mark.django_db
def test_a_subscription_message_arrives(box: Sandbox, at_wechat: Any) -> None:
    intent = bought(user=at_wechat)
    pay(intent)
    news.write_due()
    outbox.send_due()
    [message] = mails(box)
    assert (message["sender"], message["subject"]) == ("WeChat", "template-1 (–)")
    assert message["text"] == f"{intent.order.order_no}\nCN¥39.90"
    assert Notification.objects.get().channel == "wechat"


@pytest.mark.django_db
@pytest.mark.parametrize(("fault", "outcome"), [("not_subscribed", "unwanted"), ("token_ended", "sent")])
def test_what_wechat_may_answer(box: Sandbox, at_wechat: Any, fault: str, outcome: str) -> None:
    box.fault(fault, count=1, provider="wechat", target="subscribeMessage.send")
    pay(bought(user=at_wechat))
    news.write_due()
    outbox.send_due()
    assert Notification.objects.get().outcome == outcome
    assert len(mails(box)) == (outcome == "sent")
