"""Telling WeChat that what a mini program sold was delivered: without that, WeChat holds the money back.

Credits and plans are delivered when they are granted, a case when it is printed and waits at its machine: when the order
is completed. Guarantees: a row per payment, made by a sweep round from what the orders say, so that nothing a settlement
does waits for it; one send at a time (the row is pushed ahead by compare-and-set before the call); told twice is told
once at WeChat; tried again with back-off for two days, then a staff item. No call inside a transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from datetime import timezone as zones
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.translation import override

from accounts import registry as accounts
from accounts.gateways import mini_program
from orders import selectors as orders
from payments.models import PaymentIntent, ShippingNotice
from pimpshop.core import staff_items

log = structlog.get_logger(__name__)

GATEWAY, METHOD, FAILED_KIND = "wechatpay", "mini", "wechat_delivery_not_told"
#: Payments of so many days are looked at; a case may wait for its machine.
LOOKED_AT_FOR = timedelta(days=45)
#: Seconds until the next attempt, by how many there were; then one an hour.
STEPS = (30, 60, 300, 900, 1800)
LAST_GAP = 3600
MOST_ATTEMPTS = 50
#: What WeChat refuses (not: does not answer) is not worth two days.
MOST_REFUSALS = 8
#: Above a token, a send, and both again (8 s each): nobody else sends meanwhile.
LEASE = timedelta(seconds=60)
CHINA = zones(timedelta(hours=8))


def plan_due(limit: int = 200) -> int:
    """Make the rows of fulfilled orders that a mini program paid; a sweep round. Answers how many."""
    if not settings.WECHAT_SHIPPING_NOTICES or accounts.get_mini_program() is None:
        return 0
    paid = PaymentIntent.objects.filter(
        gateway=GATEWAY, method=METHOD, settles_order=True, succeeded_at__gte=timezone.now() - LOOKED_AT_FOR,
        shipping_notice=None, order__status="completed",
    )  # fmt: skip
    rows = [_notice(intent) for intent in paid.select_related("order").order_by("succeeded_at")[:limit]]
    return len(ShippingNotice.objects.bulk_create(rows, ignore_conflicts=True))


def _notice(intent: PaymentIntent) -> ShippingNotice:
    order = intent.order
    case = order.kind == order.Kind.CASE
    kind = ShippingNotice.Kind.PICKED_UP if case else ShippingNotice.Kind.VIRTUAL
    return ShippingNotice(intent=intent, logistics_type=kind, description=_described(order))


def _described(order: Any) -> str:
    """What was bought, in Chinese as the payer's bill shows it; at most 120 characters."""
    with override("zh-hans"):
        lines = [f"{line['text']} × {line['quantity']}" for line in orders.line_texts(order)]
    return "、".join(lines)[:120] or str(order.order_no)


def due(limit: int = 20) -> list[int]:
    rows = ShippingNotice.objects.filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def send(notice_pk: int) -> bool:
    """Tell WeChat of one delivery if it is due and nobody else is at it. Answers whether it was asked."""
    now = timezone.now()
    mine = ShippingNotice.objects.filter(pk=notice_pk, next_attempt_at__lte=now).update(
        next_attempt_at=now + LEASE, attempts=F("attempts") + 1
    )
    client = accounts.get_mini_program()
    if not mine or client is None:
        return False
    notice = ShippingNotice.objects.select_related("intent__order").get(pk=notice_pk)
    if notice.intent.order.status != "completed":
        _end(notice, "the order was paid back")
        return False
    openid = str(notice.intent.metadata.get("payer_ref", ""))
    try:
        client.tell_shipment(_shipment(notice, openid, now))
    except mini_program.WeChatUnavailable as error:
        _later(notice, error, MOST_ATTEMPTS)
    except mini_program.WeChatError as error:
        _later(notice, error, MOST_REFUSALS)
    else:
        _told(notice)
    return True


def _shipment(notice: ShippingNotice, openid: str, now: datetime) -> mini_program.Shipment:
    intent = notice.intent
    return mini_program.Shipment(
        mch_id=intent.account or settings.WECHAT_MCH_ID,
        out_trade_no=intent.out_trade_no,
        openid=openid,
        logistics_type=notice.logistics_type,
        description=notice.description,
        told_at=now.astimezone(CHINA).isoformat(timespec="milliseconds"),
    )


def _told(notice: ShippingNotice) -> None:
    ShippingNotice.objects.filter(pk=notice.pk, ended_at=None).update(
        told_at=timezone.now(), next_attempt_at=None, last_error=""
    )
    staff_items.resolve_about(kind=FAILED_KIND, subject=notice.intent.out_trade_no, resolution="told")
    log.info("delivery_told", payment=notice.intent.out_trade_no)


def _later(notice: ShippingNotice, error: mini_program.WeChatError, most: int) -> None:
    why = str(error)[:200]
    log.warning("delivery_not_told", payment=notice.intent.out_trade_no, attempts=notice.attempts, error=why)
    if notice.attempts >= most:
        _end(notice, why)
        staff_items.open_item(
            kind=FAILED_KIND, subject=notice.intent.out_trade_no, why=why,
            title=f"WeChat was not told that {notice.intent.order.order_no} is delivered",
            detail="Until it knows, WeChat holds the money back. See why it refuses (Outbound calls), put that right, then "
            "tell it again from the page of the delivery, or enter it in the mini program's console.",
        )  # fmt: skip
        return
    gap = STEPS[notice.attempts - 1] if notice.attempts <= len(STEPS) else LAST_GAP
    ShippingNotice.objects.filter(pk=notice.pk, told_at=None, ended_at=None).update(
        next_attempt_at=timezone.now() + timedelta(seconds=gap), last_error=why
    )


def _end(notice: ShippingNotice, why: str) -> None:
    ShippingNotice.objects.filter(pk=notice.pk, told_at=None).update(
        ended_at=timezone.now(), next_attempt_at=None, last_error=why[:200]
    )


def tell_again(notice: ShippingNotice) -> bool:
    """By hand: one that was given up is due now, from the beginning. Answers whether it was."""
    return bool(
        ShippingNotice.objects.filter(pk=notice.pk, ended_at__isnull=False).update(
            ended_at=None, next_attempt_at=timezone.now(), attempts=0
        )
    )
