"""One structured line per payment operation of an API: time (the log's own), user, payment, amount, status, error."""

from __future__ import annotations

import structlog

from payments.models import PaymentIntent
from pimpshop.core import errors

log = structlog.get_logger(__name__)


def note(
    operation: str, *, user_id: int | None, intent: PaymentIntent | None = None, status: str = "", amount: str = ""
) -> None:  # fmt: skip
    """`operation` was done (or read)."""
    log.info(
        "payment_operation",
        operation=operation,
        user=user_id,
        payment=intent.payment_id if intent else "",
        amount=amount or (str(intent.amount) if intent else ""),
        status=status or (intent.status if intent else ""),
        error="",
    )


def note_refusal(operation: str, *, user_id: int | None, payment: str, error: errors.ShopError) -> None:
    """`operation` was refused; `payment` is the number that the caller named, cut to what a number may be."""
    log.warning(
        "payment_operation",
        operation=operation,
        user=user_id,
        payment=payment[:64],
        amount="",
        status="refused",
        error=error.code,
    )
