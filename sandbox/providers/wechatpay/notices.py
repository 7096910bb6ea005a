"""What WeChat Pay sends to the merchant by itself: sealed, signed notices of payments and of refunds that ended.

Guarantees: a notice is a row and a job, so a restart loses none; it is sent up to 16 times unless the merchant answers
2xx, with the documented pauses (the knob wechat_first_repeat_seconds makes all of them shorter). A repeat has the same
id and the same text, sealed anew.
"""

import json
import time
import uuid
from typing import Any

from django.conf import settings

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.wechatpay import books, codes, signing


def payment_done(order: database.Row) -> None:
    """Queue the notice of a payment. Call inside the transaction that moved the order."""
    held = faults.strike(codes.NAME, "reordered", codes.PAYMENT_POST)
    after = held.seconds if held else 0.0
    _queue(codes.PAYMENT_POST, order["out_trade_no"], order["notify_url"], "TRANSACTION.SUCCESS", after)


def refund_done(refund: database.Row) -> None:
    """Queue the notice of a refund that ended. Call inside the transaction that moved it."""
    if refund["notify_url"]:
        kind = codes.REFUND_POST
        _queue(kind, refund["out_refund_no"], refund["notify_url"], f"REFUND.{refund['status']}", 0.0)


def _queue(kind: str, number: str, url: str, event: str, after: float) -> None:
    late = faults.strike(codes.NAME, "late_webhook", kind)
    lost = faults.strike(codes.NAME, "lost_webhook", kind)
    twice = faults.strike(codes.NAME, "duplicate_webhook", kind)
    after += late.seconds if late else 0.0
    notice_id = str(uuid.uuid4())
    database.execute(
        "INSERT INTO wechat_notices (id, kind, number, url, event, at, lost) VALUES (?, ?, ?, ?, ?, ?, ?)",
        notice_id, kind, number, url, event, time.time(), int(lost is not None),
    )  # fmt: skip
    if lost:
        return
    jobs.add("wechat_notice", {"id": notice_id}, after=after)
    if twice:
        jobs.add("wechat_notice", {"id": notice_id, "once": True}, after=after + twice.seconds)


@jobs.handler("wechat_notice")
def deliver(payload: dict[str, Any], attempts: int) -> float | None:
    """Send one notice; seconds until the next attempt, None when it is acknowledged or given up."""
    notice = database.row("SELECT * FROM wechat_notices WHERE id = ?", payload["id"])
    if notice is None:
        return None
    body = _body(notice)
    sent = signing.headers(body.encode(), serial=signing.own_serial(), trouble=_trouble(notice["kind"]))
    answer = outgoing.send(codes.NAME, notice["kind"], "POST", notice["url"], body=body, headers=sent)
    done = answer.status in (200, 204)
    with database.transaction():
        database.execute(
            "UPDATE wechat_notices SET attempts = attempts + 1, acknowledged = max(acknowledged, ?) WHERE id = ?",
            int(done), notice["id"],
        )  # fmt: skip
    if done or payload.get("once") or attempts >= len(codes.REPEATS):
        return None
    return codes.REPEATS[attempts] * knobs.seconds("wechat_first_repeat_seconds") / codes.REPEATS[0]


def _trouble(kind: str) -> str:
    if faults.strike(codes.NAME, "notice_signtest", kind):
        return "signtest"
    return "bad_signature" if faults.strike(codes.NAME, "notice_bad_signature", kind) else ""


def _body(notice: database.Row) -> str:
    wrong = 1 if faults.strike(codes.NAME, "wrong_amount", notice["kind"]) else 0
    is_payment = notice["kind"] == codes.PAYMENT_POST
    about = _payment(notice["number"], wrong) if is_payment else _refund(notice["number"], wrong)
    original = "transaction" if is_payment else "refund"
    plain = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    body = {
        "id": notice["id"],
        "create_time": books.when(notice["at"]),
        "resource_type": "encrypt-resource",
        "event_type": notice["event"],
        "summary": "支付成功" if is_payment else "退款结果",
        "resource": {"original_type": original, **signing.seal(plain, original)},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _payment(number: str, wrong: int) -> dict[str, Any]:
    """Only successes are told, so a refund since does not show here."""
    told = books.told(books.known_order(number), state="SUCCESS")
    told["amount"]["total"] += wrong
    return told


def _refund(number: str, wrong: int) -> dict[str, Any]:
    """Here the word stands in `refund_status`, and some fields of the API's answers are missing."""
    refund = books.known_refund(number)
    told = books.told_refund(refund)
    amount = {name: told["amount"][name] for name in ("total", "refund", "payer_total", "payer_refund")}
    amount["refund"] += wrong
    kept = (
        "transaction_id",
        "out_trade_no",
        "out_refund_no",
        "refund_id",
        "user_received_account",
        "success_time",
    )
    about = {name: told[name] for name in kept if name in told}
    return {"mchid": settings.WECHAT_MCH_ID, "refund_status": refund["status"], "amount": amount} | about
