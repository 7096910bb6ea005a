"""Posts that are forged or foreign, at each gateway's doors: refused with 4xx, counted, no row, and nothing moves.

GUARANTEES 6. Each case is a true post of the gateway with one thing wrong; the true one is accepted, so that a case that
is refused for another reason than its own would show.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from credits.models import Posting
from orders.models import Order
from payments import registry
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from pimpshop.core import invariants
from pimpshop.core.models import StaffItem
from tests import factories
from tests.support import alipay, wechat
from tests.support.counters import counted

pytestmark = pytest.mark.django_db
FEN = 3990
STRIPE_SECRET, AWX_SECRET, AWX_ACCOUNT = "whsec_" + "forged" * 5, "awx-" + "forged" * 5, "acct_ours"
#: (path, body, content type, headers)
Sent = tuple[bytes, str, dict[str, str]]
DOORS = {
    "stripe": ("/api/stripe/webhook", "/api/v1/webhooks/stripe", "/api/v2/webhooks/stripe"),
    "airwallex": ("/api/v1/webhooks/airwallex", "/api/v2/webhooks/airwallex"),
    "wechatpay": (
        "/api/v1/payments/wechat/notify",
        "/api/v2/payments/wechat/notify",
        "/api/v2/webhooks/wechatpay",
    ),
    "alipay": ("/api/v1/webhooks/alipay", "/api/v2/webhooks/alipay"),
}
REFS = {"stripe": "pi_forged1", "airwallex": "int_forged1", "wechatpay": "", "alipay": ""}


@pytest.fixture
def victims(settings: Any) -> Iterator[dict[str, PaymentIntent]]:
    """One attempt at each gateway that somebody would like to have paid."""
    settings.STRIPE_WEBHOOK_SECRETS, settings.AIRWALLEX_WEBHOOK_SECRETS = [STRIPE_SECRET], [AWX_SECRET]
    settings.AIRWALLEX_ACCOUNT_ID = AWX_ACCOUNT
    settings.WECHAT_APP_ID, settings.WECHAT_MCH_ID = wechat.APP_ID, wechat.MCH_ID
    settings.WECHAT_API_V3_KEY = wechat.V3_KEY
    settings.WECHAT_PUBLIC_KEY_ID, settings.WECHAT_PUBLIC_KEY = (
        wechat.PUBLIC_KEY_ID,
        wechat.public_pem("platform"),
    )
    settings.ALIPAY_APP_ID, settings.ALIPAY_SELLER_ID = alipay.APP, alipay.SELLER
    settings.ALIPAY_PRIVATE_KEY, settings.ALIPAY_PUBLIC_KEY = alipay.PRIVATE, alipay.PUBLIC
    yield {gateway: _victim(gateway) for gateway in DOORS}
    assert [str(violation) for violation in invariants.violations()] == []


def _victim(gateway: str) -> PaymentIntent:
    order = factories.created(
        factories.order(
            lines=0, kind=Order.Kind.MERCHANT, currency="CNY", total_minor=FEN, user=factories.user()
        )
    )
    made = factories.intent(
        order, gateway=gateway, method="card", account=registry.get(gateway).account, status="requires_action",
        out_trade_no=order.order_no, provider_ref=REFS[gateway],
    )  # fmt: skip
    return factories.created(made)


# --- true posts -------------------------------------------------------------------------------------------------------
def _stripe(
    number: str, *, secret: str = STRIPE_SECRET, age: int = 0, signed: bytes | None = None, **event: Any
) -> Sent:
    thing = {
        "id": REFS["stripe"], "object": "payment_intent", "amount": FEN, "amount_received": FEN, "currency": "cny",
        "status": "succeeded", "livemode": False, "metadata": {"out_trade_no": number, "order_no": number},
        "latest_charge": None,
    }  # fmt: skip
    told = {
        "id": "evt_forged1", "object": "event", "type": "payment_intent.succeeded", "livemode": False,
        "created": int(time.time()), "data": {"object": thing},
    }  # fmt: skip
    body = json.dumps(told | event).encode()
    stamp = str(int(time.time()) - age)
    mac = hmac.new(
        secret.encode(), stamp.encode() + b"." + (body if signed is None else signed), hashlib.sha256
    )
    return body, "application/json", {"Stripe-Signature": f"t={stamp},v1={mac.hexdigest()}"}


def _airwallex(
    number: str, *, secret: str = AWX_SECRET, age: int = 0, signed: bytes | None = None, **event: Any
) -> Sent:
    thing = {
        "id": REFS["airwallex"], "merchant_order_id": number, "amount": 39.90, "captured_amount": 39.90, "currency": "CNY",
        "status": "SUCCEEDED", "metadata": {},
    }  # fmt: skip
    told = {"id": "evt_forged2", "name": "payment_intent.succeeded", "account_id": AWX_ACCOUNT,
            "data": {"object": thing}}  # fmt: skip
    body = json.dumps(told | event).encode()
    stamp = str(round((time.time() - age) * 1000))
    mac = hmac.new(secret.encode(), stamp.encode() + (body if signed is None else signed), hashlib.sha256)
    return body, "application/json", {"x-timestamp": stamp, "x-signature": mac.hexdigest()}


def _wechat(
    number: str,
    *,
    name: str = "platform",
    age: int = 0,
    signed: bytes | None = None,
    key: str = wechat.V3_KEY,
    **told: Any,
) -> Sent:
    plain = wechat.transaction(number, FEN, **told)
    resource = {"original_type": "transaction", **wechat.seal(plain, "transaction", key)}
    body = wechat.notification(plain, resource=resource)
    now = datetime.now(UTC) - timedelta(seconds=age)
    headers = wechat.signed_headers(body if signed is None else signed, now, name=name)
    return body, "application/json", headers


def _alipay(number: str, *, age: int = 0, **fields: str) -> Sent:
    at = datetime.now(UTC).astimezone(alipay.BEIJING) - timedelta(seconds=age)
    told = {"total_amount": "39.90", "receipt_amount": "39.90", "notify_time": f"{at:%Y-%m-%d %H:%M:%S}"}
    body = alipay.notice(out_trade_no=number, **(told | fields))
    return body, "application/x-www-form-urlencoded", {}


TRUE: dict[str, Callable[..., Sent]] = {
    "stripe": _stripe,
    "airwallex": _airwallex,
    "wechatpay": _wechat,
    "alipay": _alipay,
}


def _without(sent: Sent, *headers: str) -> Sent:
    return sent[0], sent[1], {name: value for name, value in sent[2].items() if name not in headers}


def _probe(sent: Sent) -> Sent:
    signature = "WECHATPAY/SIGNTEST/" + sent[2]["Wechatpay-Signature"][19:]
    return sent[0], sent[1], sent[2] | {"Wechatpay-Signature": signature}


def _swapped(sent: Sent, old: bytes, new: bytes) -> Sent:
    assert old in sent[0]
    return sent[0].replace(old, new), sent[1], sent[2]


HOURS = 3600
#: name -> (gateway, the post, settings that are in force)
CASES: dict[str, tuple[str, Callable[[str], Sent], dict[str, Any]]] = {
    "stripe: no signature": ("stripe", lambda n: _without(_stripe(n), "Stripe-Signature"), {}),
    "stripe: an empty secret": ("stripe", lambda n: _stripe(n, secret=""), {"STRIPE_WEBHOOK_SECRETS": [""]}),
    "stripe: no secret": ("stripe", lambda n: _stripe(n, secret=""), {"STRIPE_WEBHOOK_SECRETS": []}),
    "stripe: a wrong key": ("stripe", lambda n: _stripe(n, secret="whsec_other"), {}),
    "stripe: another body's signature": ("stripe", lambda n: _stripe(n, signed=b"{}"), {}),
    "stripe: an old clock": ("stripe", lambda n: _stripe(n, age=HOURS), {}),
    "stripe: a future clock": ("stripe", lambda n: _stripe(n, age=-HOURS), {}),
    "stripe: another account": ("stripe", lambda n: _stripe(n, account="acct_other"), {}),
    "stripe: live in test": ("stripe", lambda n: _stripe(n, livemode=True), {}),
    "stripe: test in live": ("stripe", _stripe, {"STRIPE_SECRET_KEY": "sk_live_" + "x" * 24}),
    "stripe: no JSON": ("stripe", lambda n: (b"<xml/>", "application/xml", {}), {}),
    "airwallex: no signature": ("airwallex", lambda n: _without(_airwallex(n), "x-signature"), {}),
    "airwallex: no time": ("airwallex", lambda n: _without(_airwallex(n), "x-timestamp"), {}),
    "airwallex: an empty secret": (
        "airwallex", lambda n: _airwallex(n, secret=""), {"AIRWALLEX_WEBHOOK_SECRETS": [""]}),
    "airwallex: a wrong key": ("airwallex", lambda n: _airwallex(n, secret="other"), {}),
    "airwallex: another body's signature": ("airwallex", lambda n: _airwallex(n, signed=b"{}"), {}),
    "airwallex: an old clock": ("airwallex", lambda n: _airwallex(n, age=HOURS), {}),
    "airwallex: a future clock": ("airwallex", lambda n: _airwallex(n, age=-HOURS), {}),
    "airwallex: another account": ("airwallex", lambda n: _airwallex(n, account_id="acct_other"), {}),
    "wechatpay: no signature": ("wechatpay", lambda n: _without(_wechat(n), "Wechatpay-Signature"), {}),
    "wechatpay: no headers": ("wechatpay", lambda n: (_wechat(n)[0], "application/json", {}), {}),
    "wechatpay: a probe": ("wechatpay", lambda n: _probe(_wechat(n)), {}),
    "wechatpay: a wrong key": ("wechatpay", lambda n: _wechat(n, name="merchant"), {}),
    "wechatpay: another body's signature": ("wechatpay", lambda n: _wechat(n, signed=b"{}"), {}),
    "wechatpay: sealed with another key": ("wechatpay", lambda n: _wechat(n, key="k" * 32), {}),
    "wechatpay: an old clock": ("wechatpay", lambda n: _wechat(n, age=HOURS), {}),
    "wechatpay: a future clock": ("wechatpay", lambda n: _wechat(n, age=-HOURS), {}),
    "wechatpay: another merchant": ("wechatpay", lambda n: _wechat(n, mchid="1900000999"), {}),
    "wechatpay: another app": ("wechatpay", lambda n: _wechat(n, appid="wx0000000000000000"), {}),
    "alipay: no signature": (
        "alipay", lambda n: (_alipay(n)[0].partition(b"&sign=")[0], _alipay(n)[1], {}), {}),
    "alipay: a wrong key": ("alipay", _alipay, {"ALIPAY_PUBLIC_KEY": alipay.public_pem(alipay.OUR_KEY)}),
    "alipay: another body's signature": (
        "alipay", lambda n: _swapped(_alipay(n), b"total_amount=39.90", b"total_amount=39.91"), {}),
    "alipay: an old clock": ("alipay", lambda n: _alipay(n, age=72 * HOURS), {}),
    "alipay: a future clock": ("alipay", lambda n: _alipay(n, age=-HOURS), {}),
    "alipay: another application": ("alipay", lambda n: _alipay(n, app_id="2021000000000099"), {}),
    "alipay: another seller": ("alipay", lambda n: _alipay(n, seller_id="2088000000000099"), {}),
}  # fmt: skip


def post(path: str, sent: Sent) -> int:
    body, kind, headers = sent
    return Client().post(path, body, content_type=kind, headers=headers).status_code


def rejected() -> int:
    return counted("webhook_rejected")


def assert_nothing_moved(victims: dict[str, PaymentIntent], events: int) -> None:
    for intent in victims.values():
        intent.refresh_from_db()
        intent.order.refresh_from_db()
        assert (intent.status, intent.order.status) == ("requires_action", "pending")
    assert PaymentEvent.objects.count() == events
    assert not Posting.objects.exists()
    assert not StaffItem.objects.exists()


@pytest.mark.parametrize("name", CASES)
def test_refused_counted_no_row_and_nothing_moves(
    victims: dict[str, PaymentIntent], settings: Any, caplog: Any, name: str
) -> None:
    gateway, make, changed = CASES[name]
    for setting, value in changed.items():
        setattr(settings, setting, value)
    before = PaymentEvent.objects.count()
    for door in DOORS[gateway]:
        assert 400 <= post(door, make(victims[gateway].out_trade_no)) < 500
    assert rejected() == len(DOORS[gateway])
    assert WebhookEvent.objects.count() == 0
    assert_nothing_moved(victims, before)


@pytest.mark.parametrize("gateway", DOORS)
def test_the_true_post_is_taken_at_every_door(victims: dict[str, PaymentIntent], gateway: str) -> None:
    intent = victims[gateway]
    for door in DOORS[gateway]:
        assert post(door, TRUE[gateway](intent.out_trade_no)) in (200, 204)
    assert rejected() == 0
    assert WebhookEvent.objects.get().status == "processed"  # the usual success is settled at the door
    intent.refresh_from_db()
    assert intent.status == "succeeded"


@pytest.mark.parametrize("order_of", DOORS)
@pytest.mark.parametrize("gateway", DOORS)
def test_one_providers_event_moves_no_other_providers_payment(
    victims: dict[str, PaymentIntent], gateway: str, order_of: str
) -> None:
    """Truly signed; what it names is another gateway's payment: refused at every door, counted, no row."""
    if gateway == order_of:
        return
    victims.pop(gateway).delete()
    before = PaymentEvent.objects.count()
    for door in DOORS[gateway]:
        assert post(door, TRUE[gateway](victims[order_of].out_trade_no)) == 403
    assert rejected() == len(DOORS[gateway])
    assert WebhookEvent.objects.count() == 0
    assert_nothing_moved(victims, before)


