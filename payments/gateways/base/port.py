"""The verbs of a gateway: the protocol that services call and the defaults that gateways inherit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, runtime_checkable

from payments.gateways.base.actions import NextAction
from payments.gateways.base.data import (
    MethodInfo,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    RefundRequest,
    RefundResult,
    SavedMethodResult,
    SaveMethodRequest,
    WebhookEvent,
    WebhookReply,
    WebhookRequest,
)
from payments.gateways.base.errors import GatewayMisuse
from payments.gateways.base.instruments import SavedMethod
from payments.gateways.base.notices import StatementLine
from payments.gateways.base.words import ErrorCode
from pimpshop.core.money import Money


@runtime_checkable
class Gateway(Protocol):
    """The verbs. A verb whose `can_…` is False raises GatewayMisuse(code="not_supported", not_sent=True)."""

    key: str
    account: str
    live: bool
    can_capture: bool
    can_close: bool
    can_refund: bool
    can_save_method: bool
    can_statement: bool
    can_submit_evidence: bool
    tells_amount: bool
    has_webhooks: bool
    webhook_is_proof: bool
    two_step_methods: frozenset[str]

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]: ...
    def create_payment(self, request: PaymentRequest) -> PaymentResult: ...
    def confirm_payment(self, request: PaymentRequest) -> PaymentResult: ...
    def renew_action(self, action: NextAction) -> NextAction: ...
    def query_payment(self, ref: PaymentRef) -> PaymentResult: ...
    def capture_payment(self, ref: PaymentRef, amount: Money) -> PaymentResult: ...
    def close_payment(self, ref: PaymentRef) -> PaymentResult: ...
    def create_refund(self, request: RefundRequest) -> RefundResult: ...
    def query_refund(self, request: RefundRequest) -> RefundResult: ...
    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]: ...
    def acknowledge(self, *, accepted: bool = True) -> WebhookReply: ...
    def save_method(self, request: SaveMethodRequest) -> SavedMethodResult: ...
    def query_saved_method(self, setup_ref: str) -> SavedMethodResult: ...
    def delete_method(self, method: SavedMethod) -> None: ...
    def statement(self, day: date) -> Sequence[StatementLine]: ...
    def submit_evidence(self, dispute_ref: str, text: str, *, idempotency_key: str, subject: str) -> None: ...


class GatewayDefaults:
    """What a gateway inherits: every capability off, every optional verb refusing without a call."""

    key = ""
    account = ""
    live = False
    can_capture = False
    can_close = False
    can_refund = False
    can_save_method = False
    can_statement = False
    can_submit_evidence = False
    # False: query_payment gives amount None, the amount was fixed when the payment was created
    tells_amount = True
    has_webhooks = True  # False: nobody posts to it, its door is none
    webhook_is_proof = True  # False: every event is a hint
    # Methods made in two steps, so that a lost answer is survived: create_payment makes the payment without the
    # instrument (status CREATED with a provider_ref), that is committed, then confirm_payment pays it.
    two_step_methods: frozenset[str] = frozenset()

    def _refuse(self, verb: str) -> GatewayMisuse:
        return GatewayMisuse(f"{self.key} cannot {verb}", code=ErrorCode.NOT_SUPPORTED, not_sent=True)

    def confirm_payment(self, request: PaymentRequest) -> PaymentResult:
        raise self._refuse("confirm")

    def renew_action(self, action: NextAction) -> NextAction:
        """The same next action for somebody who asks for it again later, signed anew where it carries a time. No call."""
        return action

    def capture_payment(self, ref: PaymentRef, amount: Money) -> PaymentResult:
        raise self._refuse("capture")

    def close_payment(self, ref: PaymentRef) -> PaymentResult:
        raise self._refuse("close")

    def create_refund(self, request: RefundRequest) -> RefundResult:
        raise self._refuse("refund")

    def query_refund(self, request: RefundRequest) -> RefundResult:
        raise self._refuse("query a refund")

    def save_method(self, request: SaveMethodRequest) -> SavedMethodResult:
        raise self._refuse("save a method")

    def query_saved_method(self, setup_ref: str) -> SavedMethodResult:
        raise self._refuse("save a method")

    def delete_method(self, method: SavedMethod) -> None:
        raise self._refuse("delete a method")

    def statement(self, day: date) -> Sequence[StatementLine]:
        """The provider's lines of one day (its own day: Shanghai's at WeChat Pay and Alipay, UTC elsewhere)."""
        raise self._refuse("give a statement")

    def submit_evidence(self, dispute_ref: str, text: str, *, idempotency_key: str, subject: str) -> None:
        """Answer a dispute with `text`, for good. Raises GatewayError."""
        raise self._refuse("take evidence")
