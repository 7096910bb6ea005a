"""No card number, CVC, key, webhook secret, client secret or token is anywhere after card payments (GUARANTEES, invariant 7).

Looked through are every column of every table, Redis, the media directory and everything that was logged or printed.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection

from payments.gateways import base
from payments.services import online_payments, refund_steps, refunds
from pimpshop.core.models import AuditEntry
from pimpshop.core.tokens import SharedTokenStore
from tests import factories
from tests.support import leaks
from tests.support.leaks import Secret
from tests.support.online import Online, let_pass, settle_down

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
CARDS = {
    "good": "4242424242424242",
    "3-D Secure": "4000000000003220",
    "declined": "4000000000000002",
    "no funds": "4000000000009995",
    "mastercard": "5555555555554444",
    "american express": "378282246310005",
}
CVC, CVC4 = "947", "9471"
TOKEN = "pm_card_mastercard"


def buy(online: Online, gateway: str, instrument: Any, method: str = "card", **more: Any) -> Any:
    choice = online_payments.Choice(gateway=gateway, method=method, **more)
    return online_payments.start_payment(online.order(), choice, instrument=instrument, source="api")


def card(number: str) -> base.Card:
    cvc = CVC4 if number.startswith("3") else CVC
    return base.Card(number=number, exp_month=12, exp_year=2034, cvc=cvc, name="Zoe Tester")


def everything_with_cards(online: Online) -> list[Secret]:
    """Card payments that go well, badly and unanswered, at both gateways that take cards; the secrets that it took."""
    for gateway in ("stripe", "airwallex"):
        for number in CARDS.values():
            intent = buy(online, gateway, card(number))
            if intent.status == "requires_action":
                online.pay(intent)
        kept = buy(online, gateway, card(CARDS["good"]), save_method=True)
        refund = refunds.request_refund(
            intent=kept, amount_minor=100, origin="staff", actor="ada", reason="requested", source="admin"
        )
        refund_steps.send(refund.pk)
        confirm = {"stripe": "payment_intents.confirm", "airwallex": "payment_intents/confirm"}[gateway]
        for fault in ("answer_lost_after_accepting", "error_after_accepting", "rate_limited"):
            online.fault(gateway, fault, target=confirm)
            buy(online, gateway, card(CARDS["good"]))
            online.fault(gateway, fault, on=False)
    buy(online, "stripe", base.Token(value=TOKEN), method="token")
    for gateway in ("wechatpay", "alipay"):
        online.pay(online.start(gateway))
    for post in list(online.box.posts):
        post.deliver()
        post.deliver(headers={"Stripe-Signature": "t=1,v1=" + "0" * 64})
    settle_down()
    let_pass(seconds=5)
    return secrets_of(online)


def secrets_of(online: Online) -> list[Secret]:
    cards = [Secret(f"card, {name}", number) for name, number in CARDS.items()]
    codes = [Secret("CVC", CVC, cvc=True), Secret("CVC of four", CVC4, cvc=True)]
    theirs = [
        Secret(f"{gateway} client secret", one["client_secret"])
        for gateway, kind in (("stripe", "payment_intent"), ("airwallex", "payment_intents"))
        for one in online.sandbox.books(gateway)[kind]
        if one.get("client_secret")
    ]
    own = {
        "Stripe's key": django_settings.STRIPE_SECRET_KEY,
        "Stripe's webhook secret": django_settings.STRIPE_WEBHOOK_SECRETS[0],
        "Airwallex's key": django_settings.AIRWALLEX_API_KEY,
        "Airwallex's webhook secret": django_settings.AIRWALLEX_WEBHOOK_SECRETS[0],
        "Airwallex's access token": SharedTokenStore("airwallex").get() or "",
        "WeChat Pay's v3 key": django_settings.WECHAT_API_V3_KEY,
        "WeChat Pay's private key": django_settings.WECHAT_PRIVATE_KEY.splitlines()[3],
        "Alipay's private key": django_settings.ALIPAY_PRIVATE_KEY.splitlines()[3],
        "a token of a card": TOKEN,
    }
    assert all(len(value) > 12 for value in own.values()), [name for name in own if len(own[name]) <= 12]
    assert theirs
    return [*cards, *codes, *theirs, *(Secret(name, value) for name, value in own.items())]


def everywhere(secrets: list[Secret], said: str) -> list[str]:
    found = [*leaks.in_database(secrets), *leaks.in_redis(secrets)]
    found += leaks.in_files(
        Path(django_settings.MEDIA_ROOT), [s for s in secrets if "private key" not in s.name]
    )
    return sorted({*found, *leaks.look("logs", said, secrets)})


@pytest.fixture
def long_ids(db: None) -> None:
    """No row's id is by chance what a CVC is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, greatest(coalesce(last_value, 1), 100000))"
            " FROM pg_sequences WHERE schemaname = current_schema()"
        )


def test_nothing_secret_is_left_anywhere(
    long_ids: None, online: Online, settings: Any, tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)  # not the files of every other test, which come and go meanwhile
    caplog.set_level(logging.DEBUG)
    secrets = everything_with_cards(online)
    out, err = capfd.readouterr()
    logged = "\n".join([caplog.text, *(str(record.__dict__) for record in caplog.records)])
    assert "payment_settled" in err + logged  # there is something to look through
    assert everywhere(secrets, out + err + logged) == []


@pytest.mark.parametrize("written", ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"])
def test_a_card_number_that_is_planted_is_found_in_each_place(
    db: None, settings: Any, tmp_path: Path, written: str
) -> None:
    """The scan can fail."""
    settings.MEDIA_ROOT = str(tmp_path)
    secrets = [Secret("card", CARDS["good"]), Secret("CVC", CVC, cvc=True)]
    assert everywhere(secrets, "") == []
    AuditEntry.objects.create(actor="ada", action="plant", subject="x", reason=f"card {written}, cvc: {CVC}")
    factories.outbound_event(payload={"card": {"number": written, "cvc": CVC}})
    cache.set("planted", {"number": written})
    (tmp_path / "note.txt").write_text(f"paid with {written}")
    found = everywhere(secrets, f"INFO number={written}&cvc={CVC}&x=1")
    prefix = next(one for one in found if one.startswith("redis"))
    assert found == sorted([
        "core_auditentry.reason: card", "core_auditentry.reason: CVC", "logs: card", "logs: CVC", "note.txt: card",
        "payments_outboundevent.payload: card", "payments_outboundevent.payload: CVC", prefix,
    ])  # fmt: skip


def test_a_plain_number_is_no_cvc() -> None:
    cvc = Secret("CVC", CVC, cvc=True)
    assert not cvc.stands_in("id 947, 2026-11-28T03:47:33.947123Z, P2025112010111200000947, 39470")
    assert cvc.stands_in('{"cvc": "947"}')
