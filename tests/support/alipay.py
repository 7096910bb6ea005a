"""Alipay's side for tests: a key pair of each party made at run time, signed answers and notices, reading what we send.

Written anew (not with the gateway's own code), so that both sides can only agree by keeping to Alipay's rules.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from payments.gateways import alipay
from tests.payments.gateways.contract import NOW

BEIJING = timezone(timedelta(hours=8))
URL = "https://openapi.example/gateway.do"
APP, SELLER = "2021000000000042", "2088000000000042"
NUMBER, TRADE = "P20250830075329AB12CD34", "2025083022001468450512505578"


def pem(key: rsa.RSAPrivateKey) -> str:
    """PKCS#8."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """SubjectPublicKeyInfo."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


OUR_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
THEIR_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE, PUBLIC = pem(OUR_KEY), public_pem(THEIR_KEY)


def make(**changes: Any) -> alipay.AlipayGateway:
    """The gateway in key mode."""
    values = {
        "app_id": APP, "private_key": PRIVATE, "public_key": PUBLIC, "seller_id": SELLER, "gateway_url": URL,
        "clock": lambda: NOW,
    }  # fmt: skip
    return alipay.AlipayGateway(alipay.Config(**(values | changes)))


def sign(
    text: str, *, algorithm: hashes.HashAlgorithm | None = None, key: rsa.RSAPrivateKey = THEIR_KEY
) -> str:
    """A signature of Alipay's, base64."""
    signed = key.sign(text.encode(), padding.PKCS1v15(), algorithm or hashes.SHA256())
    return base64.b64encode(signed).decode()


def answer(method: str, fields: dict[str, Any], *, code: str = "10000", **outer: str) -> str:
    """A signed synchronous answer, with the slashes escaped as Alipay's servers do."""
    told = {"code": code, "msg": "Success" if code == "10000" else "Business Failed"} | fields
    part = json.dumps(told, ensure_ascii=False).replace("/", "\\/")
    members = {"sign": sign(part)} | outer
    rest = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in members.items() if value)
    return f'{{"{method.replace(".", "_")}_response":{part}{rest}}}'


def refusal(method: str, code: str, sub_code: str) -> str:
    """A signed refusal."""
    return answer(method, {"sub_code": sub_code, "sub_msg": "系统繁忙"}, code=code)


def notice_fields(**changes: str) -> dict[str, str]:
    """The fields of a notice about a success, without its signature."""
    fields = {
        "gmt_create": "2025-08-30 15:53:30", "charset": "utf-8", "gmt_payment": "2025-08-30 15:53:40",
        "notify_time": "2025-08-30 15:53:41", "subject": "iPhone 15 Pro 壳", "buyer_id": "2088101117955611",
        "invoice_amount": "19.99", "version": "1.0", "notify_id": "2025083000222155340005620512345678",
        "notify_type": "trade_status_sync", "out_trade_no": NUMBER, "total_amount": "19.99",
        "trade_status": "TRADE_SUCCESS", "trade_no": TRADE, "auth_app_id": APP, "receipt_amount": "19.99",
        "point_amount": "0.00", "buyer_pay_amount": "19.99", "app_id": APP, "seller_id": SELLER,
        "buyer_logon_id": "159****5620", "body": "", "sign_type": "RSA2",
        "fund_bill_list": '[{"amount":"19.99","fundChannel":"ALIPAYACCOUNT"}]',
    }  # fmt: skip
    return fields | changes


def notice(*, algorithm: hashes.HashAlgorithm | None = None, **changes: str) -> bytes:
    """A signed notice as the body of a form post."""
    fields = notice_fields(**changes)
    kept = sorted((k, v) for k, v in fields.items() if k not in ("sign", "sign_type"))
    signature = sign("&".join(f"{k}={v}" for k, v in kept), algorithm=algorithm)
    return urlencode(fields | {"sign": signature}).encode()


def everything(sent: requests.PreparedRequest) -> dict[str, str]:
    """All parameters of a request, from its address and its body."""
    body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body or ""
    return dict(parse_qsl(urlsplit(sent.url or "").query) + parse_qsl(body))


def sent_method(sent: requests.PreparedRequest) -> str:
    return everything(sent).get("method", "")


def biz(sent: requests.PreparedRequest) -> dict[str, Any]:
    """The business content."""
    found: dict[str, Any] = json.loads(everything(sent)["biz_content"])
    return found


def signed_by_us(params: dict[str, str]) -> bool:
    """Whether `params` carry our RSA2 signature by Alipay's rule."""
    kept = sorted((k, v) for k, v in params.items() if k != "sign" and v)
    text = "&".join(f"{k}={v}" for k, v in kept).encode()
    try:
        OUR_KEY.public_key().verify(
            base64.b64decode(params["sign"]), text, padding.PKCS1v15(), hashes.SHA256()
        )
    except InvalidSignature:
        return False
    return True