@pytest.mark.parametrize("gateway", DOORS)
def test_it_is_refused_in_the_providers_own_words(victims: dict[str, PaymentIntent], gateway: str) -> None:
    other = next(name for name in DOORS if name != gateway)
    body, kind, headers = TRUE[gateway](victims[other].out_trade_no)
    answer = Client().post(DOORS[gateway][0], body, content_type=kind, headers=headers)
    assert (answer.status_code, WebhookEvent.objects.count()) == (403, 0)
    said = answer.content.decode()
    if gateway == "alipay":
        assert said == "fail"
    elif gateway == "wechatpay":
        assert json.loads(said) == {"code": "FAIL", "message": "失败"}
    else:
        assert json.loads(said) == json.loads(registry.get(gateway).acknowledge(accepted=False).body)


def test_a_hint_about_anothers_payment_is_as_unknown_as_any(victims: dict[str, PaymentIntent]) -> None:
    """The machine's posts are unsigned: anybody could find out which numbers there are by what is refused."""
    said = []
    for number in (victims["alipay"].out_trade_no, "P20990101000000deadbeef"):
        told = {"third_id": number, "status": 3, "pay_amount": 39.90}
        answer = Client().post("/api/chinese/order/payStatus", told, content_type="application/json")
        said.append((answer.status_code, answer.content))
    assert said[0] == said[1]
    assert WebhookEvent.objects.count() == 0


@pytest.mark.parametrize("gateway", DOORS)
def test_one_providers_post_at_anothers_door_is_refused(
    victims: dict[str, PaymentIntent], gateway: str
) -> None:
    before = PaymentEvent.objects.count()
    others = [door for other, doors in DOORS.items() if other != gateway for door in doors]
    for door in others:
        assert 400 <= post(door, TRUE[gateway](victims[gateway].out_trade_no)) < 500
    assert rejected() == len(others)
    assert WebhookEvent.objects.count() == 0
    assert_nothing_moved(victims, before)
