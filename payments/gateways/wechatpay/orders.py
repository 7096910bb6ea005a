"""What we ask WeChat Pay for: an order in each of its five forms, and a refund. Bodies and next actions; no call.

Guarantees: fen and CNY only; the same request gives the same body, field by field; what WeChat Pay would refuse for its
form is refused here, before anything is sent.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from payments.gateways.base import (
    ClientParams,
    ErrorCode,
    Flag,
    GatewayDeclined,
    GatewayMisuse,
    MethodInfo,
    NextAction,
    PaymentRequest,
    PaymentResult,
    QrCode,
    Redirect,
    RefundRequest,
)
from payments.gateways.wechatpay import messages, signing
from payments.gateways.wechatpay.config import Config
from pimpshop.core.money import Money

CHINA = timezone(timedelta(hours=8))
CODE_LIFE, LINK_LIFE = timedelta(hours=2), timedelta(minutes=5)
LEAST_TIME = timedelta(minutes=1)
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}", re.ASCII)
_REFUND_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
_H5_TYPES = {"ios": "iOS", "android": "Android"}
_LEAST = Money(1, "CNY")


def _method(key: str, label: str, action: type[Any], *, redirects: bool = False) -> MethodInfo:
    return MethodInfo(
        key=key, label=label, action_kind=action.kind, method_type="wechat_pay", requires_redirect=redirects,
        currencies=("CNY",), min_amount=_LEAST,
    )  # fmt: skip


_METHODS = (
    _method("native", "WeChat Pay: scan a code", QrCode),
    _method("jsapi", "WeChat Pay inside WeChat", ClientParams),
    _method("mini", "WeChat mini program", ClientParams),
    _method("h5", "WeChat Pay on this phone", Redirect, redirects=True),
    _method("app", "WeChat Pay in our app", ClientParams),
)
_KEYS = {method.key for method in _METHODS}


def methods(config: Config) -> tuple[MethodInfo, ...]:
    """The ways that this merchant is set up for."""
    return tuple(method for method in _METHODS if method.key != "mini" or config.mini_app_id)


@dataclass(frozen=True)
class Order:
    """One order to be placed: `kind` is the last part of the path, `body` what is sent."""

    request: PaymentRequest
    app_id: str
    kind: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, config: Config, request: PaymentRequest) -> Order:
        """Raises GatewayMisuse and GatewayDeclined (too late to pay), both with nothing sent."""
        _check(config, request)
        app_id = {"mini": config.mini_app_id, "app": config.mobile_app_id}.get(
            request.method
        ) or config.app_id
        body: dict[str, Any] = {
            "appid": app_id,
            "mchid": config.mch_id,
            "description": request.description[:127] or request.order_no,
            "out_trade_no": request.out_trade_no,
            "notify_url": request.notify_url or config.notify_url,
            "amount": {"total": request.amount.amount_minor, "currency": "CNY"},
        }
        if request.expires_at is not None:
            body["time_expire"] = _in_china(request.expires_at)
        if request.method in ("jsapi", "mini"):
            body["payer"] = {"openid": request.payer_ref}
        if request.method == "h5":
            h5 = {"type": _H5_TYPES.get(request.platform, "Wap")}
            body["scene_info"] = {"payer_client_ip": request.client_ip, "h5_info": h5}
        return cls(request, app_id, "jsapi" if request.method == "mini" else request.method, body)

    def next_action(self, config: Config, key: RSAPrivateKey, told: Mapping[str, Any]) -> NextAction:
        """What the shopper does with the answer. Raises GatewayUnavailable for an answer that lacks it."""
        now = config.clock()
        if self.kind == "native":
            ends = now + CODE_LIFE
            given = self.request.expires_at
            return QrCode(content=_got(told, "code_url"), expires_at=min(ends, given) if given else ends)
        if self.kind == "h5":
            url = _with_return(_got(told, "h5_url"), self.request.return_url)
            return Redirect(url=url, expires_at=now + LINK_LIFE)
        prepay_id = _got(told, "prepay_id")
        if self.kind == "app":
            params = signing.app_params(
                key, app_id=self.app_id, mch_id=config.mch_id, prepay_id=prepay_id, now=now
            )
            return ClientParams(sdk="wechat_app", params=params)
        params = signing.jsapi_params(key, app_id=self.app_id, prepay_id=prepay_id, now=now)
        return ClientParams(sdk="wechat_jsapi", params=params)


def signed_again(config: Config, key: RSAPrivateKey, action: NextAction) -> NextAction:
    """What a mini program or WeChat's browser was given, signed for this moment: the prepay_id lives two hours."""
    if not isinstance(action, ClientParams) or action.sdk != "wechat_jsapi":
        return action
    prepay_id = str(action.params["package"]).removeprefix("prepay_id=")
    app_id = str(action.params["appId"])
    params = signing.jsapi_params(key, app_id=app_id, prepay_id=prepay_id, now=config.clock())
    return ClientParams(sdk=action.sdk, params=params)


