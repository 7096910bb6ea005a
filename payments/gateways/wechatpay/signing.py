"""The strings that are signed: our requests, their answers and notifications, what the shopper's client is handed.

Lives here: building and checking them. Not here: whose key it is (`keys`), sending (`wire`). Pure.
Source: "Signing" of https://pay.weixin.qq.com/doc/v3/merchant/4012365342 and wechatpay-go.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.gateways import crypto

SCHEME = "WECHATPAY2-SHA256-RSA2048"
#: Seconds that a stamp may lie off our clock; wechatpay-go refuses at exactly this.
CLOCK_WINDOW = 300


def lines(*parts: str) -> bytes:
    """The parts, each ended by a line feed."""
    return "".join(f"{part}\n" for part in parts).encode()


def authorization(
    key: RSAPrivateKey, *, mch_id: str, serial_no: str, method: str, path: str, body: bytes, now: datetime
) -> str:
    """The Authorization header for exactly this body and this path with its query, as they go over the wire."""
    stamp, nonce = str(int(now.timestamp())), crypto.nonce()
    message = lines(method, path, stamp, nonce) + body + b"\n"
    return (
        f'{SCHEME} mchid="{mch_id}",nonce_str="{nonce}",signature="{crypto.sign(key, message)}",'
        f'timestamp="{stamp}",serial_no="{serial_no}"'
    )


def signed_by_them(headers: Mapping[str, str], body: bytes) -> tuple[bytes, str]:
    """(message, signature) of an answer or notification; header names in lower case."""
    stamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    return lines(stamp, nonce) + body + b"\n", headers.get("wechatpay-signature", "")


def is_fresh(stamp: str, now: datetime) -> bool:
    """Whether a Wechatpay-Timestamp (whole seconds) lies less than five minutes off `now`."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(now.timestamp() - int(stamp)) < CLOCK_WINDOW


def jsapi_params(key: RSAPrivateKey, *, app_id: str, prepay_id: str, now: datetime) -> dict[str, str]:
    """What `WeixinJSBridge` and `wx.requestPayment` take. `signType` is not part of what is signed."""
    stamp, nonce, package = str(int(now.timestamp())), crypto.nonce(), f"prepay_id={prepay_id}"
    return {
        "appId": app_id,
        "timeStamp": stamp,
        "nonceStr": nonce,
        "package": package,
        "signType": "RSA",
        "paySign": crypto.sign(key, lines(app_id, stamp, nonce, package)),
    }


def app_params(
    key: RSAPrivateKey, *, app_id: str, mch_id: str, prepay_id: str, now: datetime
) -> dict[str, str]:
    """What the SDK of a native app takes. The bare prepay_id is signed here, without its name."""
    stamp, nonce = str(int(now.timestamp())), crypto.nonce()
    return {
        "appid": app_id,
        "partnerid": mch_id,
        "prepayid": prepay_id,
        "package": "Sign=WXPay",
        "noncestr": nonce,
        "timestamp": stamp,
        "sign": crypto.sign(key, lines(app_id, stamp, nonce, prepay_id)),
    }
