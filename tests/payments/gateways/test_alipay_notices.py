"""Alipay's posts and returns: whose word counts, and what it says. And what the settings must be."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from django.core import checks as django_checks

from payments import registry
from payments.checks import alipay as checks
from payments.gateways import base
from payments.gateways.alipay import signing
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW
from tests.support.alipay import (
    APP,
    NUMBER,
    PRIVATE,
    PUBLIC,
    SELLER,
    TRADE,
    make,
    notice,
    notice_fields,
    sign,
)

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "wechat_alipay.json").read_text())["alipay"]
PAID = Money.parse("19.99", "CNY")


def read(body: bytes, gateway=None, *, at=NOW):
    return (gateway or make()).read_webhook(base.WebhookRequest(body=body, received_at=at))


def refused(body: bytes, **parts) -> str:
    with pytest.raises(base.WebhookRejected) as caught:
        read(body, **parts)
    assert 400 <= caught.value.http_status < 500
    return caught.value.code


# --- what a notice says ---


def test_a_success_is_a_payment_with_its_amount_and_nothing_of_the_buyers():
    (event,) = read(notice())
    assert (event.event_id, event.kind) == ("2025083000222155340005620512345678", "trade_status_sync")
    assert (event.out_trade_no, event.provider_ref, event.amount_told) == (NUMBER, TRADE, Decimal("19.99"))
    assert event.confirmed
    assert event.payment == base.PaymentResult(
        status=base.PaymentStatus.SUCCEEDED, provider_ref=TRADE, transaction_ref=TRADE, amount=PAID,
        out_trade_no=NUMBER, account=APP, live=False, provider_status="TRADE_SUCCESS",
    )  # fmt: skip
    assert event.payload["status"] == "TRADE_SUCCESS"
    assert base.unpack(json.loads(json.dumps(base.pack(event)))).payment == event.payment
    assert not {"2088101117955611", "159****5620"} & set(event.payload.values())


@pytest.mark.parametrize(
    ("changes", "status", "refunded"),
    [
        ({"trade_status": "WAIT_BUYER_PAY"}, base.PaymentStatus.REQUIRES_ACTION, None),
        ({"trade_status": "TRADE_FINISHED"}, base.PaymentStatus.SUCCEEDED, None),
        ({"trade_status": "TRADE_CLOSED"}, base.PaymentStatus.CANCELED, None),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "0.00"}, base.PaymentStatus.CANCELED, None),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "19.99"}, base.PaymentStatus.REFUNDED, "19.99"),
        (
            {"trade_status": "TRADE_CLOSED", "gmt_refund": "2025-08-30 15:53:41.123"},
            base.PaymentStatus.REFUNDED,
            "19.99",
        ),
        (
            {"refund_fee": "5.00", "gmt_refund": "2025-08-30 15:53:41"},
            base.PaymentStatus.SUCCEEDED,
            "5.00",
        ),
        ({"refund_fee": "19.99"}, base.PaymentStatus.SUCCEEDED, "19.99"),
        ({"trade_status": "BRAND_NEW"}, base.PaymentStatus.PROCESSING, None),
    ],
)
def test_each_status_is_ours(changes, status, refunded):
    (event,) = read(notice(**changes))
    assert event.payment is not None
    assert (event.status, event.payment.status) == (status, status)
    assert event.payment.refunded == (Money.parse(refunded, "CNY") if refunded else None)


def test_an_empty_field_belongs_to_the_signed_text():
    assert read(notice(body=""))
    assert refused(notice(body="").replace(b"body=&", b"")) == "bad_signature"


def test_a_blank_a_plus_and_a_percent_are_decoded_once():
    subject = "a+b %2B 100% 壳 = &"
    (event,) = read(notice(subject=subject))
    assert event.out_trade_no == NUMBER


def test_a_verified_notice_about_something_else_is_acknowledged_and_nothing():
    assert read(notice(notify_type="dut_user_sign")) == ()


# --- what is not believed ---


@pytest.mark.parametrize("posted", ["RSA", "RSA2", "NONE", ""])
def test_the_posted_sign_type_chooses_nothing(posted):
    """An attacker who can forge SHA-1 gains nothing: the algorithm is fixed."""
    assert refused(notice(algorithm=hashes.SHA1(), sign_type=posted)) == "bad_signature"
    assert read(notice(sign_type=posted))


@pytest.mark.parametrize("name", ["total_amount", "trade_status", "sign", "out_trade_no"])
def test_a_field_that_stands_twice_is_refused(name):
    value = notice_fields().get(name, "x")
    assert refused(notice() + b"&" + urlencode({name: value}).encode()) == "bad_body"


@pytest.mark.parametrize(
    "tail", [b"&x=%FF", b"&x=%C4%E3%BA%C3", b"&x=\xff", b"&" + b"&".join([b"x=1"] * 200)]
)
def test_other_bytes_than_utf_8_are_refused(tail):
    assert refused(notice() + tail) == "bad_body"


def test_a_signature_that_is_no_strict_base64_is_refused():
    fields = notice_fields()
    text = "&".join(f"{k}={v}" for k, v in sorted(fields.items()) if k != "sign_type")
    good = sign(text)
    for bad in ("", good + "\n", good[:-4] + "!!!!", good.rstrip("=") + "===", " " + good, "é"):
        assert refused(urlencode(fields | {"sign": bad}).encode()) == "bad_signature"


@pytest.mark.parametrize(
    "changes", [{"app_id": "2021000000000099"}, {"seller_id": "2088000000000099"}, {"seller_id": ""}]
)
def test_another_application_or_seller_is_foreign(changes):
    assert refused(notice(**changes)) == "foreign"


def test_without_a_seller_in_the_settings_the_application_decides():
    assert read(notice(seller_id="2088000000000099"), make(seller_id=""))


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(hours=26), True),
        (timedelta(hours=49), False),
        (-timedelta(minutes=10), True),
        (-timedelta(minutes=20), False),
    ],
)
def test_a_repeat_within_25_hours_is_good_and_an_old_or_future_clock_is_not(later, good):
    if good:
        assert read(notice(), at=NOW + later)
    else:
        assert refused(notice(), at=NOW + later) == "stale"


@pytest.mark.parametrize(
    "changes",
    [
        {"notify_time": "yesterday"}, {"notify_id": ""}, {"out_trade_no": ""}, {"trade_status": ""},
        {"total_amount": ""}, {"total_amount": "19.999"}, {"total_amount": "NaN"}, {"refund_fee": "1e3"},
    ],
)  # fmt: skip
def test_a_signed_notice_without_sense_is_refused(changes):
    assert refused(notice(**changes)) in ("bad_body", "stale")


# --- the published vector ---


def test_the_published_notice_verifies_byte_for_byte():
    found = VECTOR["notify_trade_success"]
    form = found["form"]
    assert signing.notice_text(form).decode() == found["sign_content"]
    gateway = make(
        app_id=form["app_id"], seller_id=form["seller_id"], public_key=found["alipay_public_key_b64"]
    )
    at = NOW.replace(2019, 8, 15, 8, 0, 0)
    # its number holds dashes: a number of another shop, read all the same
    (event,) = read(urlencode(form).encode(), gateway, at=at)
    assert event.payment is not None
    assert (event.out_trade_no, event.payment.amount) == (form["out_trade_no"], Money.parse("0.10", "CNY"))
    assert (
        refused(urlencode(form | {"total_amount": "0.11"}).encode(), gateway=gateway, at=at)
        == "bad_signature"
    )


# --- the way back ---


def returned(**changes: str) -> str:
    fields = {
        "charset": "utf-8", "out_trade_no": NUMBER, "method": "alipay.trade.page.pay.return", "total_amount": "19.99",
        "trade_no": TRADE, "auth_app_id": APP, "version": "1.0", "app_id": APP, "seller_id": SELLER,
        "timestamp": "2025-08-30 15:53:41", "token": "of the shop's own",
    } | changes  # fmt: skip
    text = "&".join(f"{k}={v}" for k, v in sorted(fields.items()))
    return urlencode(fields | {"sign_type": "RSA2", "sign": sign(text)})


def test_the_way_back_names_the_trade_and_no_status():
    found = make().read_return(returned())
    assert (found.out_trade_no, found.trade_no, found.amount) == (NUMBER, TRADE, PAID)
    assert not hasattr(found, "status")


@pytest.mark.parametrize(
    "query",
    [
        "", "x", returned().replace("19.99", "0.01"), returned(app_id="2021000000000099"), returned() + "&more=1",
        returned(total_amount="x"), "é=1",
    ],
)  # fmt: skip
def test_a_way_back_that_is_not_alipays_is_refused(query):
    with pytest.raises(base.WebhookRejected):
        make().read_return(query)


# --- the settings ---


@pytest.fixture
def given(settings: Any) -> Any:
    """Set the settings of a real account in key mode, with changes."""

    def set_(**changes: Any) -> list[str]:
        values = {
            "ALIPAY_APP_ID": APP, "ALIPAY_PRIVATE_KEY": PRIVATE, "ALIPAY_PUBLIC_KEY": PUBLIC, "ALIPAY_SELLER_ID": SELLER,
            "ALIPAY_GATEWAY": "https://openapi.alipay.com/gateway.do", "ALIPAY_APP_CERT": "", "ALIPAY_PUBLIC_CERT": "",
            "ALIPAY_ROOT_CERT": "", "SANDBOX": False,
        }  # fmt: skip
        for name, value in (values | changes).items():
            setattr(settings, name, value)
        return [message.id for message in checks.check_alipay(None)]

    return set_


OFF = dict.fromkeys(("ALIPAY_APP_ID", "ALIPAY_PRIVATE_KEY", "ALIPAY_PUBLIC_KEY", "ALIPAY_SELLER_ID"), "")


def test_a_good_account_is_live_and_none_is_off(given):
    assert given() == []
    gateway = registry.get("alipay")
    assert (gateway.account, gateway.live) == (APP, True)
    assert given(ALIPAY_GATEWAY="https://openapi-sandbox.dl.alipaydev.com/gateway.do") == []
    assert registry.get("alipay").live is False
    assert given(**OFF) == []
    configured = registry.configured()
    assert "alipay" not in configured
    with pytest.raises(registry.GatewayUnknown):
        registry.get("alipay")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ALIPAY_PUBLIC_KEY": ""}, ["shop.E030"]),
        ({"ALIPAY_PRIVATE_KEY": ""}, ["shop.E030"]),
        ({"ALIPAY_APP_CERT": "x"}, ["shop.E030"]),
        (OFF | {"ALIPAY_SELLER_ID": SELLER}, ["shop.E030"]),
        ({"ALIPAY_PRIVATE_KEY": "no key"}, ["shop.E031"]),
        ({"ALIPAY_PUBLIC_KEY": PRIVATE}, ["shop.E031"]),
        ({"ALIPAY_APP_CERT": "x", "ALIPAY_PUBLIC_CERT": "x", "ALIPAY_ROOT_CERT": "x"}, ["shop.E031"]),
        ({"ALIPAY_APP_ID": "2021000000000001"}, ["shop.E032"]),
        ({"ALIPAY_PRIVATE_KEY": PRIVATE.replace("\n", "\\n")}, []),
    ],
)
def test_half_an_account_or_the_simulators_is_refused(given, changes, expected):
    assert given(**changes) == expected


def test_the_sandboxs_own_values_are_good_towards_the_sandbox(settings):
    assert checks.check_alipay(None) == []
    assert registry.get("alipay").live is False
    text = (settings.SANDBOX_KEYS_DIR / "alipay_app.private.pem").read_text()
    settings.ALIPAY_GATEWAY = "https://openapi.alipay.com/gateway.do"
    found = checks.check_alipay(None)
    assert [message.id for message in found] == ["shop.E032"] * 3
    assert text not in repr(found)
    assert checks.check_alipay in django_checks.registry.registry.registered_checks
