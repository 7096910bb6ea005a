"""What the manufacturer says, as frozen data, and its code tables.

Lives here: answers, incoming posts in all their shapes, pay types and statuses with their meaning. Not here: what
follows from them. Pure. Codes are kept as text as they came ("3", or a word nobody knows): an unknown one is stored
and flagged by the callers, never a crash. Source: the manufacturer's document, "Codes" and "What it sends to us".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import IntEnum, StrEnum
from typing import Any

MAX_ITEMS = 200
MAX_TEXT = 200
MAX_EXPONENT = 30  # digits before or after the point that a number of theirs may have


class PayType(IntEnum):
    """How a payment is made; 5 at the machine and 12 online are ours."""

    OTHER = 0
    WECHAT = 1
    ALIPAY = 2
    UNIONPAY = 3
    CASH = 4
    CARD_READER = 5
    CARD = 6
    ON_SITE = 7
    TIKTOK = 8
    MEITUAN = 9
    WECHAT_CODE = 10
    PHILIPPINES = 11
    ONLINE = 12


class Payment(StrEnum):
    """Payment status."""

    WAITING = "1"
    PAYING = "2"
    PAID = "3"
    FAILED = "4"
    ABNORMAL = "5"


PAYMENT_FINAL = frozenset({Payment.PAID, Payment.FAILED, Payment.ABNORMAL})


class Order(StrEnum):
    """Order status. By their place between 8 and 11, 9 and 10 are the machine taking the blank case, before it is
    printed; the customer gets the case by 15 and 16."""

    WAITING_PAYMENT = "1"
    CANCELLED = "2"
    PAYING = "3"
    PAID = "4"
    PAYMENT_FAILED = "5"
    REFUNDING = "6"
    REFUNDED = "7"
    WAITING_PRINT = "8"
    PICKING_UP = "9"
    PICKED_UP = "10"
    PRINTING = "11"
    PRINTED = "12"
    PRINT_FAILED = "13"
    PRINT_CANCELLED = "14"
    DISPENSING = "15"
    DISPENSED = "16"


ORDER_FINAL = frozenset(
    {Order.CANCELLED, Order.REFUNDED, Order.PRINT_FAILED, Order.PRINT_CANCELLED, Order.DISPENSED}
)

PAYMENT_MEANINGS = {code: code.name.lower() for code in Payment}
ORDER_MEANINGS = {code: code.name.lower().replace("_", " ") for code in Order}


class BadMessage(ValueError):
    """A post or an answer that is not what it should be."""


# --- answers --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Login:
    """user/login. The token is valid for 1440 minutes."""

    id: str
    account: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Brand:
    """brand/list: BR… id, Chinese and English name."""

    id: str
    name: str
    e_name: str


@dataclass(frozen=True, kw_only=True)
class Stock:
    """stock/list: one row per (mobile_model_id, mobile_shell_id); width and height in millimetres."""

    mobile_model_id: str
    mobile_model_name: str
    mobile_shell_id: str
    width: Decimal | None
    height: Decimal | None
    stock: int


@dataclass(frozen=True, kw_only=True)
class Shop:
    """shop/list: SP… id."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class ShopPage:
    """One page of shop/list and how many there are in all."""

    total: int
    shops: tuple[Shop, ...]


@dataclass(frozen=True, kw_only=True)
class Goods:
    """goods/list: what a shop offers."""

    id: str
    shop_id: str
    shell_classify_id: str
    shell_classify_ename: str
    mobile_shell_id: str
    mobile_shell_name: str
    mobile_shell_sku: str
    mobile_model_id: str
    mobile_model_name: str
    brand_id: str
    brand_ename: str


@dataclass(frozen=True, kw_only=True)
class PayData:
    """order/payData: MSPY… id beside our third_id (PYEN…)."""

    id: str
    third_id: str


@dataclass(frozen=True, kw_only=True)
class StatusOf:
    """order/getPayStatus and getOrderStatus: the code of one id, as text."""

    third_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class OrderData:
    """order/orderData: MSOR… id; queue_no is any text ("9578"), not a counter; status any code."""

    id: str
    third_id: str
    queue_no: str
    status: str


@dataclass(frozen=True, kw_only=True)
class PrintEntry:
    """order/printList: one job at a machine."""

    id: str
    third_id: str
    mobile_model_name: str
    pic: str
    queue_no: str
    status: str


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """A scalar as text without NUL, at most `limit` characters; "" for null, objects and arrays."""
    if value is None or isinstance(value, (Mapping, list, tuple)):
        return ""
    if isinstance(value, Decimal):
        small = value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT
        value = format(value, "f") if small else str(value)
    # Neither NUL nor half a surrogate pair can be stored.
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode().strip()[:limit]


def number(word: str) -> Decimal:
    """A JSON number with a point or an exponent. Raises BadMessage for one like 1e300000000, which would be hundreds
    of megabytes of zeros once written out."""
    value = Decimal(word)
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise BadMessage("a number is out of every range")
    return value


def code_text(value: Any) -> str:
    """A status code as text: 3, "3", 3.0 and " 03 " are all "3"; other words stay as they came."""
    word = text(value, 32)
    return str(int(word.split(".")[0])) if re.fullmatch(r"\d{1,9}(\.0+)?", word, re.ASCII) else word


def decimal(value: Any) -> Decimal | None:
    """An amount or a length as an exact Decimal; None when it is absent or not a plain number. Never a float."""
    if isinstance(value, (bool, float)):
        return None
    word = text(value, 32)
    if not re.fullmatch(r"-?\d{1,12}(\.\d{1,6})?", word, re.ASCII):
        return None
    try:
        return Decimal(word)
    except InvalidOperation:
        return None


def count(value: Any) -> int:
    """A whole number of pieces; 0 for whatever is none."""
    word = code_text(value)
    return int(word) if word.isdecimal() and len(word) <= 9 else 0


def rows(data: Any) -> list[Mapping[str, Any]]:
    """The objects of a list answer; null and absent are empty. Raises BadMessage for anything that is no list."""
    if data is None:
        return []
    if not isinstance(data, list):
        raise BadMessage("a list was expected")
    return [item for item in data if isinstance(item, Mapping)]


def row(data: Any) -> Mapping[str, Any]:
    """The object of an answer. Raises BadMessage when it is none."""
    if not isinstance(data, Mapping):
        raise BadMessage("an object was expected")
    return data
