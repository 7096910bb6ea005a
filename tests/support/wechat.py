"""WeChat Pay's side of the wire for tests: a merchant's and a platform's key pair, signed answers, sealed notifications.

Written from the provider's pages with `cryptography` alone: nothing here uses the gateway's own signing.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

from payments.gateways import wechatpay

APP_ID, MINI_APP_ID, MOBILE_APP_ID = "wx1234567890abcdef", "wxmini567890abcdef", "wxapp4567890abcdef"
MCH_ID = "1900000109"
SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
V3_KEY = "test-v3-key-of-thirty-two-bytes."
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092024092900000000"
BASE = "https://api.mch.weixin.qq.com"
NOTIFY_URL = "https://shop.example/api/v1/payments/wechat/notify"
SCHEME = "WECHATPAY2-SHA256-RSA2048"


@cache
def key_pair(name: str) -> rsa.RSAPrivateKey:
    """A key pair of that name, drawn once per run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(name: str) -> str:
    form = serialization.PrivateFormat.PKCS8
    return (
        key_pair(name).private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    )


def public_pem(name: str) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key_pair(name).public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@cache
def certificate(name: str, start: datetime, end: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Tenpay.com {name}")])
    builder = x509.CertificateBuilder(
        subject, subject, key_pair(name).public_key(), int(SERIAL[:-1], 16) + len(name)
    )
    return builder.not_valid_before(start).not_valid_after(end).sign(key_pair(name), hashes.SHA256())


def serial_of(made: x509.Certificate) -> str:
    return f"{made.serial_number:040X}"


def sign(message: bytes, name: str = "platform") -> str:
    return base64.b64encode(key_pair(name).sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()


def signed_headers(
    body: bytes, now: datetime, *, name: str = "platform", serial: str = PUBLIC_KEY_ID, nonce: str = "n" * 32
) -> dict[str, str]:
    """The five headers of an answer or notification."""
    stamp = str(int(now.timestamp()))
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(f"{stamp}\n{nonce}\n".encode() + body + b"\n", name),
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": SCHEME,
        "Request-ID": "08F78BB5AF0610D302185B20FFA4C904",
    }


def seal(plain: dict[str, Any] | str, associated: str = "transaction", key: str = V3_KEY) -> dict[str, str]:
    """The `resource` of a notification, or an `encrypt_certificate`."""
    nonce = secrets.token_hex(6)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    sealed = AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "associated_data": associated,
        "nonce": nonce,
        "ciphertext": base64.b64encode(sealed).decode(),
    }


def notification(plain: dict[str, Any], kind: str = "TRANSACTION.SUCCESS", **changes: Any) -> bytes:
    """The body of a notification, unsigned as yet."""
    original = "refund" if kind.startswith("REFUND") else "transaction"
    told = {
        "id": "EV-2018022511223320873",
        "create_time": "2025-08-30T15:53:29+08:00",
        "resource_type": "encrypt-resource",
        "event_type": kind,
        "summary": "支付成功",
        "resource": {"original_type": original, **seal(plain, original)},
    }
    return json.dumps(told | changes, ensure_ascii=False).encode()


def transaction(out_trade_no: str, fen: int, word: str = "SUCCESS", **changes: Any) -> dict[str, Any]:
    """A transaction object."""
    told: dict[str, Any] = {
        "appid": APP_ID, "mchid": MCH_ID, "out_trade_no": out_trade_no, "trade_type": "NATIVE", "trade_state": word,
        "trade_state_desc": "说明", "bank_type": "OTHERS", "attach": "",
        "amount": {"total": fen, "payer_total": max(fen - 100, 1), "currency": "CNY", "payer_currency": "CNY"},
    }  # fmt: skip
    if word in ("SUCCESS", "REFUND"):
        told |= {
            "transaction_id": "4200001234567890123456789012",
            "success_time": "2025-08-30T15:53:20+08:00",
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        }
    return told | changes


def certificates_answer(*made: x509.Certificate) -> bytes:
    """The body of /v3/certificates."""
    data = [
        {
            "serial_no": serial_of(one),
            "effective_time": one.not_valid_before_utc.isoformat(),
            "expire_time": one.not_valid_after_utc.isoformat(),
            "encrypt_certificate": seal(one.public_bytes(serialization.Encoding.PEM).decode(), "certificate"),
        }
        for one in made
    ]
    return json.dumps({"data": data}).encode()


class Store:
    """A certificate store in memory that counts."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.saved = 0

    def load(self) -> str | None:
        return self.text

    def save(self, text: str) -> None:
        self.text, self.saved = text, self.saved + 1


def config(now: datetime | None = None, **changes: Any) -> wechatpay.Config:
    """A merchant in public key mode whose clock stands at `now` (else the real one runs)."""
    values: dict[str, Any] = {
        "app_id": APP_ID, "mch_id": MCH_ID, "serial_no": SERIAL, "private_key": private_pem("merchant"),
        "api_v3_key": V3_KEY, "base_url": BASE, "notify_url": NOTIFY_URL, "mini_app_id": MINI_APP_ID,
        "mobile_app_id": MOBILE_APP_ID, "public_key_id": PUBLIC_KEY_ID, "public_key": public_pem("platform"),
    }  # fmt: skip
    if now is not None:
        values["clock"] = lambda: now
    return wechatpay.Config(**(values | changes))


def in_certificate_mode(now: datetime, store: Store, base_url: str) -> wechatpay.Config:
    """The same without a public key. Tries are counted per process and base URL, so each test has one of its own."""
    return config(now, public_key_id="", public_key="", certificates=store, base_url=base_url)


def valid_certificate(name: str, now: datetime) -> x509.Certificate:
    return certificate(name, now - timedelta(days=30), now + timedelta(days=365))


START = datetime(2025, 8, 30, 7, 53, 29, tzinfo=UTC)
