"""The errors a gateway may raise. Whatever else happens inside it is mapped to one of these.

Guarantees: messages are redacted; `outcome` says what the caller knows about the payment.
"""

from __future__ import annotations

from typing import ClassVar

from payments.gateways.base.data import ErrorDetail
from payments.gateways.base.words import ErrorCode, Outcome


class GatewayError(Exception):
    """Base of all. `message` is redacted.

    `not_sent` True: surely nothing was done at the provider. `permanent` True: the same request will never
    do.
    """

    permanent = False
    default_code: ClassVar[str] = ErrorCode.UNAVAILABLE

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        provider_code: str = "",
        not_sent: bool = False,
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = str(code or self.default_code)
        self.provider_code = provider_code
        self.not_sent = not_sent
        self.trace_id = trace_id

    @property
    def outcome(self) -> Outcome:
        """What the caller now knows about the payment."""
        return Outcome.NOT_ATTEMPTED if self.not_sent else Outcome.UNKNOWN

    def to_detail(self) -> ErrorDetail:
        """The storable form."""
        return ErrorDetail(code=self.code, message=self.message, provider_code=self.provider_code)


class GatewayUnavailable(GatewayError):
    """Time-out, network or 5xx: the outcome is UNKNOWN (unless `not_sent`). Query first, never fail it."""


class GatewayDeclined(GatewayError):
    """The provider refused for good; shown to the shopper."""

    permanent = True
    default_code = ErrorCode.PAYMENT_FAILED

    @property
    def outcome(self) -> Outcome:
        return Outcome.DECLINED


class GatewayMisuse(GatewayError):
    """Our fault or our credentials; refused or never sent. Staff are told."""

    permanent = True
    default_code = ErrorCode.INVALID_REQUEST

    @property
    def outcome(self) -> Outcome:
        return Outcome.NOT_ATTEMPTED


class WebhookRejected(GatewayError):
    """A post that is not believed: nothing is stored, the answer is `http_status`."""

    permanent = True
    default_code = ErrorCode.BAD_BODY

    def __init__(self, message: str = "", *, code: str = "", http_status: int = 400) -> None:
        super().__init__(message, code=code, not_sent=True)
        self.http_status = http_status
