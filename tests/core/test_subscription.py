"""Subscription messages of the mini program: what goes on the wire, and what WeChat's answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import responses
from django.core import mail

from accounts.models import WeChatIdentity
from orders.services import news
from pimpshop.core.models import Notification, OutboundCall, StaffItem
from pimpshop.core.money import Money
from pimpshop.core.notifications import kinds, outbox, subscription
from pimpshop.core.notifications.mail import NotSent
from tests import factories
from tests.support.bought import bought, pay

pytestmark = pytest.mark.django_db

BASE, SEND = "https://api.wechat.test", "https://api.wechat.test/cgi-bin/message/subscribe/send"
TEMPLATES = {
    "credits_granted": {
        "id": "template-1", "data": {"character_string1": "order_no", "thing2": "what", "amount3": "amount", "thing4": "place"},
    }
}  # fmt: skip


class Tokens:
    """A shared token that may be renewed; counts how often."""

    def __init__(self) -> None:
        self.token, self.renewals = "token-1", 0

    def renewed(self, stale: str) -> str:
        assert stale == self.token
        self.renewals += 1
        self.token = f"token-{self.renewals + 1}"
        return self.token


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def config(tokens: Tokens) -> subscription.Config:
    served = subscription.Tokens(current=lambda: tokens.token, renewed=tokens.renewed)
    return subscription.Config(base_url=BASE, templates=TEMPLATES, tokens=served, state="trial")


def letter(**more: Any) -> kinds.Letter:
    said = {
        "order_no": "P1",
        "what": "iPhone 15 Pro · 原色钛金属 · a long name",
        "amount": Money(3990, "CNY"),
        "place": "",
    }
    return kinds.Letter(
        kinds.Addressee(openid="o-alice"), "zh-hans", said | more, page="pages/order/index?order_no=P1"
    )


def answers(*codes: int) -> None:
    for code in codes:
        responses.post(SEND, json={"errcode": code, "errmsg": "x"})


@responses.activate
def test_what_goes_on_the_wire(config: subscription.Config) -> None:
    answers(0)
    subscription.send_by(config, "credits_granted", letter())
    [call] = responses.calls
    assert call.request.url == f"{SEND}?access_token=token-1"
    assert json.loads(call.request.body or b"") == {
        "touser": "o-alice", "template_id": "template-1", "page": "pages/order/index?order_no=P1",
        "miniprogram_state": "trial", "lang": "zh_CN",
        "data": {
            "character_string1": {"value": "P1"}, "thing2": {"value": "iPhone 15 Pro · 原色钛…"},
            "amount3": {"value": "CN¥39.90"}, "thing4": {"value": "–"},
        },
    }  # fmt: skip
    record = OutboundCall.objects.get()
    assert (record.provider, record.name, record.error) == ("wechat", "subscribeMessage.send", "")
    assert "token-1" not in f"{record.url} {record.request} {record.response}"
    assert "o-alice" not in f"{record.url} {record.request} {record.response}"


@responses.activate
def test_a_token_that_has_ended_is_renewed_once(config: subscription.Config, tokens: Tokens) -> None:
    answers(42001, 0)
    subscription.send_by(config, "credits_granted", letter())
    assert [call.request.url.rpartition("=")[2] for call in responses.calls] == ["token-1", "token-2"]
    assert tokens.renewals == 1


@pytest.mark.parametrize(
    ("codes", "permanent", "wanted", "unreachable"),
    [
        ((43101,), True, False, False),  # did not allow it, or used it up
        ((40003,), True, True, False),  # no such openid
        ((40037,), True, True, False),  # no such template
        ((47003,), True, True, False),  # a keyword that does not fit
        ((-1,), False, True, False),
        ((45009,), False, True, False),
        ((40001, 40001), False, True, False),
    ],
)
@responses.activate
def test_refusals(
    config: subscription.Config, codes: tuple[int, ...], permanent: bool, wanted: bool, unreachable: bool
) -> None:
    answers(*codes)
    with pytest.raises(NotSent) as raised:
        subscription.send_by(config, "credits_granted", letter())
    error = raised.value
    assert (error.permanent, error.wanted, error.unreachable) == (permanent, wanted, unreachable)


@responses.activate
def test_nobody_there(config: subscription.Config) -> None:
    responses.post(SEND, body=requests.ConnectTimeout())
    with pytest.raises(NotSent) as raised:
        subscription.send_by(config, "credits_granted", letter())
    assert (raised.value.permanent, raised.value.unreachable) == (False, True)


# --- From the purchase ------------------------------------------------------------------------------------------------
def somebody(settings: Any) -> Any:
    """Came by WeChat, without an address."""
    user = factories.user(email=None, language="zh-hans")
    WeChatIdentity.objects.create(user=user, app_id=settings.WECHAT_MINI_APP_ID, openid="o-bob")
    return user


@pytest.fixture
def switched_on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WECHAT_LOGIN_BASE, settings.WECHAT_MESSAGE_TEMPLATES = BASE, TEMPLATES
    settings.WECHAT_MESSAGE_PAGE = "pages/order/index"
    monkeypatch.setattr(outbox, "_rests_until", 0.0)


def tell() -> Notification:
    news.write_due()
    outbox.send_due()
    return Notification.objects.get()


@responses.activate
def test_a_buyer_without_an_address_is_told_at_wechat(switched_on: None, settings: Any) -> None:
    """The token is the mini program's own shared one."""
    responses.post(f"{BASE}/cgi-bin/stable_token", json={"access_token": "shared", "expires_in": 7200})
    answers(0)
    pay(bought(user=somebody(settings)))
    row = tell()
    assert (row.outcome, row.channel, row.recipient, mail.outbox) == ("sent", "wechat", "WeChat", [])
    assert responses.calls[-1].request.url == f"{SEND}?access_token=shared"
    assert json.loads(responses.calls[-1].request.body or b"")["touser"] == "o-bob"


@responses.activate
def test_who_did_not_allow_it_is_nobodys_fault(switched_on: None, settings: Any) -> None:
    responses.post(f"{BASE}/cgi-bin/stable_token", json={"access_token": "shared", "expires_in": 7200})
    answers(43101)
    pay(bought(user=somebody(settings)))
    row = tell()
    assert (row.outcome, row.due_at, StaffItem.objects.count()) == ("unwanted", None, 0)


@responses.activate
def test_without_a_token_it_waits(switched_on: None, settings: Any) -> None:
    responses.post(f"{BASE}/cgi-bin/stable_token", json={"errcode": -1, "errmsg": "busy"})
    pay(bought(user=somebody(settings)))
    row = tell()
    assert (row.outcome, row.attempts, row.last_error) == ("", 1, "ConnectionError")
    assert row.due_at is not None


def test_off_is_nobody_to_tell(settings: Any) -> None:
    pay(bought(user=somebody(settings)))
    assert tell().outcome == "nobody"


@responses.activate
def test_an_address_comes_first(switched_on: None, settings: Any) -> None:
    user = somebody(settings)
    user.email = "carol@example.com"
    user.save(update_fields=["email"])
    pay(bought(user=user))
    assert tell().channel == "mail"
    assert len(responses.calls) == 0
