"""The trade calls: precreate and opening, query, close, cancel, refund, refund query.

Guarantees: each call decides and writes in one transaction with its notice, and writes nothing before it may still
refuse; a trade of page, wap and app exists once it is opened, one of a QR code once it is scanned; nobody pays after
its end.
"""

import re
import time
from typing import Any
from urllib.parse import urlsplit

from sandbox import database, jobs
from sandbox.providers.alipay import books, codes, notices
from sandbox.providers.alipay.codes import Refusal, bad, failed

_NUMBER = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
_EXPRESS = re.compile(r"([1-9]\d{0,4})([mhd])\Z")
_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_LONGEST = 15 * 86_400
PRODUCTS = {
    "page": ("FAST_INSTANT_TRADE_PAY",),
    "wap": ("QUICK_WAP_WAY", "QUICK_WAP_PAY"),
    "app": ("QUICK_MSECURITY_PAY",),
    "precreate": ("FACE_TO_FACE_PAYMENT", ""),
}
Fields = dict[str, Any]


def begin(way: str, biz: Fields, *, notify_url: str = "", return_url: str = "") -> database.Row:
    """Make the trade, or find the one with this number if it is the same. Raises Refusal."""
    number, fen, subject = (
        str(biz.get("out_trade_no", "")),
        books.fen(biz.get("total_amount")),
        str(biz.get("subject") or ""),
    )
    for name, good in (
        ("out_trade_no", _NUMBER.match(number)),
        ("total_amount", fen),
        ("subject", 0 < len(subject) <= 256),
    ):
        if not good:
            raise bad(name)
    if str(biz.get("product_code", "")) not in PRODUCTS[way]:
        raise bad("product_code")
    now, expires = time.time(), _expires(biz)
    with database.transaction():
        known = books.trade(number)
        if known is not None:
            return _again(known, fen or 0, way)
        if expires <= now:
            raise bad("time_expire")
        database.execute(
            "INSERT INTO alipay_trades (out_trade_no, trade_no, token, way, fen, subject, status, notify_url, return_url,"
            " quit_url, passback, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            number, books.new_trade_no(), books.new_token(), way, fen, subject,
            codes.PREPARED if way == "precreate" else codes.WAITING, _web(notify_url), _web(return_url),
            _web(str(biz.get("quit_url") or "")), str(biz.get("passback_params") or ""), now, expires,
        )  # fmt: skip
        jobs.add("alipay_expire", {"out_trade_no": number}, after=expires - now, key=number)
    made = books.trade(number)
    if made is None:
        raise failed("SYSTEM_ERROR", "系统错误")
    return made


def _again(known: database.Row, fen: int, way: str) -> database.Row:
    if known["status"] == codes.CLOSED or (
        known["status"] == codes.PREPARED and known["expires"] <= time.time()
    ):
        raise failed("TRADE_HAS_CLOSE", "交易已经关闭")
    if known["status"] not in (codes.PREPARED, codes.WAITING):
        raise failed("TRADE_HAS_SUCCESS", "交易已被支付")
    if (known["fen"], known["way"]) != (fen, way):
        raise failed("CONTEXT_INCONSISTENT", "交易信息被篡改")
    return known


def _expires(biz: Fields) -> float:
    if biz.get("time_expire"):
        try:
            return books.seconds(str(biz["time_expire"]))
        except ValueError:
            raise bad("time_expire") from None
    express = _EXPRESS.match(str(biz.get("timeout_express") or "15d"))
    if express is None or int(express[1]) * _UNITS[express[2]] > _LONGEST:
        raise bad("timeout_express")
    return time.time() + int(express[1]) * _UNITS[express[2]]


def _web(url: str) -> str:
    return url if urlsplit(url).scheme in ("http", "https") else ""


def precreate(biz: Fields, notify_url: str) -> Fields:
    """alipay.trade.precreate -> qr_code."""
    made = begin("precreate", biz, notify_url=notify_url)
    return {"out_trade_no": made["out_trade_no"], "qr_code": f"https://qr.alipay.com/bax{made['token']}"}


