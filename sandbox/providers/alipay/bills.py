"""The daily bill: a link that lives for half a minute, and behind it a zip with two CSV files in GBK.

Unlike the real one it is there at once, for today too: nobody wants to wait for nine o'clock tomorrow.
"""

import io
import secrets
import time
import zipfile
from datetime import date, datetime
from typing import Any

from django.conf import settings

from sandbox import database
from sandbox.providers.alipay import books
from sandbox.providers.alipay.codes import Refusal

LINK_SECONDS = 30
HEAD = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称", "操作员", "终端号", "对方账户",
    "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）", "券名称",
    "商家红包消费金额（元）", "卡消费金额（元）", "退款批次号/请求号", "服务费（元）", "分润（元）", "备注",
)  # fmt: skip


def link(biz: dict[str, Any], base: str) -> dict[str, str]:
    """alipay.data.dataservice.bill.downloadurl.query. Raises Refusal."""
    day = str(biz.get("bill_date", ""))
    try:
        good = len(day) == 10 and bool(date.fromisoformat(day))
    except ValueError:
        good = False
    if biz.get("bill_type") not in ("trade", "signcustomer") or not good:
        raise Refusal("40004", "isp.invalid_param", "参数错误")
    if not _rows(day):
        raise Refusal("40004", "isp.bill_not_exist", "账单不存在")
    token = secrets.token_hex(16)
    database.execute("INSERT INTO alipay_bills VALUES (?, ?, ?)", token, day, time.time() + LINK_SECONDS)
    return {"bill_download_url": f"{base}/alipay/bills/{token}.zip"}


def content(token: str) -> bytes | None:
    """The zip behind a link; None when there is none or its time is over."""
    found = database.row("SELECT * FROM alipay_bills WHERE token = ? AND expires > ?", token, time.time())
    if found is None:
        return None
    day, out = found["day"], io.BytesIO()
    stem = f"{settings.ALIPAY_SELLER_ID}0156_{day.replace('-', '')}_业务明细"
    lines = [
        "#支付宝业务明细查询", f"#账号：[{settings.ALIPAY_SELLER_ID}0156]",
        "#-----------------------------------------业务明细列表----------------------------------------",
        ",".join(HEAD), *(",".join(f"{cell}\t" for cell in row) for row in _rows(day)),
        "#-----------------------------------------业务明细列表结束------------------------------------",
        f"#导出时间：[{books.local(time.time())}]",
    ]  # fmt: skip
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{stem}.csv", "\r\n".join(lines).encode("gbk", "replace"))
        archive.writestr(f"{stem}(汇总).csv", "#支付宝业务汇总查询\r\n".encode("gbk"))
    return out.getvalue()


def _rows(day: str) -> list[tuple[str, ...]]:
    found = [
        (trade["paid"], _row(trade, "交易", trade["fen"], trade["paid"], ""))
        for trade in database.rows("SELECT * FROM alipay_trades WHERE paid IS NOT NULL")
    ] + [
        (back["at"], _row(back, "退款", -back["back"], back["at"], back["out_request_no"]))
        for back in database.rows("SELECT t.*, r.fen AS back, r.at, r.out_request_no FROM alipay_refunds r "
                                  "JOIN alipay_trades t USING (out_trade_no)")
    ]  # fmt: skip
    return [
        row for at, row in sorted(found) if datetime.fromtimestamp(at, books.CHINA).date().isoformat() == day
    ]


def _row(trade: database.Row, kind: str, fen: int, done: float, request_no: str) -> tuple[str, ...]:
    """One line; the fee is 0.6 % of a payment, given back with a refund."""
    sign, subject = "-" if fen < 0 else "", trade["subject"].replace(",", "，")
    amount, fee = f"{sign}{books.yuan(abs(fen))}", books.yuan(round(abs(fen) * 6 / 1000))
    return (
        trade["trade_no"], trade["out_trade_no"], kind, subject, books.local(trade["created"]), books.local(done),
        "", "", "", "", books.BUYER_LOGON, amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00",
        request_no, fee if sign else f"-{fee}", "0.00", "",
    )  # fmt: skip
