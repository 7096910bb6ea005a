"""What WeChat Pay says, as data of the port: an order, a refund, a notification. Pure; no call.

Guarantees: `amount.total` counts, never `payer_total` (a voucher lowers that one); a message about another merchant or
another number is refused; whatever leaves as `raw` or `payload` is redacted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from payments.gateways.base import (
    ErrorCode,
    ErrorDetail,
    Flag,
    GatewayUnavailable,
    MethodDetails,
    PaymentResult,
    PaymentStatus,
    RefundNotice,
    RefundResult,
    RefundStatus,
    WebhookRejected,
)
from payments.gateways.wechatpay import words
from payments.gateways.wechatpay.config import Config
from pimpshop.core import redaction
from pimpshop.core.money import Money, UnknownCurrency

Wrong = Callable[[str], Exception]


def bad_answer(why: str) -> Exception:
    """For an answer that cannot be what we asked for: the outcome is unknown."""
    return GatewayUnavailable(why, code=ErrorCode.BAD_ANSWER)


def bad_body(why: str) -> Exception:
    """For a notification that is signed and makes no sense all the same."""
    return WebhookRejected(why, code=ErrorCode.BAD_BODY)


def text(told: Mapping[str, Any], name: str) -> str:
    """A field as text; empty when absent."""
    value = told.get(name)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def money(told: Any, name: str, wrong: Wrong) -> Money | None:
    """`amount.<name>` in fen with its currency (CNY where none is told); None when absent."""
    if not isinstance(told, Mapping) or told.get(name) is None:
        return None
    fen = told[name]
    if type(fen) is not int or fen < 0:
        raise wrong(f"amount.{name} is no number of fen")
    try:
        return Money(fen, str(told.get("currency") or "CNY"))
    except UnknownCurrency as exc:
        raise wrong("a currency that we do not know") from exc


def payment(
    config: Config, told: Mapping[str, Any], *, out_trade_no: str = "", wrong: Wrong
) -> PaymentResult:
    """A transaction object (query or notification). `out_trade_no`: what we asked about. Raises what `wrong` makes."""
    number = text(told, "out_trade_no")
    if text(told, "mchid") != config.mch_id or not number or number != (out_trade_no or number):
        raise wrong("about another payment")
    word = text(told, "trade_state")
    status, flags = words.payment_status(word)
    amount = money(told.get("amount"), "total", wrong)
    if status == PaymentStatus.SUCCEEDED and (amount is None or not text(told, "transaction_id")):
        raise wrong("paid, but how much and under which number is not said")
    error = None
    if status == PaymentStatus.FAILED:
        error = ErrorDetail(code=ErrorCode.PAYMENT_FAILED, provider_code=word)
    return PaymentResult(
        status=status,
        provider_ref=text(told, "transaction_id"),
        transaction_ref=text(told, "transaction_id"),
        amount=amount,
        error=error,
        raw=redaction.scrub(told),
        out_trade_no=number,
        account=config.mch_id,
        live=config.live,
        provider_status=word,
        flags=flags,
        method_details=MethodDetails(method_type="wechat_pay"),
    )


def unknown_payment(config: Config, out_trade_no: str) -> PaymentResult:
    """WeChat Pay does not know our number (yet)."""
    return PaymentResult(
        status=PaymentStatus.CREATED, out_trade_no=out_trade_no, account=config.mch_id, live=config.live,
        flags=(Flag.NOT_FOUND,),
    )  # fmt: skip


def refund(told: Mapping[str, Any], *, out_refund_no: str) -> RefundResult:
    """A refund object. Raises GatewayUnavailable when it is about another one."""
    if text(told, "out_refund_no") != out_refund_no:
        raise bad_answer("about another refund")
    word = text(told, "status")
    status, flags = words.refund_status(word)
    return RefundResult(
        status=status,
        provider_ref=text(told, "refund_id"),
        amount=money(told.get("amount"), "refund", bad_answer),
        error=_refund_error(status, word),
        raw=redaction.scrub(told),
        provider_status=word,
        flags=flags,
    )


def refund_notice(config: Config, told: Mapping[str, Any]) -> RefundNotice:
    """The plaintext of a refund notification; here the word stands in `refund_status`. Raises WebhookRejected."""
    if text(told, "mchid") != config.mch_id:
        raise foreign("another merchant's refund")
    word = text(told, "refund_status")
    status, _ = words.refund_status(word)
    if not text(told, "out_refund_no"):
        raise bad_body("a refund without its number")
    return RefundNotice(
        status=status,
        provider_ref=text(told, "refund_id"),
        out_refund_no=text(told, "out_refund_no"),
        out_trade_no=text(told, "out_trade_no"),
        payment_ref=text(told, "transaction_id"),
        amount=money(told.get("amount"), "refund", bad_body),
        error=_refund_error(status, word),
        provider_status=word,
    )


def foreign(why: str) -> WebhookRejected:
    """For a notification that is well signed and not for us."""
    return WebhookRejected(why, code=ErrorCode.FOREIGN, http_status=403)


def _refund_error(status: RefundStatus, word: str) -> ErrorDetail | None:
    """Why money did not arrive. ABNORMAL: the shopper's bank or account refused it, staff must choose another way."""
    if status == RefundStatus.FAILED or word == "ABNORMAL":
        return ErrorDetail(code=ErrorCode.PROCESSING_ERROR, provider_code=word)
    return None