def scan(out_trade_no: str) -> None:
    """Somebody scans the QR code: from now on the trade exists."""
    with database.transaction():
        database.execute(
            "UPDATE alipay_trades SET status = ? WHERE out_trade_no = ? AND status = ? AND expires > ?",
            codes.WAITING, out_trade_no, codes.PREPARED, time.time(),
        )  # fmt: skip


def pay(out_trade_no: str) -> bool:
    """The buyer confirms. False when it is too late or somebody was faster."""
    now = time.time()
    with database.transaction():
        moved = database.execute(
            "UPDATE alipay_trades SET status = ?, paid = ? WHERE out_trade_no = ? AND status IN (?, ?) AND expires > ?",
            codes.SUCCESS, now, out_trade_no, codes.PREPARED, codes.WAITING, now,
        )  # fmt: skip
        if moved:
            notices.changed(out_trade_no)
    return moved == 1


def finish(out_trade_no: str) -> bool:
    """The time for refunds is over."""
    with database.transaction():
        moved = database.execute(
            "UPDATE alipay_trades SET status = ? WHERE out_trade_no = ? AND status = ?",
            codes.FINISHED, out_trade_no, codes.SUCCESS,
        )  # fmt: skip
        if moved:
            notices.changed(out_trade_no)
    return moved == 1


@jobs.handler("alipay_expire")
def expire(payload: dict[str, Any], attempts: int) -> None:
    """Nobody paid in time. A code that nobody scanned just cannot be scanned any more: there never was a trade."""
    with database.transaction():
        _close(payload["out_trade_no"])


def _close(out_trade_no: str) -> bool:
    found = books.trade(out_trade_no)
    if found is None or found["status"] != codes.WAITING:
        return False
    database.execute(
        "UPDATE alipay_trades SET status = ?, closed = ? WHERE out_trade_no = ?", codes.CLOSED, time.time(), out_trade_no
    )  # fmt: skip
    notices.changed(out_trade_no)
    return True


def _find(biz: Fields) -> database.Row:
    """The trade that a call names. One that nobody opened does not exist. Raises Refusal."""
    number, trade_no = str(biz.get("out_trade_no") or ""), str(biz.get("trade_no") or "")
    if not number and not trade_no:
        raise bad("out_trade_no, trade_no")
    found = books.trade(number) if number and not trade_no else database.row(
        "SELECT * FROM alipay_trades WHERE trade_no = ?", trade_no
    )  # fmt: skip
    if found is None or found["status"] == codes.PREPARED:
        raise failed("TRADE_NOT_EXIST", "交易不存在")
    return found


def query(biz: Fields) -> Fields:
    """alipay.trade.query."""
    found = _find(biz)
    paid = {} if not found["paid"] else {
        "send_pay_date": books.local(found["paid"]), "receipt_amount": books.yuan(found["fen"]),
        "fund_bill_list": [{"amount": books.yuan(found["fen"]), "fund_channel": "ALIPAYACCOUNT"}],
    }  # fmt: skip
    return {
        "trade_no": found["trade_no"], "out_trade_no": found["out_trade_no"], "buyer_logon_id": books.BUYER_LOGON,
        "buyer_user_id": books.BUYER_ID, "trade_status": found["status"], "total_amount": books.yuan(found["fen"]),
        "buyer_pay_amount": books.yuan(found["fen"] if found["paid"] else 0), "point_amount": "0.00",
    } | paid  # fmt: skip


def close(biz: Fields) -> Fields:
    """alipay.trade.close: only what waits."""
    with database.transaction():
        found = _find(biz)
        if found["status"] == codes.CLOSED:
            raise failed("TRADE_HAS_CLOSE", "交易已经关闭")
        if not _close(found["out_trade_no"]):
            raise failed("TRADE_STATUS_ERROR", "交易状态不合法")
    return {"trade_no": found["trade_no"], "out_trade_no": found["out_trade_no"]}


