"""WeChat Pay's notifications: published vectors, both key modes, probes, clocks, forgeries, whose money it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from payments.gateways import base, crypto, wechatpay
from payments.gateways.wechatpay import keys
from pimpshop.core.money import Money
from tests.support import wechat
from tests.support.wechat import START

VECTORS = json.loads(Path("tests/vectors/wechat_alipay.json").read_text())["wechatpay"]
NUMBER = "PYEN250830540573"


def gateway(**changes: Any) -> wechatpay.WeChatPayGateway:
    return wechatpay.WeChatPayGateway(wechat.config(START, **changes))


def post(body: bytes, headers: dict[str, str], at: datetime = START) -> base.WebhookRequest:
    return base.WebhookRequest(body=body, headers=headers, received_at=at)


def signed(plain: dict[str, Any], kind: str = "TRANSACTION.SUCCESS", **changes: Any) -> base.WebhookRequest:
    body = wechat.notification(plain, kind, **changes)
    return post(body, wechat.signed_headers(body, START))


def test_the_published_notification_verifies_and_opens():
    vector = VECTORS["go_notification"]
    at = datetime.fromtimestamp(1624523846, UTC)
    theirs = vector["headers"]
    config = wechat.config(
        at, public_key_id=theirs["Wechatpay-Serial"], public_key=vector["platform_cert_pem"]
    )
    ring = keys.KeyRing(config, lambda: b"")
    lower = {name.lower(): value for name, value in theirs.items()}
    assert ring.verify(lower, vector["body"].encode())
    assert not ring.verify(lower, vector["body"].encode() + b" ")
    assert not ring.verify(lower | {"wechatpay-nonce": "x"}, vector["body"].encode())
    resource = json.loads(vector["body"])["resource"]
    opened = crypto.unseal(
        vector["apiv3_key"].encode(), resource["nonce"].encode(), resource["ciphertext"],
        resource["associated_data"].encode(),
    )  # fmt: skip
    assert opened.decode() == vector["plaintext"]
    # A kind that we have nothing to do with is acknowledged and not looked into.
    assert wechatpay.WeChatPayGateway(config).read_webhook(post(vector["body"].encode(), theirs, at)) == ()


def test_the_published_certificates_open():
    vector = VECTORS["java_certificates"]
    body, key = vector["response_body"].encode(), vector["apiv3_key"]
    at = datetime(2024, 1, 1, tzinfo=UTC)
    found = keys.open_certificates(body, key, at)
    assert list(found) == [vector["serial_no"]]
    expected = crypto.load_public_key(vector["pem"]).public_numbers()
    assert found[vector["serial_no"]].public_numbers() == expected
    assert keys.open_certificates(body, key, datetime(2029, 1, 1, tzinfo=UTC)) == {}
    with pytest.raises(crypto.BadSeal):
        keys.open_certificates(body, "x" * 32, at)


def test_a_payment_is_told_by_its_total():
    (event,) = gateway().read_webhook(signed(wechat.transaction(NUMBER, 1999)))
    assert (event.confirmed, event.event_id, event.account) == (True, "EV-2018022511223320873", wechat.MCH_ID)
    assert event.payment is not None
    assert (event.payment.status, event.payment.amount) == (base.PaymentStatus.SUCCEEDED, Money(1999, "CNY"))
    assert event.payment.provider_ref == "4200001234567890123456789012"
    assert "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" not in repr(event)


@pytest.mark.parametrize("app_id", [wechat.APP_ID, wechat.MINI_APP_ID, wechat.MOBILE_APP_ID])
def test_each_of_our_app_ids_counts(app_id):
    assert len(gateway().read_webhook(signed(wechat.transaction(NUMBER, 1, appid=app_id)))) == 1


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [
        ("SUCCESS", base.RefundStatus.SUCCEEDED, None),
        ("CLOSED", base.RefundStatus.FAILED, "CLOSED"),
        ("ABNORMAL", base.RefundStatus.PENDING, "ABNORMAL"),
        ("NEW_WORD", base.RefundStatus.PENDING, None),
    ],
)
def test_a_refund_is_told(word, status, code):
    plain = {
        "mchid": wechat.MCH_ID, "out_trade_no": NUMBER, "transaction_id": "4200", "out_refund_no": "R1",
        "refund_id": "503", "refund_status": word,
        "amount": {"total": 1999, "refund": 500, "payer_total": 1999, "payer_refund": 400},
    }  # fmt: skip
    (event,) = gateway().read_webhook(signed(plain, f"REFUND.{word}"))
    assert (event.confirmed, event.payment) == (True, None)
    notice = event.refund
    assert notice is not None
    assert (notice.status, notice.amount, notice.provider_ref) == (status, Money(500, "CNY"), "503")
    assert (notice.out_refund_no, notice.out_trade_no, notice.payment_ref) == ("R1", NUMBER, "4200")
    assert (notice.error.provider_code if notice.error else None) == code
    with pytest.raises(base.WebhookRejected) as caught:
        gateway().read_webhook(signed(plain | {"mchid": "1900000110"}, f"REFUND.{word}"))
    assert (caught.value.code, caught.value.http_status) == ("foreign", 403)


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_fresh_stamp_counts(seconds):
    body = wechat.notification(wechat.transaction(NUMBER, 1999))
    headers = wechat.signed_headers(body, START + timedelta(seconds=seconds))
    assert len(gateway().read_webhook(post(body, headers))) == 1


@pytest.mark.parametrize("seconds", [-86400, -300, 300, 86400])
def test_a_stale_stamp_does_not(seconds):
    body = wechat.notification(wechat.transaction(NUMBER, 1999))
    headers = wechat.signed_headers(body, START + timedelta(seconds=seconds))
    with pytest.raises(base.WebhookRejected) as caught:
        gateway().read_webhook(post(body, headers))
    assert (caught.value.code, caught.value.http_status) == ("stale", 401)


def test_forgeries_are_refused():
    body = wechat.notification(wechat.transaction(NUMBER, 1999))
    good = wechat.signed_headers(body, START)
    probe = f"WECHATPAY/SIGNTEST/{good['Wechatpay-Signature'][19:]}"
    forged: list[dict[str, str]] = [
        {}, good | {"Wechatpay-Signature": probe}, good | {"Wechatpay-Signature": ""},
        wechat.signed_headers(body, START, name="stranger"), wechat.signed_headers(b"{}", START),
        good | {"Wechatpay-Serial": "PUB_KEY_ID_9"}, good | {"Wechatpay-Serial": "A" * 40},
        good | {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, good | {"Wechatpay-Timestamp": "1e9"},
        good | {"Wechatpay-Nonce": "other"},
    ]  # fmt: skip
    with responses.RequestsMock() as wire:  # and nothing is asked for
        for headers in forged:
            with pytest.raises(base.WebhookRejected) as caught:
                gateway().read_webhook(post(body, headers))
            assert caught.value.http_status == 401
        assert len(wire.calls) == 0


@pytest.mark.parametrize(
    ("plain", "changes", "code"),
    [
        (wechat.transaction(NUMBER, 1999, mchid="1900000110"), {}, "foreign"),
        (wechat.transaction(NUMBER, 1999, appid="wxstranger"), {}, "foreign"),
        (wechat.transaction(NUMBER, 1999), {"id": ""}, "bad_body"),
        (wechat.transaction(NUMBER, 1999), {"resource": None}, "bad_body"),
        (wechat.transaction(NUMBER, 1999), {"resource": wechat.seal({}, key="x" * 32)}, "bad_body"),
        (wechat.transaction(NUMBER, 1999, amount={"total": 19.99, "currency": "CNY"}), {}, "bad_body"),
        (wechat.transaction(NUMBER, 1999, amount={"total": "1999"}), {}, "bad_body"),
        (wechat.transaction(NUMBER, 1999, amount={"total": 1999, "currency": "XXX"}), {}, "bad_body"),
        (wechat.transaction(NUMBER, 1999, amount=None), {}, "bad_body"),
        (wechat.transaction(NUMBER, 1999, transaction_id=""), {}, "bad_body"),
        (wechat.transaction("", 1999), {}, "bad_body"),
    ],
)
def test_what_is_signed_must_also_make_sense(plain, changes, code):
    with pytest.raises(base.WebhookRejected) as caught:
        gateway().read_webhook(signed(plain, **changes))
    assert caught.value.code == code


def test_an_old_xml_message_is_refused():
    xml = b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>"
    for headers in ({}, wechat.signed_headers(xml, START)):
        with pytest.raises(base.WebhookRejected):
            gateway().read_webhook(post(xml, headers))


# --- platform certificates ---


def certificate_gateway(
    base_url: str, store: wechat.Store, now: datetime = START
) -> wechatpay.WeChatPayGateway:
    return wechatpay.WeChatPayGateway(wechat.in_certificate_mode(now, store, base_url))


def told(made: Any, *, name: str = "platform", serial: str = "", at: datetime = START) -> base.WebhookRequest:
    body = wechat.notification(wechat.transaction(NUMBER, 1999))
    headers = wechat.signed_headers(body, at, name=name, serial=serial or wechat.serial_of(made))
    return post(body, headers, at)


def refused(ours: wechatpay.WeChatPayGateway, wrong: base.WebhookRequest) -> bool:
    with pytest.raises(base.WebhookRejected):
        ours.read_webhook(wrong)
    return True


def test_certificates_are_fetched_once_and_a_forged_serial_fetches_nothing():
    made, store, url = wechat.valid_certificate("platform", START), wechat.Store(), "https://once.example"
    with responses.RequestsMock() as wire:
        wire.get(f"{url}/v3/certificates", body=wechat.certificates_answer(made))
        for _ in range(3):
            assert len(certificate_gateway(url, store).read_webhook(told(made))) == 1
        for number in range(20):
            assert refused(certificate_gateway(url, store), told(made, serial=f"{number:040X}"))
        assert (len(wire.calls), store.saved) == (1, 1)
        later = START + timedelta(hours=12)
        renewed = certificate_gateway(url, store, later)
        assert len(renewed.read_webhook(told(made, at=later))) == 1
        assert (len(wire.calls), store.saved) == (2, 2)


def test_old_certificates_stay_while_a_renewal_fails():
    made, store, url = wechat.valid_certificate("platform", START), wechat.Store(), "https://fails.example"
    with responses.RequestsMock() as wire:
        wire.get(f"{url}/v3/certificates", body=wechat.certificates_answer(made))
        certificate_gateway(url, store).read_webhook(told(made))
        wire.replace("GET", f"{url}/v3/certificates", status=503)
        later = START + timedelta(hours=13)
        for _ in range(5):
            assert len(certificate_gateway(url, store, later).read_webhook(told(made, at=later))) == 1
        assert len(wire.calls) == 2  # one failed try in five minutes


def test_a_certificate_that_is_over_or_not_sealed_for_us_does_not_count():
    over = wechat.certificate("old", START - timedelta(days=9), START - timedelta(days=1))
    fresh = wechat.valid_certificate("platform", START)
    store, url = wechat.Store(), "https://over.example"
    with responses.RequestsMock() as wire:
        wire.get(f"{url}/v3/certificates", body=wechat.certificates_answer(over, fresh))
        assert refused(certificate_gateway(url, store), told(over, name="old"))
        assert len(certificate_gateway(url, store).read_webhook(told(fresh))) == 1
    store.text = json.dumps(
        {"answer": '{"data":[{"serial_no":"A"}]}', "at": START.isoformat()}
    )  # a foreign hand
    assert refused(certificate_gateway(url, store), told(fresh))


def test_during_a_migration_both_kinds_count_and_no_certificate_is_an_answer_too():
    made, store, url = wechat.valid_certificate("old platform", START), wechat.Store(), "https://both.example"
    both = wechatpay.WeChatPayGateway(wechat.config(START, certificates=store, base_url=url))
    with responses.RequestsMock() as wire:
        wire.get(f"{url}/v3/certificates", body=wechat.certificates_answer(made))
        assert len(both.read_webhook(told(made, name="old platform"))) == 1
        assert len(both.read_webhook(signed(wechat.transaction(NUMBER, 1999)))) == 1
    store, url = wechat.Store(), "https://none.example"
    new = wechatpay.WeChatPayGateway(wechat.config(START, certificates=store, base_url=url))
    with responses.RequestsMock() as wire:
        wire.get(f"{url}/v3/certificates", status=404, json={"code": "RESOURCE_NOT_EXISTS", "message": "无"})
        assert refused(new, told(made))
        assert refused(new, told(made))
        assert (len(wire.calls), store.saved) == (1, 1)
