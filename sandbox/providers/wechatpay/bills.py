"""The daily trade bill: made from the books, told with its SHA-1, fetched once by its address within five minutes."""

import csv
import gzip
import hashlib
import io
import secrets
import time
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings

from sandbox import database, knobs
from sandbox.providers.wechatpay import codes
from sandbox.providers.wechatpay.refusal import Refusal, bad

COLUMNS = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识", "交易类型", "交易状态",
    "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号", "商户退款单号", "退款金额", "充值券退款金额",
    "退款类型", "退款状态", "商品名称", "商户数据包", "手续费", "费率", "订单金额", "申请退款金额", "费率备注",
)  # fmt: skip
TOTALS = (
    "总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额", "申请退款总金额",
)  # fmt: skip


def ask(query: dict[str, str], origin: str) -> dict[str, str]:
    """GET /v3/bill/tradebill. `origin` is this server's. Raises Refusal."""
    day = _day(query.get("bill_date", ""))
    if query.get("bill_type", "ALL") not in ("ALL", "SUCCESS", "REFUND"):
        raise bad("bill_type")
    rows = _rows(day, query.get("bill_type", "ALL"))
    if not rows:
        raise Refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    file = _file(rows)
    token = secrets.token_urlsafe(24)
    packed = gzip.compress(file) if query.get("tar_type") == "GZIP" else file
    database.execute(
        "INSERT INTO wechat_files VALUES (?, ?, ?)", token, packed, time.time() + codes.FILE_LIFE
    )
    digest = hashlib.sha1(file, usedforsecurity=False).hexdigest()
    url = f"{origin}/wechatpay/v3/billdownload/file?token={token}"
    return {"hash_type": "SHA1", "hash_value": digest, "download_url": url}


def fetch(token: str) -> bytes:
    """GET /v3/billdownload/file. Raises Refusal."""
    found = database.row("SELECT * FROM wechat_files WHERE token = ? AND expires > ?", token, time.time())
    if found is None:
        raise Refusal(403, "NO_AUTH", "下载地址已失效")
    return bytes(found["content"])


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise bad("bill_date") from None
    now = datetime.now(codes.CHINA)
    if knobs.get("wechat_early_bills") == "0":
        if day >= now.date():
            raise bad("bill_date")
        if day == now.date() - timedelta(days=1) and now.hour < 10:
            raise Refusal(400, "STATEMENT_CREATING", "账单生成中")
    return day


def _rows(day: date, kind: str) -> list[list[str]]:
    start = datetime(day.year, day.month, day.day, tzinfo=codes.CHINA).timestamp()
    end = start + 86_400
    found: list[tuple[float, list[str]]] = []
    if kind != "REFUND":
        query = "SELECT * FROM wechat_orders WHERE paid >= ? AND paid < ?"
        found += [(order["paid"], _payment(order)) for order in database.rows(query, start, end)]
    if kind != "SUCCESS":
        query = (
            "SELECT o.*, r.out_refund_no, r.refund_id, r.refund, r.status, r.created AS asked FROM wechat_refunds r"
            " JOIN wechat_orders o ON o.out_trade_no = r.out_trade_no WHERE r.created >= ? AND r.created < ?"
        )
        found += [(refund["asked"], _refund(refund)) for refund in database.rows(query, start, end)]
    return [row for _, row in sorted(found)]


def _yuan(fen: int) -> str:
    return str(Decimal(fen).scaleb(-2))


def _fee(fen: int) -> int:
    """0.6 per cent, half a fen rounds up."""
    return (fen * 6 + 500) // 1000


def _payment(order: database.Row) -> list[str]:
    money = {
        "应结订单金额": _yuan(order["total"]), "手续费": f"{_yuan(_fee(order['total']))}000", "订单金额": _yuan(order["total"]),
    }  # fmt: skip
    return _row(order, order["paid"], {"交易状态": "SUCCESS"} | money)


def _refund(refund: database.Row) -> list[str]:
    told = {
        "交易状态": "REFUND", "应结订单金额": "0.00", "微信退款单号": refund["refund_id"],
        "商户退款单号": refund["out_refund_no"], "退款金额": _yuan(refund["refund"]), "退款类型": "ORIGINAL",
        "退款状态": refund["status"], "手续费": f"-{_yuan(_fee(refund['refund']))}000", "订单金额": "0.00",
        "申请退款金额": _yuan(refund["refund"]),
    }  # fmt: skip
    return _row(refund, refund["asked"], told)


def _row(order: database.Row, at: float, told: dict[str, str]) -> list[str]:
    usual = {
        "交易时间": f"{datetime.fromtimestamp(at, codes.CHINA):%Y-%m-%d %H:%M:%S}", "公众账号ID": order["appid"],
        "商户号": settings.WECHAT_MCH_ID, "特约商户号": "0", "微信订单号": order["transaction_id"],
        "商户订单号": order["out_trade_no"], "用户标识": order["payer"], "交易类型": codes.TRADE_TYPES[order["kind"]],
        "付款银行": "OTHERS", "货币种类": "CNY", "代金券金额": "0.00", "微信退款单号": "0", "商户退款单号": "0",
        "退款金额": "0.00", "充值券退款金额": "0.00", "商品名称": order["description"], "商户数据包": order["attach"],
        "费率": "0.60%", "申请退款金额": "0.00",
    }  # fmt: skip
    return [(usual | told).get(name, "") for name in COLUMNS]


def _file(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(COLUMNS)
    out.writerows([f"`{value}" for value in row] for row in rows)
    sums = {name: sum(Decimal(row[COLUMNS.index(name)]) for row in rows)
            for name in ("应结订单金额", "退款金额", "手续费", "订单金额", "申请退款金额")}  # fmt: skip
    out.writerow(TOTALS)
    out.writerow(
        [f"`{value}" for value in (
            len(rows), sums["应结订单金额"], sums["退款金额"], "0.00", sums["手续费"], sums["订单金额"], sums["申请退款金额"],
        )]
    )  # fmt: skip
    return b"\xef\xbb\xbf" + text.getvalue().encode()
