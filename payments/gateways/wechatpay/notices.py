"""Notifications: verify, open, compare, and only then believe. No call leaves but for certificates (`keys`).

Order of work (https://pay.weixin.qq.com/doc/v3/merchant/4012791882): raw body, signature and clock, decryption, merchant
and app id. A probe (WECHATPAY/SIGNTEST/) fails as a bad signature. A v2 XML message carries none and fails likewise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from payments.gateways import crypto
from payments.gateways.base import ErrorCode, WebhookEvent, WebhookRejected, WebhookRequest
from payments.gateways.wechatpay import keys, messages, signing
from payments.gateways.wechatpay.config import Config
from pimpshop.core import redaction

MAX_POST = 256 * 1024
ALGORITHM = "AEAD_AES_256_GCM"


def read(config: Config, ring: keys.KeyRing, post: WebhookRequest) -> tuple[WebhookEvent, ...]:
    """The event of a post; none for a kind that we do not handle. Raises WebhookRejected."""
    if len(post.body) > MAX_POST:
        raise WebhookRejected("too long", http_status=413)
    headers = {name.lower(): value for name, value in post.headers.items()}
    if not signing.is_fresh(headers.get("wechatpay-timestamp", ""), post.received_at):
        raise WebhookRejected("without a fresh stamp", code=ErrorCode.STALE, http_status=401)
    if not ring.verify(headers, post.body):
        raise WebhookRejected("the signature does not hold", code=ErrorCode.BAD_SIGNATURE, http_status=401)
    envelope = _json(post.body)
    kind, event_id = messages.text(envelope, "event_type"), messages.text(envelope, "id")
    if not event_id:
        raise messages.bad_body("a notification without its id")
    if kind.startswith("TRANSACTION."):
        return (_payment(config, kind, event_id, _open(config, envelope)),)
    if kind.startswith("REFUND."):
        return (_refund(config, kind, event_id, _open(config, envelope)),)
    return ()


def _json(body: bytes | str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise messages.bad_body("no JSON") from exc
    if not isinstance(found, dict):
        raise messages.bad_body("no object")
    return found


def _open(config: Config, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The decrypted resource."""
    resource = envelope.get("resource")
    if not isinstance(resource, dict) or resource.get("algorithm") != ALGORITHM:
        raise messages.bad_body("nothing sealed in it")
    try:
        plaintext = crypto.unseal(
            config.api_v3_key.encode(),
            messages.text(resource, "nonce").encode(),
            messages.text(resource, "ciphertext"),
            messages.text(resource, "associated_data").encode(),
        )
    except crypto.BadSeal as exc:
        raise messages.bad_body("it does not open with our API v3 key") from exc
    return _json(plaintext)


def _payment(config: Config, kind: str, event_id: str, told: Mapping[str, Any]) -> WebhookEvent:
    if messages.text(told, "mchid") != config.mch_id or messages.text(told, "appid") not in config.app_ids:
        raise messages.foreign("another merchant's or app's payment")
    result = messages.payment(config, told, wrong=messages.bad_body)
    return WebhookEvent(
        gateway="wechatpay",
        account=config.mch_id,
        event_id=event_id,
        kind=kind,
        out_trade_no=result.out_trade_no,
        provider_ref=result.provider_ref,
        status=result.status,
        provider_status=result.provider_status,
        amount_told=result.amount.to_decimal() if result.amount else None,
        live=config.live,
        confirmed=True,
        payload=redaction.scrub(dict(told)),
        payment=result,
    )


def _refund(config: Config, kind: str, event_id: str, told: Mapping[str, Any]) -> WebhookEvent:
    notice = messages.refund_notice(config, told)
    return WebhookEvent(
        gateway="wechatpay",
        account=config.mch_id,
        event_id=event_id,
        kind=kind,
        out_trade_no=notice.out_trade_no,
        provider_ref=notice.payment_ref,
        provider_status=notice.provider_status,
        live=config.live,
        confirmed=True,
        payload=redaction.scrub(dict(told)),
        refund=notice,
    )
