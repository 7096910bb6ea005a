"""Notices to the merchant: asynchronous posts, and the signed parameters of the way back.

Guarantees: a notice is a row with its fields as they stood and a job, so a restart loses none; it goes out eight times in
all unless the answer is exactly `success`. Faults decide whether it is lost, late, doubled, overtaken, wrong.
"""

import json
import random
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.alipay import books, codes, signing

MOST_ATTEMPTS = 8


def changed(out_trade_no: str, *, request_no: str = "") -> None:
    """Queue the notice about the trade as it stands. Call inside the transaction that moved it."""
    trade = books.trade(out_trade_no)
    if trade is None or not trade["notify_url"]:
        return
    fields = _fields(trade, request_no)
    late = faults.strike(codes.NAME, "late_webhook", codes.NOTICE)
    after = late.seconds if late else 0.0
    lost = faults.strike(codes.NAME, "lost_webhook", codes.NOTICE)
    _write(trade, fields, after, lost=lost is not None)
    twice = faults.strike(codes.NAME, "duplicate_webhook", codes.NOTICE)
    if twice and not lost:
        _write(trade, fields, after + twice.seconds)
    stale = faults.strike(codes.NAME, "reordered", codes.NOTICE)
    if stale:
        older = {k: v for k, v in fields.items() if k not in ("gmt_payment", "gmt_close")}
        older |= {"trade_status": codes.WAITING, "notify_id": _notify_id()}
        _write(trade, older, after + stale.seconds)


def _notify_id() -> str:
    return f"{time.strftime('%Y%m%d', time.gmtime())}00222{random.randrange(10**21):021d}"


def _fields(trade: database.Row, request_no: str) -> dict[str, str]:
    amount = books.yuan(trade["fen"])
    fields = {
        "notify_time": books.local(time.time()), "notify_type": "trade_status_sync", "notify_id": _notify_id(),
        "app_id": settings.ALIPAY_APP_ID, "auth_app_id": settings.ALIPAY_APP_ID, "charset": "utf-8", "version": "1.0",
        "trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"], "subject": trade["subject"],
        "trade_status": trade["status"], "total_amount": amount, "seller_id": settings.ALIPAY_SELLER_ID,
        "seller_email": "shop@alipay.example", "buyer_id": books.BUYER_ID, "buyer_logon_id": books.BUYER_LOGON,
        "gmt_create": books.local(trade["created"]),
    }  # fmt: skip
    if trade["paid"]:
        fields |= {
            "gmt_payment": books.local(trade["paid"]), "receipt_amount": amount, "invoice_amount": amount,
            "buyer_pay_amount": amount, "point_amount": "0.00",
            "fund_bill_list": json.dumps([{"amount": amount, "fundChannel": "ALIPAYACCOUNT"}], separators=(",", ":")),
        }  # fmt: skip
    if trade["refunded"]:
        fields |= {
            "refund_fee": books.yuan(trade["refunded"]),
            "gmt_refund": f"{books.local(time.time())}.000",
        }
        fields |= {"out_biz_no": request_no} if request_no else {}
    if trade["closed"]:
        fields["gmt_close"] = books.local(trade["closed"])
    if trade["passback"]:
        fields["passback_params"] = trade["passback"]
    if faults.strike(codes.NAME, "wrong_amount", codes.NOTICE):
        fields["total_amount"] = books.yuan(trade["fen"] + 100)
    return fields


def _write(trade: database.Row, fields: dict[str, str], after: float, *, lost: bool = False) -> None:
    database.execute(
        "INSERT INTO alipay_notices (out_trade_no, status, url, fields, at, lost) VALUES (?, ?, ?, ?, ?, ?)",
        trade["out_trade_no"], fields["trade_status"], trade["notify_url"], json.dumps(fields), time.time(), int(lost),
    )  # fmt: skip
    found = database.row("SELECT max(id) AS id FROM alipay_notices")
    if found and not lost:
        jobs.add("alipay_notice", {"id": found["id"]}, after=after)


@jobs.handler("alipay_notice")
def deliver(payload: dict[str, Any], attempts: int) -> float | None:
    """Send one notice; seconds until the next attempt, None when it is acknowledged or given up."""
    notice = database.row("SELECT * FROM alipay_notices WHERE id = ?", payload["id"])
    if notice is None:
        return None
    form = signing.signed_form(json.loads(notice["fields"]))
    if faults.strike(codes.NAME, "wrong_signature", codes.NOTICE):
        form["sign"] = signing.sign("something else")
    answer = outgoing.send(
        codes.NAME, codes.NOTICE, "POST", notice["url"], body=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )  # fmt: skip
    done = answer.status == 200 and answer.body == b"success"
    with database.transaction():
        database.execute(
            "UPDATE alipay_notices SET attempts = attempts + 1, acknowledged = ? WHERE id = ?", int(done), notice["id"]
        )  # fmt: skip
    return None if done or attempts + 1 >= MOST_ATTEMPTS else knobs.seconds("alipay_repeat_seconds")


def way_back(trade: database.Row) -> str:
    """return_url with Alipay's signed parameters; the merchant's own are in the signed text. No status among them."""
    if not trade["return_url"]:
        return ""
    parts = urlsplit(trade["return_url"])
    fields = dict(parse_qsl(parts.query, keep_blank_values=True)) | {
        "charset": "utf-8", "out_trade_no": trade["out_trade_no"], "method": f"alipay.trade.{trade['way']}.pay.return",
        "total_amount": books.yuan(trade["fen"]), "trade_no": trade["trade_no"], "version": "1.0",
        "auth_app_id": settings.ALIPAY_APP_ID, "app_id": settings.ALIPAY_APP_ID,
        "seller_id": settings.ALIPAY_SELLER_ID, "timestamp": books.local(time.time()),
    }  # fmt: skip
    return urlunsplit(parts._replace(query=urlencode(signing.signed_form(fields)), fragment=""))
