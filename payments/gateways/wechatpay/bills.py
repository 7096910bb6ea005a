"""The daily trade bill: its CSV as lines of a statement. Pure; the download is `gateway.statement`.

The file is UTF-8 with a BOM, every value begins with a backtick, amounts are yuan, times are Shanghai's, the last two
lines are a summary. Source: https://pay.weixin.qq.com/doc/v3/merchant/4012071160.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from payments.gateways.base import StatementLine
from payments.gateways.wechatpay import messages
from pimpshop.core.money import InvalidAmount, Money, UnknownCurrency

SHANGHAI = timezone(timedelta(hours=8))  # without summer time since 1991
SUMMARY = "总交易单数"


def check_hash(file: bytes, *, kind: str, value: str) -> None:
    """Such files are not signed; the signed answer before them names their SHA-1. Raises GatewayUnavailable."""
    digest = hashlib.sha1(file, usedforsecurity=False).hexdigest()
    if kind.upper() != "SHA1" or digest != value.lower():
        raise messages.bad_answer("the bill is not the one that was announced")


def lines(file: bytes) -> list[StatementLine]:
    """The bill's lines, payments and refunds. Raises GatewayUnavailable for a file that does not add up."""
    try:
        rows = list(csv.reader(io.StringIO(file.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as exc:
        raise messages.bad_answer("the bill is no CSV") from exc
    rows = [[value.removeprefix("`").strip() for value in row] for row in rows if row]
    end = next((number for number, row in enumerate(rows) if row[0] == SUMMARY), None)
    if end is None or end == 0 or end + 1 >= len(rows):
        raise messages.bad_answer("the bill has no end")
    names = rows[0]
    entries = [dict(zip(names, row, strict=False)) for row in rows[1:end]]
    if rows[end + 1][0] != str(len(entries)):
        raise messages.bad_answer("the bill lacks lines that its summary counts")
    try:
        return [_line(entry) for entry in entries]
    except (KeyError, ValueError, InvalidAmount, UnknownCurrency) as exc:
        raise messages.bad_answer(f"the bill has a line that we cannot read: {type(exc).__name__}") from exc


def _line(entry: Mapping[str, str]) -> StatementLine:
    currency = entry.get("货币种类") or "CNY"
    is_refund = bool(entry.get("商户退款单号", "").strip("0"))
    amount = entry["申请退款金额"] if is_refund else entry["订单金额"]
    return StatementLine(
        kind="refund" if is_refund else "payment",
        amount=_money(amount, currency),
        at=datetime.strptime(entry["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC),
        provider_ref=entry["微信退款单号"] if is_refund else entry["微信订单号"],
        out_trade_no=entry["商户订单号"],
        out_refund_no=entry["商户退款单号"] if is_refund else "",
        fee=_money(entry.get("手续费") or "0", currency),
        provider_status=entry["退款状态"] if is_refund else entry["交易状态"],
    )


def _money(text: str, currency: str) -> Money:
    """Yuan as they stand there; fees have five decimals, of which the last three are zero."""
    return Money.parse(text, currency)
