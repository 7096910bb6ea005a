"""Refunds: accepted at once as PROCESSING, decided after a while, then told. No cash goes back by hand here.

Guarantees: refunds of an order that did not end CLOSED never exceed what was paid; a repeat of the same number with the
same amount is answered with the refund as it stands.
"""

import re
import time
from typing import Any

from sandbox import database, faults, jobs, knobs
from sandbox.providers.wechatpay import books, codes, notices
from sandbox.providers.wechatpay.refusal import Refusal, bad

_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}", re.ASCII)
MOST = 50


def ask(body: dict[str, Any]) -> dict[str, Any]:
    """POST /v3/refund/domestic/refunds. Raises Refusal."""
    number, fen, total = _read(body)
    with database.transaction():
        order = _order(body)
        if books.refund(number) is None:
            _check(order, fen, total)
            if faults.strike(codes.NAME, "not_enough", "refund"):
                raise NotEnough
            _write(number, order, fen, body)
        found = books.known_refund(number)
    if (found["out_trade_no"], found["refund"]) != (order["out_trade_no"], fen) or total != order["total"]:
        raise Refusal(400, "INVALID_REQUEST", "商户退款单号重复，且参数不一致")
    return books.told_refund(found)


class NotEnough(Refusal):
    """The merchant's balance is too low; the fault's stroke is kept."""

    def __init__(self) -> None:
        super().__init__(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")


def _read(body: dict[str, Any]) -> tuple[str, int, int]:
    """(out_refund_no, fen to give back, fen of the order)."""
    number, amount, reason = body.get("out_refund_no"), body.get("amount"), body.get("reason", "")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise bad("out_refund_no")
    if not isinstance(reason, str) or len(reason) > 80:
        raise bad("reason")
    if not isinstance(amount, dict) or amount.get("currency") != "CNY":
        raise bad("amount.currency")
    fen, total = amount.get("refund"), amount.get("total")
    if type(fen) is not int or type(total) is not int or fen < 1:
        raise bad("amount.refund")
    return number, fen, total


def _order(body: dict[str, Any]) -> database.Row:
    """The order that the refund names by either number."""
    named = (str(body.get("transaction_id") or ""), str(body.get("out_trade_no") or ""))
    found = database.row(
        "SELECT * FROM wechat_orders WHERE transaction_id = ? OR (? = '' AND out_trade_no = ?)",
        named[0], named[0], named[1],
    )  # fmt: skip
    if found is None or found["transaction_id"] is None:
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")
    return found


def _check(order: database.Row, fen: int, total: int) -> None:
    if total != order["total"]:
        raise Refusal(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
    if books.refunded(order["out_trade_no"]) + fen > order["total"]:
        raise Refusal(400, "INVALID_REQUEST", "申请退款金额大于订单可退金额")
    many = database.rows("SELECT 1 FROM wechat_refunds WHERE out_trade_no = ?", order["out_trade_no"])
    if len(many) >= MOST:
        raise Refusal(400, "INVALID_REQUEST", "一笔订单最多支持50次部分退款")


def _write(number: str, order: database.Row, fen: int, body: dict[str, Any]) -> None:
    database.execute(
        "INSERT INTO wechat_refunds (out_refund_no, refund_id, out_trade_no, refund, reason, notify_url, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        number, books.number("503", 29), order["out_trade_no"], fen, str(body.get("reason", "")),
        str(body.get("notify_url") or ""), time.time(),
    )  # fmt: skip
    database.execute(
        "UPDATE wechat_orders SET state = 'REFUND' WHERE out_trade_no = ?", order["out_trade_no"]
    )
    jobs.add("wechat_refund", {"out_refund_no": number}, after=knobs.seconds("wechat_refund_seconds"))


@jobs.handler("wechat_refund")
def decide(payload: dict[str, Any], attempts: int) -> float | None:
    """The bank's word about a refund."""
    with database.transaction():
        abnormal = faults.strike(codes.NAME, "refund_abnormal")
        closed = None if abnormal else faults.strike(codes.NAME, "refund_closed")
        status = "ABNORMAL" if abnormal else "CLOSED" if closed else "SUCCESS"
        moved = database.execute(
            "UPDATE wechat_refunds SET status = ?, done = ? WHERE out_refund_no = ? AND status = 'PROCESSING'",
            status, time.time(), payload["out_refund_no"],
        )  # fmt: skip
        found = books.refund(payload["out_refund_no"])
        if moved and found is not None:
            notices.refund_done(found)
    return None


def look(out_refund_no: str) -> dict[str, Any]:
    """GET /v3/refund/domestic/refunds/{no}. Raises Refusal."""
    found = books.refund(out_refund_no)
    if found is None:
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    return books.told_refund(found)
