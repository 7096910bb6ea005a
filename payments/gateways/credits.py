"""Pay with credits: the shop's own ledger as a gateway like any other.

create = hold, close = release, refund = give back; the hold is committed by the transaction that settles the order
(payments.services.credit_settling), so credits are spent exactly if the order is paid. Lives here: that translation. Not
here: the ledger (credits.services.holds), which comes in as callables. Source: docs/flows/credits.md, docs/adr/0016.

Guarantees: `out_trade_no` is the reference of the hold, so a repeat is the same hold; what is held can always be
committed, so a hold counts as paid. Nobody posts anything to it. No call leaves the house: an exception of the ledger
means that the outcome is unknown, as with a provider that does not answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from payments.gateways.base import (
    ErrorCode,
    Flag,
    GatewayDeclined,
    GatewayDefaults,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    MethodInfo,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    RefundRequest,
    RefundResult,
    RefundStatus,
    WebhookEvent,
    WebhookRejected,
    WebhookReply,
    WebhookRequest,
)
from pimpshop.core import redaction
from pimpshop.core.money import Money

log = logging.getLogger(__name__)

CURRENCY = "CREDITS"
#: A hold outlives the time in which its attempt may be paid by so much, for what is on its way.
MARGIN, LASTS = timedelta(minutes=15), timedelta(hours=1)

STATUS: dict[str, PaymentStatus] = {
    "held": PaymentStatus.SUCCEEDED,  # it can always be committed
    "committed": PaymentStatus.SUCCEEDED,
    "released": PaymentStatus.CANCELED,
}
REFUND_STATUS: dict[str, RefundStatus] = {"given_back": RefundStatus.SUCCEEDED}

# Why there is no hold, or nothing was given back: (ours, code). All of it is certain: nothing was done.
ERRORS: dict[str, tuple[type[GatewayError], ErrorCode]] = {
    "not_enough": (GatewayDeclined, ErrorCode.INSUFFICIENT_FUNDS),
    "already_held": (GatewayDeclined, ErrorCode.ALREADY_PAID),
    "taken": (GatewayDeclined, ErrorCode.DUPLICATE_REFERENCE),
    "nobody": (GatewayMisuse, ErrorCode.INVALID_REQUEST),
    "too_much": (GatewayDeclined, ErrorCode.REFUND_AMOUNT_INVALID),
    "unknown": (GatewayMisuse, ErrorCode.NOT_FOUND),
}
_told: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Config:
    """The ledger's till (credits.services.till): each answers a word, `look`, `release` and `look_refund` with an amount."""

    hold: Callable[..., str]
    look: Callable[..., tuple[str, int]]
    release: Callable[..., tuple[str, int]]
    give_back: Callable[..., str]
    look_refund: Callable[..., tuple[str, int]]
    live: bool = False


