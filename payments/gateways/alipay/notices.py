"""What comes from Alipay by itself: the asynchronous notice (a form post) and the shopper's return (a GET).

Here: verifying them and putting the notice into the port's words. Not here: whose payment it is, what follows.
Source: opendocs.alipay.com/204/105301.

Guarantees: a form is decoded once, a field that stands twice or other bytes than UTF-8 are refused; our application and
our seller only; only TRADE_SUCCESS and TRADE_FINISHED are money; a notice older than two days (Alipay repeats for 25
hours) is refused. A return proves only that the shopper came back: it has no status, so it is for display.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from payments.gateways.alipay import signing, wire, words
from payments.gateways.base import (
    ErrorCode,
    Flag,
    PaymentResult,
    PaymentStatus,
    WebhookEvent,
    WebhookRejected,
    WebhookRequest,
)
from pimpshop.core import redaction
from pimpshop.core.money import InvalidAmount, Money

log = logging.getLogger(__name__)

KIND = "trade_status_sync"
MAX_POST = 64 * 1024
OLDEST, AHEAD = timedelta(hours=48), timedelta(minutes=15)
#: Nothing of the buyer's is kept.
_KEPT = (
    "notify_id", "notify_time", "out_trade_no", "trade_no", "trade_status", "total_amount", "receipt_amount",
    "refund_fee", "out_biz_no", "gmt_create", "gmt_payment", "gmt_refund", "gmt_close",
)  # fmt: skip
_told: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What a verified return_url says; `amount` is what was asked for."""

    out_trade_no: str
    trade_no: str
    amount: Money


def status_of(word: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status for Alipay's word; an unknown one is processing, logged once."""
    status = words.STATUS.get(word)
    if status is not None:
        return status, ()
    if word not in _told and len(_told) < 1000:
        _told.add(word)
        log.warning("unknown trade_status of Alipay: %s", redaction.scrub_text(word, max_bytes=40))
    return PaymentStatus.PROCESSING, (Flag.UNKNOWN_STATUS,)


class Reader:
    """Reads posts and returns for one application and seller."""

    def __init__(self, line: wire.Wire, *, key: str, seller_id: str, live: bool) -> None:
        self._wire, self._key, self._seller_id, self._live = line, key, seller_id, live

    def read_post(self, post: WebhookRequest) -> tuple[WebhookEvent, ...]:
        """The event of a notice; none for a verified notice about something else than a trade. Raises WebhookRejected."""
        if len(post.body) > MAX_POST:
            raise WebhookRejected("too long", http_status=413)
        fields = self._verified(post.body)
        _check_clock(fields.get("notify_time", ""), post.received_at)
        if fields.get("notify_type") != KIND:
            return ()
        return (self._event(fields),)

    def read_return(self, query: str) -> Returned:
        """The return_url's query string as it came, the shop's own parameters included. Raises WebhookRejected.

        For display only: it carries no status, and anybody may open the address again.
        """
        fields = self._verified(query.encode("utf-8", "replace"))
        return Returned(
            out_trade_no=_need(fields, "out_trade_no"),
            trade_no=fields.get("trade_no", ""),
            amount=_money(fields, "total_amount"),
        )

    def _verified(self, body: bytes) -> dict[str, str]:
        try:
            fields = signing.read_form(body)
        except ValueError as exc:
            raise WebhookRejected("not a form in UTF-8") from exc
        if not self._wire.verifies(signing.notice_text(fields), fields.get("sign", "")):
            raise WebhookRejected("sign does not fit", code=ErrorCode.BAD_SIGNATURE, http_status=401)
        if fields.get("app_id") != self._wire.app_id:
            raise WebhookRejected("another application's", code=ErrorCode.FOREIGN, http_status=403)
        if self._seller_id and fields.get("seller_id") != self._seller_id:
            raise WebhookRejected("another seller's", code=ErrorCode.FOREIGN, http_status=403)
        return fields

    def _event(self, fields: Mapping[str, str]) -> WebhookEvent:
        payment = self._payment(fields)
        kept = {name: fields[name] for name in _KEPT if fields.get(name)}
        return WebhookEvent(
            gateway=self._key, account=self._wire.app_id, event_id=_need(fields, "notify_id"), kind=KIND,
            out_trade_no=payment.out_trade_no, provider_ref=payment.provider_ref, status=payment.status,
            provider_status=payment.provider_status, amount_told=_money(fields, "total_amount").to_decimal(),
            live=self._live, confirmed=True, payment=payment,
            payload=redaction.scrub(kept | {"status": payment.provider_status}),
        )  # fmt: skip

    def _payment(self, fields: Mapping[str, str]) -> PaymentResult:
        """`refunded` is cumulative, as `refund_fee` is. A notice of a partial refund is a success that names it: a query
        does not tell the sum, so nobody needs to ask."""
        word, amount = _need(fields, "trade_status"), _money(fields, "total_amount")
        status, flags = status_of(word)
        refunded = _money(fields, "refund_fee") if fields.get("refund_fee") else None
        back = bool(fields.get("gmt_refund")) or (refunded is not None and refunded.amount_minor > 0)
        if back and word == "TRADE_CLOSED":
            status, refunded = PaymentStatus.REFUNDED, refunded or amount
        return PaymentResult(
            status=status, provider_ref=fields.get("trade_no", ""), transaction_ref=fields.get("trade_no", ""),
            amount=amount, refunded=refunded if back else None, out_trade_no=_need(fields, "out_trade_no"),
            account=self._wire.app_id, live=self._live, provider_status=word, flags=flags,
        )  # fmt: skip


def _check_clock(told: str, received_at: datetime) -> None:
    try:
        at = datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=wire.BEIJING)
    except ValueError as exc:
        raise WebhookRejected("no notify_time", code=ErrorCode.STALE) from exc
    if not received_at - OLDEST <= at <= received_at + AHEAD:
        raise WebhookRejected("too old or from the future", code=ErrorCode.STALE)


def _need(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value or len(value) > 128:
        raise WebhookRejected(f"{name} is missing")
    return value


def _money(fields: Mapping[str, str], name: str) -> Money:
    try:
        return Money.parse(_need(fields, name), words.CURRENCY)
    except InvalidAmount as exc:
        raise WebhookRejected(f"{name} is no amount") from exc
