"""What the manufacturer posts to us, in every shape it has been seen in.

Lives here: reading payment and order posts (object or array, JSON or form, four spellings of each field). Not here:
believing them: both can be sent by anybody. Pure; unknown keys are ignored, items are capped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from vending.manufacturer import messages
from vending.manufacturer.messages import BadMessage, code_text, decimal, text

#: The answer that stops the repeats, byte for byte (the manufacturer's document: any other is repeated).
ACKNOWLEDGED = '{"msg":"操作成功","code":200,"data":"success"}'.encode()


@dataclass(frozen=True, kw_only=True)
class PaymentPost:
    """A payStatus post. Only third_id and status really come; the rest is documented."""

    third_id: str
    status: str
    pay_type: str = ""
    pay_amount: Decimal | None = None
    pay_date: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderPost:
    """An order status post. Which number it carries is unknown: match `ids` on OREN, MSOR and our order number."""

    ids: tuple[str, ...]
    status: str
    queue_no: str = ""
    device_id: str = ""


def payment_posts(body: bytes) -> tuple[PaymentPost, ...]:
    """The payments a payStatus post speaks of. Raises BadMessage when it speaks of none."""
    found = tuple(
        PaymentPost(
            third_id=_first(item, "third_id", "thirdId"),
            status=code_text(_raw(item, "status", "payStatus", "pay_status")),
            pay_type=code_text(_raw(item, "pay_type", "payType")),
            pay_amount=decimal(_raw(item, "pay_amount", "payAmount")),
            pay_date=_first(item, "pay_date", "payDate"),
        )
        for item in _items(body)
    )
    if not found or not all(post.third_id and post.status for post in found):
        raise BadMessage("third_id and status are required")
    return found


def order_posts(body: bytes) -> tuple[OrderPost, ...]:
    """The orders an order status post speaks of. Raises BadMessage when it speaks of none."""
    found = []
    for item in _items(body):
        names = ("order_id", "orderId", "third_id", "thirdId", "id", "chineseOrderId")
        ids = dict.fromkeys(value for name in names if (value := _first(item, name)))
        found.append(
            OrderPost(
                ids=tuple(ids),
                status=code_text(_raw(item, "status", "orderStatus", "order_status")),
                queue_no=_first(item, "queue_no", "queueNo", "queue_number", "queueNumber"),
                device_id=_first(item, "device_id", "deviceId"),
            )
        )
    if not found or not all(post.ids and post.status for post in found):
        raise BadMessage("an order number and a status are required")
    return tuple(found)


def _items(body: bytes) -> list[Mapping[str, Any]]:
    """The objects of a post: JSON object, JSON array, or a form."""
    try:
        content = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as exc:
        raise BadMessage("not UTF-8") from exc
    data: Any
    if content[:1] in ("{", "["):
        try:
            data = json.loads(content, parse_float=messages.number, parse_constant=str)
        except (ValueError, RecursionError) as exc:
            raise BadMessage("not JSON") from exc
    else:
        try:
            data = dict(parse_qsl(content, max_num_fields=50))
        except ValueError as exc:
            raise BadMessage("not a form") from exc
    items = data if isinstance(data, list) else [data]
    if len(items) > messages.MAX_ITEMS:
        raise BadMessage("too many items")
    if not all(isinstance(item, Mapping) for item in items):
        raise BadMessage("an object was expected")
    return items


def _raw(item: Mapping[str, Any], *names: str) -> Any:
    return next((item[name] for name in names if item.get(name) not in (None, "")), None)


def _first(item: Mapping[str, Any], *names: str) -> str:
    return text(_raw(item, *names))


def third_ids(posts: Iterable[PaymentPost]) -> list[str]:
    """The numbers of some posts, each once, in their order."""
    return list(dict.fromkeys(post.third_id for post in posts))