class CreditsGateway(GatewayDefaults):
    """The gateway `credits`."""

    key = "credits"
    can_close = True
    can_refund = True
    has_webhooks = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self.live = config.live

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]:
        """One method, for what is priced in credits."""
        if currency != CURRENCY or amount.currency != currency or amount.amount_minor <= 0:
            return ()
        return (
            MethodInfo(key="credits", label="Credits", currencies=(CURRENCY,), min_amount=Money(1, CURRENCY)),
        )

    def create_payment(self, request: PaymentRequest) -> PaymentResult:
        """Hold the credits. `payer_ref` is the number of the user who pays. A repeat answers the same hold.

        Raises GatewayDeclined (insufficient_funds, already_paid, duplicate_reference), GatewayMisuse, GatewayUnavailable.
        """
        amount = request.amount
        if amount.amount_minor <= 0 or amount.currency != CURRENCY:
            raise GatewayMisuse("nothing to pay in credits", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
        until = (request.expires_at or datetime.now(UTC) + LASTS) + MARGIN
        word = _word_of(
            self._config.hold, payer=request.payer_ref, amount=amount.amount_minor, reference=request.out_trade_no,
            subject=request.order_no, until=until,
        )  # fmt: skip
        return self._result(request.out_trade_no, word, amount)

    def query_payment(self, ref: PaymentRef) -> PaymentResult:
        """How the hold stands. Raises GatewayUnavailable."""
        return self._told_of(ref, _ask(self._config.look, reference=ref.out_trade_no))

    def close_payment(self, ref: PaymentRef) -> PaymentResult:
        """Let the hold go; one that was committed stays, and counts as paid. Raises GatewayUnavailable."""
        return self._told_of(ref, _ask(self._config.release, reference=ref.out_trade_no))

    def create_refund(self, request: RefundRequest) -> RefundResult:
        """Give credits back, at once. A repeat under the same number gives nothing more. Raises as `create_payment`."""
        word = _word_of(
            self._config.give_back, reference=request.out_trade_no, amount=request.amount.amount_minor,
            refund=request.out_refund_no, reason=request.reason,
        )  # fmt: skip
        return _refund(request.out_refund_no, word, request.amount.amount_minor)

    def query_refund(self, request: RefundRequest) -> RefundResult:
        """What was given back under that number. Raises GatewayUnavailable."""
        word, amount = _pair(_ask(self._config.look_refund, refund=request.out_refund_no))
        if word == "unknown":
            return RefundResult(status=RefundStatus.PENDING, flags=(Flag.NOT_FOUND,))
        return _refund(request.out_refund_no, word, amount)

    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]:
        """Nobody posts about credits."""
        raise WebhookRejected("the ledger posts nothing", code=ErrorCode.NOT_SUPPORTED, http_status=404)

    def acknowledge(self, *, accepted: bool = True) -> WebhookReply:
        """For nobody."""
        return WebhookReply(body=b"{}", status=200 if accepted else 404)

    def _told_of(self, ref: PaymentRef, answer: Any) -> PaymentResult:
        word, amount = _pair(answer)
        if word == "unknown":
            return PaymentResult(
                status=PaymentStatus.CREATED,
                out_trade_no=ref.out_trade_no,
                live=self.live,
                flags=(Flag.NOT_FOUND,),
            )
        return self._result(ref.out_trade_no, word, Money(amount, CURRENCY))

    def _result(self, out_trade_no: str, word: str, amount: Money) -> PaymentResult:
        status, flags = _status(word)
        return PaymentResult(
            status=status,
            provider_ref=out_trade_no,
            amount=amount,
            raw={"reference": out_trade_no, "status": word},
            out_trade_no=out_trade_no,
            live=self.live,
            provider_status=word,
            flags=flags,
        )


def _refund(number: str, word: str, amount: int) -> RefundResult:
    return RefundResult(
        status=REFUND_STATUS.get(word, RefundStatus.PENDING),
        provider_ref=number,
        amount=Money(amount, CURRENCY),
        raw={"reference": number, "status": word},
        provider_status=word,
    )


def _status(word: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status and flags for the ledger's word; an unknown one is processing, logged once."""
    status = STATUS.get(word)
    if status is not None:
        return status, ()
    if word not in _told and len(_told) < 1000:
        _told.add(word)
        log.warning("unknown status of a hold: %s", redaction.scrub_text(word, max_bytes=40))
    return PaymentStatus.PROCESSING, (Flag.UNKNOWN_STATUS,)


def _ask(verb: Callable[..., Any], **what: Any) -> Any:
    """Call the ledger. Whatever goes wrong in it, what it did is unknown, and the same call may be made again."""
    try:
        return verb(**what)
    except Exception as exc:
        log.exception("the ledger did not answer")
        raise GatewayUnavailable(type(exc).__name__, code=ErrorCode.UNAVAILABLE) from exc


def _word_of(verb: Callable[..., Any], **what: Any) -> str:
    """The word that the ledger answers. Raises what `_error` and `_ask` do, GatewayUnavailable for what is no word."""
    word = _ask(verb, **what)
    if not isinstance(word, str):
        raise GatewayUnavailable("the ledger gave no answer", code=ErrorCode.BAD_ANSWER)
    if word in ERRORS:
        raise _error(word)
    return word


def _pair(answer: Any) -> tuple[str, int]:
    """(word, amount). Raises GatewayUnavailable for what is no such answer."""
    if (
        isinstance(answer, tuple)
        and len(answer) == 2
        and isinstance(answer[0], str)
        and type(answer[1]) is int
    ):
        return answer
    raise GatewayUnavailable("the ledger gave no answer", code=ErrorCode.BAD_ANSWER)


def _error(word: str) -> GatewayError:
    kind, code = ERRORS[word]
    return kind(f"the ledger says {word}", code=code, provider_code=word, not_sent=True)