def cancel(biz: Fields) -> Fields:
    """alipay.trade.cancel: closes what waits, gives back what was paid."""
    told = {"out_trade_no": str(biz.get("out_trade_no") or ""), "retry_flag": "N"}
    with database.transaction():
        try:
            found = _find(biz)
        except Refusal:
            return told
        number = found["out_trade_no"]
        told |= {"trade_no": found["trade_no"], "action": "close"}
        if found["status"] == codes.FINISHED:
            raise failed("TRADE_HAS_FINISHED", "交易已完结")
        if found["status"] == codes.SUCCESS:
            give_back(found, found["fen"] - found["refunded"], f"{number}_cancel", "撤销")
            told["action"] = "refund"
        else:
            _close(number)
    return told


def refund(biz: Fields) -> Fields:
    """alipay.trade.refund: `fund_change` N when the same was given back before; `refund_fee` is cumulative."""
    fen = books.fen(biz.get("refund_amount"))
    if fen is None:
        raise bad("refund_amount")
    with database.transaction():
        found = _find(biz)
        number = found["out_trade_no"]
        request_no = str(biz.get("out_request_no") or "")
        if not request_no and fen != found["fen"]:
            raise bad("out_request_no")
        request_no = request_no or number
        before = books.refund(number, request_no)
        if before is not None and before["fen"] != fen:
            raise failed("DISCORDANT_REPEAT_REQUEST", "请求信息不一致")
        if before is None:
            give_back(found, fen, request_no, str(biz.get("refund_reason") or ""))
        now = books.trade(number) or found
    return {
        "trade_no": found["trade_no"], "out_trade_no": number, "buyer_logon_id": books.BUYER_LOGON,
        "buyer_user_id": books.BUYER_ID, "fund_change": "Y" if before is None else "N",
        "refund_fee": books.yuan(now["refunded"]), "gmt_refund_pay": books.local(time.time()), "send_back_fee": books.yuan(fen),
    }  # fmt: skip


def give_back(found: database.Row, fen: int, request_no: str, reason: str) -> None:
    """Refund a paid trade; all of it closes the trade. Call inside a transaction. Raises Refusal."""
    refusals = {
        codes.WAITING: ("TRADE_STATUS_ERROR", "交易状态不合法"),
        codes.FINISHED: ("TRADE_HAS_FINISHED", "交易已完结"),
        codes.CLOSED: ("TRADE_HAS_CLOSE", "交易已经关闭"),
    }
    if found["status"] in refusals:
        raise failed(*refusals[found["status"]])
    if fen > found["fen"] - found["refunded"]:
        raise failed("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
    whole, now, number = found["refunded"] + fen == found["fen"], time.time(), found["out_trade_no"]
    database.execute(
        "INSERT INTO alipay_refunds (out_trade_no, out_request_no, fen, reason, at) VALUES (?, ?, ?, ?, ?)",
        number, request_no, fen, reason, now,
    )  # fmt: skip
    database.execute(
        "UPDATE alipay_trades SET refunded = refunded + ?, status = ?, closed = ? WHERE out_trade_no = ?",
        fen, codes.CLOSED if whole else codes.SUCCESS, now if whole else None, number,
    )  # fmt: skip
    notices.changed(number, request_no=request_no)


def refund_query(biz: Fields) -> Fields:
    """alipay.trade.fastpay.refund.query: code 10000 and nothing else for a refund that it does not know."""
    found, request_no = _find(biz), str(biz.get("out_request_no") or "")
    if not request_no:
        raise bad("out_request_no")
    back = books.refund(found["out_trade_no"], request_no)
    if back is None:
        return {}
    return {
        "trade_no": found["trade_no"], "out_trade_no": found["out_trade_no"], "out_request_no": request_no,
        "refund_status": "REFUND_SUCCESS", "refund_amount": books.yuan(back["fen"]),
        "total_amount": books.yuan(found["fen"]), "gmt_refund_pay": books.local(back["at"]),
    }  # fmt: skip
