"""The daily bill: a zip of CSV files in GBK, T+1. Here: its lines in the port's words. Not here: fetching it (`wire`).

Source: opendocs.alipay.com/204/106262. Guarantees: pure; bounded; amounts exact; a line that cannot be read stops the
whole bill (a statement with a hole is worse than none); the summary file is left out.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime

from payments.gateways.alipay import wire, words
from payments.gateways.base import ErrorCode, GatewayUnavailable, StatementLine
from pimpshop.core.money import InvalidAmount, Money

KINDS = {"交易": "payment", "退款": "refund"}
_MAX_BYTES = 256 * 1024 * 1024
_TRADE_NO, _NUMBER, _KIND, _DONE = "支付宝交易号", "商户订单号", "业务类型", "完成时间"
_AMOUNT, _REQUEST_NO, _FEE = "订单金额(元)", "退款批次号/请求号", "服务费(元)"


def read(content: bytes) -> list[StatementLine]:
    """Every payment and refund of a bill. Raises GatewayUnavailable (bad_answer) for what is no such bill."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
                raise ValueError("too large")
            details = [entry for entry in archive.infolist() if "汇总" not in _name(entry)]
            texts = [archive.read(entry).decode("gb18030") for entry in details]
        return [line for text in texts for line in _lines(text)]
    except (ValueError, KeyError, IndexError, csv.Error, zipfile.BadZipFile, NotImplementedError) as exc:
        raise GatewayUnavailable("the bill cannot be read", code=ErrorCode.BAD_ANSWER) from exc


def _name(entry: zipfile.ZipInfo) -> str:
    """The file's name: GBK, which zip knows nothing of unless the UTF-8 flag is set."""
    if entry.flag_bits & 0x800:
        return entry.filename
    return entry.orig_filename.encode("cp437", "replace").decode("gb18030", "replace")


def _lines(text: str) -> Iterator[StatementLine]:
    """Rows between the comments; a cell ends in a tab so that spreadsheets leave long numbers alone."""
    rows = csv.reader(row for row in io.StringIO(text) if row.strip() and not row.startswith("#"))
    head = [_plain(cell) for cell in next(rows, [])]
    if head and not {_NUMBER, _KIND, _AMOUNT} <= set(head):
        raise ValueError("another kind of bill")
    for row in rows:
        found = dict(zip(head, (cell.strip() for cell in row), strict=False))
        kind = KINDS.get(found[_KIND])
        if kind is not None:  # others (settling, splitting) are no money of a shopper
            yield _line(kind, found)


def _plain(cell: str) -> str:
    return cell.strip().replace("（", "(").replace("）", ")")


def _line(kind: str, row: Mapping[str, str]) -> StatementLine:
    """A refund's amount is negative in the file and positive here; so is the fee of a payment."""
    fee = row.get(_FEE, "")
    done = datetime.strptime(row[_DONE], "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the zone follows
    return StatementLine(
        kind=kind, amount=_money(row[_AMOUNT].lstrip("-")), at=done.replace(tzinfo=wire.BEIJING),
        provider_ref=row.get(_TRADE_NO, ""), out_trade_no=row[_NUMBER],
        out_refund_no=row.get(_REQUEST_NO, "") if kind == "refund" else "",
        fee=_money(fee.lstrip("-")) if fee else None, provider_status=row[_KIND],
    )  # fmt: skip


def _money(text: str) -> Money:
    try:
        return Money.parse(text, words.CURRENCY)
    except InvalidAmount as exc:
        raise ValueError("no amount") from exc
