"""Orders: placing, looking, closing, and the payer's yes. What a call may say, and what moves.

Guarantees: a repeat with the same parameters is answered as the first time; with others it is OUT_TRADE_NO_USED. A paid
order is never closed and a closed one never paid, whoever is first.
"""

import json
import re
import secrets
import time
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from sandbox import database, faults
from sandbox.providers.wechatpay import books, codes, notices
from sandbox.providers.wechatpay.refusal import Refusal, bad

_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}", re.ASCII)
H5_TYPES = ("Wap", "iOS", "Android")
A_PAYER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


class PayError(ValueError):
    """The payer cannot pay this order now."""


def place(kind: str, body: dict[str, Any], origin: str) -> dict[str, str]:
    """POST /v3/pay/transactions/{native,jsapi,app,h5}. `origin` is this server's, for the page of h5. Raises Refusal."""
    values = _read(kind, body)
    sent = json.dumps({"kind": kind} | body, sort_keys=True)
    with database.transaction():
        if books.order(values["out_trade_no"]) is None:
            _write(kind, values, sent)
        found = books.known_order(values["out_trade_no"])
    if found["state"] in ("SUCCESS", "REFUND"):
        raise Refusal(400, "ORDERPAID", "该订单已支付")
    if found["state"] == "CLOSED":
        raise Refusal(400, "ORDER_CLOSED", "订单已关闭")
    if found["sent"] != sent:
        raise Refusal(403, "OUT_TRADE_NO_USED", "商户订单号重复")
    if kind == "native":
        return {"code_url": f"weixin://wxpay/bizpayurl?pr={found['code']}"}
    if kind == "h5":
        page = f"{origin}/wechatpay/h5/{found['prepay_id']}/"
        return {"h5_url": f"{page}?prepay_id={found['prepay_id']}&package={secrets.randbelow(10**9)}"}
    return {"prepay_id": found["prepay_id"]}


def _write(kind: str, values: dict[str, Any], sent: str) -> None:
    now = time.time()
    prepay_id = f"wx{datetime.now(codes.CHINA):%d%H%M%S%f}"[:14] + secrets.token_hex(11)
    database.execute(
        "INSERT INTO wechat_orders (out_trade_no, kind, appid, description, total, notify_url, attach, openid, sent,"
        " prepay_id, code, expires, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values["out_trade_no"], kind, values["appid"], values["description"], values["total"], values["notify_url"],
        values["attach"], values["openid"], sent, prepay_id, secrets.token_urlsafe(7)[:9], values["expires"], now,
    )  # fmt: skip


def _read(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """The order that is asked for. Raises Refusal for whatever WeChat Pay would not take."""
    if body.get("mchid") != settings.WECHAT_MCH_ID or body.get("appid") not in settings.WECHAT_APP_IDS:
        raise Refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
    number = _text(body, "out_trade_no", 32)
    if not _NUMBER.fullmatch(number):
        raise bad("out_trade_no")
    url = urlsplit(_text(body, "notify_url", 255))
    if url.scheme not in ("http", "https") or not url.hostname or url.query:
        raise bad("notify_url")
    amount = body.get("amount")
    total = amount.get("total") if isinstance(amount, dict) else None
    if type(total) is not int or total < 1 or not isinstance(amount, dict):
        raise bad("amount.total")
    if amount.get("currency", "CNY") != "CNY":
        raise bad("amount.currency")
    return {
        "out_trade_no": number,
        "appid": body["appid"],
        "description": _text(body, "description", 127),
        "notify_url": body["notify_url"],
        "attach": _text(body, "attach", 128) if "attach" in body else "",
        "openid": _openid(kind, body),
        "expires": _expires(body),
        "total": total,
    }


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise bad(name)
    return value


def _openid(kind: str, body: dict[str, Any]) -> str:
    """The payer, where the form has one; the scene of h5 is looked at on the way."""
    if kind == "jsapi":
        payer = body.get("payer")
        return _text(payer if isinstance(payer, dict) else {}, "openid", 128)
    if kind == "h5":
        scene = body.get("scene_info")
        scene = scene if isinstance(scene, dict) else {}
        _text(scene, "payer_client_ip", 45)
        h5 = scene.get("h5_info")
        if not isinstance(h5, dict) or h5.get("type") not in H5_TYPES:
            raise bad("scene_info.h5_info.type")
    return ""


def _expires(body: dict[str, Any]) -> float | None:
    if "time_expire" not in body:
        return None
    try:
        moment = datetime.fromisoformat(_text(body, "time_expire", 64))
    except ValueError:
        raise bad("time_expire") from None
    if moment.tzinfo is None or moment.timestamp() < time.time() + 55:
        raise Refusal(400, "INVALID_REQUEST", "订单失效时间应大于1分钟")
    return moment.timestamp()


def look(out_trade_no: str) -> dict[str, Any]:
    """GET …/out-trade-no/{no}. Raises Refusal."""
    found = books.order(out_trade_no)
    if found is None:
        raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
    odd = faults.strike(codes.NAME, "unknown_status", "query")
    return books.told(found, state=codes.AN_UNKNOWN_STATE if odd else "")


def look_by_id(transaction_id: str) -> dict[str, Any]:
    """GET …/id/{transaction_id}. Raises Refusal."""
    found = database.row("SELECT * FROM wechat_orders WHERE transaction_id = ?", transaction_id)
    if found is None:
        raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
    return books.told(found)


def close(out_trade_no: str, body: dict[str, Any]) -> None:
    """POST …/close {"mchid"}; closing twice is fine. Raises Refusal."""
    if body.get("mchid") != settings.WECHAT_MCH_ID:
        raise bad("mchid")
    with database.transaction():
        found = books.order(out_trade_no)
        if found is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        if found["state"] in ("SUCCESS", "REFUND"):
            raise Refusal(400, "ORDERPAID", "订单已支付，不能关闭")
        database.execute(
            "UPDATE wechat_orders SET state = 'CLOSED', closed = coalesce(closed, ?) WHERE out_trade_no = ?",
            time.time(), out_trade_no,
        )  # fmt: skip


def pay(out_trade_no: str, *, payer: str = "") -> database.Row:
    """The payer confirms: the order, paid, and its notice queued. Raises PayError."""
    with database.transaction():
        found = books.order(out_trade_no)
        if found is None:
            raise PayError("there is no such order")
        if found["state"] != "NOTPAY":
            raise PayError(f"the order is {found['state']}")
        if found["expires"] is not None and found["expires"] < time.time():
            raise PayError("the order's time is over")
        voucher = 100 if faults.strike(codes.NAME, "voucher") else 0
        database.execute(
            "UPDATE wechat_orders SET state = 'SUCCESS', transaction_id = ?, paid = ?, payer = ?, payer_total = ?"
            " WHERE out_trade_no = ?",
            books.number("4200", 28), time.time(), payer or found["openid"] or A_PAYER, max(found["total"] - voucher, 0),
            out_trade_no,
        )  # fmt: skip
        paid = books.known_order(out_trade_no)
        notices.payment_done(paid)
    return paid