def lost(known: PaymentResult) -> PaymentResult:
    """An order of ours that waits for its payer, while what the payer needs was never received."""
    return dataclasses.replace(known, flags=(*known.flags, Flag.ACTION_LOST))


def refund_body(config: Config, request: RefundRequest) -> dict[str, Any]:
    """The refund to be sent; `total` is what was paid. Raises GatewayMisuse, nothing sent."""
    if not _REFUND_NUMBER.fullmatch(request.out_refund_no):
        raise _misuse("out_refund_no does not fit WeChat Pay")
    if (request.amount.currency, request.total.currency) != ("CNY", "CNY"):
        raise _misuse("WeChat Pay takes CNY only", ErrorCode.CURRENCY_UNSUPPORTED)
    if not 0 < request.amount.amount_minor <= request.total.amount_minor:
        raise _misuse("a refund is at least 0.01 and at most what was paid", ErrorCode.REFUND_AMOUNT_INVALID)
    amount = {
        "refund": request.amount.amount_minor,
        "total": request.total.amount_minor,
        "currency": "CNY",
    }
    body: dict[str, Any] = {"out_trade_no": request.out_trade_no, "out_refund_no": request.out_refund_no}
    if request.reason:
        body["reason"] = request.reason[:80]
    # Without an address of its own a refund is told to the one of the merchant site, perhaps as a v2 XML message.
    body["notify_url"] = _notify_url(config, request.notify_url)
    return body | {"amount": amount}


def _check(config: Config, request: PaymentRequest) -> None:
    if request.amount.amount_minor < 1:
        raise _misuse("nothing to pay", ErrorCode.AMOUNT_INVALID)
    if request.amount.currency != "CNY":
        raise _misuse("WeChat Pay takes CNY only", ErrorCode.CURRENCY_UNSUPPORTED)
    if request.method not in _KEYS or (request.method == "mini" and not config.mini_app_id):
        raise _misuse("no such method", ErrorCode.METHOD_UNAVAILABLE)
    if not _NUMBER.fullmatch(request.out_trade_no):
        raise _misuse("out_trade_no does not fit WeChat Pay")
    if request.method in ("jsapi", "mini") and not request.payer_ref:
        raise _misuse("a payment inside WeChat needs the payer's openid")
    if request.method == "h5" and not request.client_ip:
        raise _misuse("a payment in a phone's browser needs the shopper's address")
    _notify_url(config, request.notify_url)
    if request.expires_at is not None and request.expires_at - config.clock() < LEAST_TIME:
        raise GatewayDeclined("too late to pay", code=ErrorCode.PAYMENT_CLOSED, not_sent=True)


def _notify_url(config: Config, given: str) -> str:
    url = given or config.notify_url
    if not url or "?" in url or len(url) > 255:
        raise _misuse("notify_url must be there, without a query, at most 255 characters")
    return url


def _misuse(why: str, code: str = ErrorCode.INVALID_REQUEST) -> GatewayMisuse:
    return GatewayMisuse(why, code=code, not_sent=True)


def _in_china(moment: datetime) -> str:
    """RFC 3339 with Shanghai's offset, in whole seconds."""
    return moment.astimezone(CHINA).replace(microsecond=0).isoformat()


def _got(told: Mapping[str, Any], name: str) -> str:
    value = messages.text(told, name)
    if not value:
        raise messages.bad_answer(f"an answer without {name}")
    return value


def _with_return(h5_url: str, return_url: str) -> str:
    if not return_url:
        return h5_url
    return f"{h5_url}{'&' if '?' in h5_url else '?'}redirect_url={quote(return_url, safe='')}"
