"""The words of the port: statuses, outcomes, flags and standard error codes. Ours, never a provider's."""

from enum import StrEnum


class PaymentStatus(StrEnum):
    """Our words for an attempt; the table of moves is `payments.states`."""

    CREATED = "created"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    EXPIRING = "expiring"
    SUCCEEDED = "succeeded"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


class RefundStatus(StrEnum):
    """Our words for a refund."""

    CREATED = "created"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    """Our words for a dispute; the table of moves is `payments.states`."""

    OPENED = "opened"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What is known after a call: five results, not two."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    NOT_ATTEMPTED = "not_attempted"
    UNKNOWN = "unknown"
    WAITING = "waiting"


class Flag(StrEnum):
    """Remarks beside a status that staff should see; none of them moves money."""

    ABNORMAL = "abnormal"  # the provider itself calls the payment abnormal
    UNKNOWN_STATUS = "unknown_status"  # a word or code this gateway does not map: counted as processing
    NOT_FOUND = "not_found"  # the provider does not know this out_trade_no (yet)
    AMOUNT_MISMATCH = "amount_mismatch"  # the provider names another amount than ours
    ACTION_LOST = "action_lost"  # the payment exists, but its provider_ref or next action was never received


class ErrorCode(StrEnum):
    """Standard codes for shoppers and staff; the provider's own travels as `provider_code`."""

    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    INCORRECT_CVC = "incorrect_cvc"
    PROCESSING_ERROR = "processing_error"
    INVALID_PAYMENT_METHOD = "invalid_payment_method"
    AUTHENTICATION_FAILED = "authentication_failed"
    AMOUNT_INVALID = "amount_invalid"
    AMOUNT_TOO_SMALL = "amount_too_small"
    AMOUNT_TOO_LARGE = "amount_too_large"
    PRICE_NOT_FOUND = "price_not_found"
    CURRENCY_UNSUPPORTED = "currency_unsupported"
    METHOD_UNAVAILABLE = "method_unavailable"
    DEVICE_UNAVAILABLE = "device_unavailable"
    DUPLICATE_REFERENCE = "duplicate_reference"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_CLOSED = "payment_closed"
    ALREADY_PAID = "already_paid"
    ALREADY_CAPTURED = "already_captured"
    ALREADY_REFUNDED = "already_refunded"
    REFUND_AMOUNT_INVALID = "refund_amount_invalid"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    NOT_SUPPORTED = "not_supported"
    INVALID_REQUEST = "invalid_request"
    CREDENTIALS = "credentials"
    UNAVAILABLE = "unavailable"
    BAD_ANSWER = "bad_answer"
    BAD_SIGNATURE = "bad_signature"
    BAD_BODY = "bad_body"
    STALE = "stale"
    FOREIGN = "foreign"


# Outcome of a status for the caller that just asked; what is absent here is still under way.
OUTCOMES = {
    PaymentStatus.SUCCEEDED: Outcome.SUCCEEDED,
    PaymentStatus.AUTHORIZED: Outcome.SUCCEEDED,
    PaymentStatus.PARTIALLY_REFUNDED: Outcome.SUCCEEDED,
    PaymentStatus.REFUNDED: Outcome.SUCCEEDED,
    PaymentStatus.FAILED: Outcome.DECLINED,
    PaymentStatus.CANCELED: Outcome.DECLINED,
    PaymentStatus.EXPIRED: Outcome.DECLINED,
    PaymentStatus.CREATED: Outcome.NOT_ATTEMPTED,
}
