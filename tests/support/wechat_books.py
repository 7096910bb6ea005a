"""WeChat Pay on the wire for the shop's own tests: orders, codes, payments, refunds, signed answers, notifications.

Written from the provider's pages; the signatures are tests.support.wechat's. Not here: the gateway's contract.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import requests
import responses

from tests.support import wechat

ANY = re.compile(re.escape(wechat.BASE) + r"/v3/.*")
SETTINGS = {
    "WECHAT_APP_ID": wechat.APP_ID,
    "WECHAT_MCH_ID": wechat.MCH_ID,
    "WECHAT_API_V3_KEY": wechat.V3_KEY,
    "WECHAT_CERT_SERIAL_NO": wechat.SERIAL,
    "WECHAT_PUBLIC_KEY_ID": wechat.PUBLIC_KEY_ID,
    "WECHAT_GATEWAY": wechat.BASE,
    "WECHAT_MINI_APP_ID": wechat.MINI_APP_ID,
    "WECHAT_NOTIFY_URL": "",
}


class WechatBooks:
    """What WeChat Pay knows. `refuse[kind] = (status, code)` makes it say no; `silent` makes it not answer."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refuse: dict[str, tuple[int, str]] = {}
        self.silent: set[str] = set()
        self.refund_word = "PROCESSING"
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        for method in ("GET", "POST"):
            mock.add_callback(method, ANY, callback=self._answer)

    def asked(self, kind: str) -> list[dict[str, Any]]:
        """The bodies that were sent for `kind`: native, jsapi, query, close, refund, query_refund."""
        return [body for what, _path, body in self.calls if what == kind]

    def pays(self, number: str, word: str = "SUCCESS") -> None:
        """The shopper pays (or whatever else `word` says)."""
        self.orders[number]["word"] = word

    def notification(self, number: str) -> tuple[bytes, dict[str, str]]:
        """The signed post about a paid order: (body, headers)."""
        body = wechat.notification(self._transaction(number))
        return body, wechat.signed_headers(body, datetime.now(UTC))

    def _transaction(self, number: str) -> dict[str, Any]:
        order = self.orders[number]
        return wechat.transaction(number, order["fen"], order["word"], appid=order["appid"])

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.path_url).split("?")[0]
        sent = json.loads(request.body) if request.body else {}
        kind = self._kind(str(request.method), path)
        self.calls.append((kind, path, sent))
        if kind in self.silent:
            raise requests.ReadTimeout("no answer")
        if kind in self.refuse:
            status, code = self.refuse[kind]
            return status, {"Content-Type": "application/json"}, json.dumps({"code": code, "message": "no"})
        status, told = getattr(self, f"_{kind}")(path, sent)
        text = json.dumps(told) if told is not None else ""
        if status >= 400:
            return status, {"Content-Type": "application/json"}, text
        headers = wechat.signed_headers(text.encode(), datetime.now(UTC))
        return status, {**headers, "Content-Type": "application/json"}, text

    def _kind(self, method: str, path: str) -> str:
        if path.endswith("/close"):
            return "close"
        if "/refund/" in path:
            return "refund" if method == "POST" else "query_refund"
        return "query" if "/out-trade-no/" in path else path.rsplit("/", 1)[1]

    def _place(self, sent: dict[str, Any]) -> None:
        amount = sent["amount"]
        self.orders.setdefault(
            sent["out_trade_no"],
            {"fen": amount["total"], "word": "NOTPAY", "appid": sent["appid"], "sent": sent},
        )

    def _h5(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        self._place(sent)
        return 200, {
            "h5_url": f"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx{sent['out_trade_no']}"
        }

    def _native(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        self._place(sent)
        return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={sent['out_trade_no']}"}

    def _jsapi(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        self._place(sent)
        return 200, {"prepay_id": f"wx{sent['out_trade_no']}"}

    def _query(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        number = path.rsplit("/", 1)[1]
        if number not in self.orders:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "none"}
        return 200, self._transaction(number)

    def _close(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        order = self.orders.get(path.split("/")[-2])
        if order is None or order["word"] == "SUCCESS":
            return 400, {"code": "ORDERPAID" if order else "ORDER_NOT_EXIST", "message": "no"}
        order["word"] = "CLOSED"
        return 204, None

    def _refund(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        self.refunds[sent["out_refund_no"]] = sent
        return 200, self._refund_object(sent["out_refund_no"])

    def _query_refund(self, path: str, sent: dict[str, Any]) -> tuple[int, Any]:
        number = path.rsplit("/", 1)[1]
        if number not in self.refunds:
            return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "none"}
        return 200, self._refund_object(number)

    def _refund_object(self, number: str) -> dict[str, Any]:
        sent = self.refunds[number]
        return {
            "refund_id": f"5000000123456789{list(self.refunds).index(number)}",
            "out_refund_no": number,
            "out_trade_no": sent["out_trade_no"],
            "transaction_id": "4200001234567890123456789012",
            "status": self.refund_word,
            "channel": "ORIGINAL",
            "amount": {
                "refund": sent["amount"]["refund"],
                "total": sent["amount"]["total"],
                "currency": "CNY",
            },
        }


def put_on(settings: Any) -> None:
    """The shop is a merchant in public key mode."""
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    settings.WECHAT_PRIVATE_KEY = wechat.private_pem("merchant")
    settings.WECHAT_PUBLIC_KEY = wechat.public_pem("platform")
