"""The gateway `stripe`: the verbs of the port, each one handed to its aggregate's module. No rule lives here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from payments.gateways.base import (
    ErrorCode,
    ErrorDetail,
    Flag,
    GatewayDefaults,
    GatewayMisuse,
    GatewayUnavailable,
    MethodInfo,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    RefundRequest,
    RefundResult,
    SavedMethod,
    SavedMethodResult,
    SaveMethodRequest,
    StatementLine,
    WebhookEvent,
    WebhookReply,
    WebhookRequest,
)
from payments.gateways.stripe import (
    attempts,
    checkout,
    events,
    objects,
    offers,
    reading,
    refunds,
    saved,
    statements,
)
from payments.gateways.stripe.config import Config
from payments.gateways.stripe.wire import Api
from pimpshop.core.money import Money


def _reply(accepted: bool, message: str) -> WebhookReply:
    told: dict[str, Any] = {"success": accepted, "gateway": "stripe", "message": message}
    return WebhookReply(body=json.dumps(told, ensure_ascii=False).encode(), status=200 if accepted else 400)


_TAKEN, _REFUSED = _reply(True, "Webhook 已处理"), _reply(False, "Webhook 被拒绝")


class StripeGateway(GatewayDefaults):
    """Stripe with one account's key."""

    key = "stripe"
    can_capture = True
    can_close = True
    can_refund = True
    can_submit_evidence = True
    can_save_method = True
    can_statement = True
    two_step_methods = offers.TWO_STEP

    def __init__(self, config: Config) -> None:
        self._config = config
        self.account = config.account
        self.live = config.live

    @cached_property
    def _api(self) -> Api:
        """Made by the first call that leaves: a webhook, which is most of what comes, makes none."""
        return Api(self._config)

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]:
        """The methods for `amount`; card numbers only where they are allowed."""
        return offers.methods(currency, amount, raw_cards=self._config.raw_cards)

    def create_payment(self, request: PaymentRequest) -> PaymentResult:
        """`checkout`: the hosted page, REQUIRES_ACTION with its address. The two-step methods: a PaymentIntent without
        an instrument, CREATED with its id; nothing can be charged before `confirm_payment`. Raises GatewayError."""
        if request.method == reading.CHECKOUT:
            return self._session(checkout.create(self._api, request), request.out_trade_no)
        if request.method not in offers.TWO_STEP:
            raise GatewayMisuse("no such method", code=ErrorCode.METHOD_UNAVAILABLE, not_sent=True)
        return self._intent(attempts.create(self._api, request), request.out_trade_no)

    def confirm_payment(self, request: PaymentRequest) -> PaymentResult:
        """Pay with the instrument. A declined card is FAILED with its reason in `error`; 3-D Secure is REQUIRES_ACTION
        with a Redirect. Raises GatewayError."""
        paid = attempts.confirm(self._api, request, raw_cards=self._config.raw_cards)
        return self._intent(paid, request.out_trade_no)

    def query_payment(self, ref: PaymentRef) -> PaymentResult:
        """The truth about an attempt, with charge, receipt and refunds; an unknown one is CREATED with `not_found`."""
        try:
            return self._look(ref)
        except GatewayMisuse as exc:
            if exc.code != ErrorCode.NOT_FOUND:
                raise
        return PaymentResult(
            status=PaymentStatus.CREATED,
            provider_ref=ref.provider_ref,
            out_trade_no=ref.out_trade_no,
            account=self.account,
            live=self.live,
            flags=(Flag.NOT_FOUND,),
        )

    def _look(self, ref: PaymentRef) -> PaymentResult:
        subject = _subject(ref)
        if ref.provider_ref.startswith("cs_"):
            return self._session(
                checkout.get(self._api, ref.provider_ref, subject=subject), ref.out_trade_no, ref.provider_ref
            )
        if ref.provider_ref:
            return self._intent(
                attempts.get(self._api, ref.provider_ref, subject=subject), ref.out_trade_no, ref.provider_ref
            )
        hosted = ref.method in ("", reading.CHECKOUT)
        search = checkout.find if hosted else attempts.find
        found = search(self._api, ref.out_trade_no, subject=subject)
        if found is None:
            raise GatewayMisuse("not there", code=ErrorCode.NOT_FOUND)
        return self._session(found, ref.out_trade_no) if hosted else self._intent(found, ref.out_trade_no)

    def capture_payment(self, ref: PaymentRef, amount: Money) -> PaymentResult:
        """Take `amount` of an authorized payment. Raises GatewayError (ALREADY_CAPTURED, PAYMENT_CLOSED)."""
        subject = _subject(ref)
        paid = attempts.capture(
            self._api, self._transaction(ref), amount, key=ref.idempotency_key, subject=subject
        )
        result = self._intent(paid, ref.out_trade_no)
        return replace(result, provider_ref=ref.provider_ref or result.provider_ref)

    def close_payment(self, ref: PaymentRef) -> PaymentResult:
        """End an attempt: a page is expired, a PaymentIntent cancelled. One that was paid meanwhile says so."""
        subject = _subject(ref)
        if ref.provider_ref.startswith("cs_"):
            session = checkout.expire(self._api, ref.provider_ref, subject=subject)
            result = self._session(session, ref.out_trade_no, ref.provider_ref)
            if result.status == PaymentStatus.AUTHORIZED:
                return self._void(result, ref)
            return result
        if ref.provider_ref:
            paid = attempts.cancel(self._api, ref.provider_ref, subject=subject)
            return self._intent(paid, ref.out_trade_no, ref.provider_ref)
        known = self.query_payment(ref)
        return (
            self.close_payment(replace(ref, provider_ref=known.provider_ref)) if known.provider_ref else known
        )

    def _void(self, result: PaymentResult, ref: PaymentRef) -> PaymentResult:
        """A finished page whose money is only held: give the hold back."""
        paid = attempts.cancel(self._api, result.transaction_ref, subject=_subject(ref))
        return replace(self._intent(paid, ref.out_trade_no), provider_ref=ref.provider_ref)

    def _transaction(self, ref: PaymentRef) -> str:
        if ref.transaction_ref or not ref.provider_ref.startswith("cs_"):
            return ref.transaction_ref or ref.provider_ref
        session = checkout.get(self._api, ref.provider_ref, subject=_subject(ref))
        return reading.ref(session, "payment_intent")

    def create_refund(self, request: RefundRequest) -> RefundResult:
        """Give money back. Raises GatewayError (ALREADY_REFUNDED, REFUND_AMOUNT_INVALID, METHOD_UNAVAILABLE)."""
        return refunds.create(self._api, request)

    def query_refund(self, request: RefundRequest) -> RefundResult:
        """How a refund stands. Raises GatewayError."""
        return refunds.query(self._api, request)

    def save_method(self, request: SaveMethodRequest) -> SavedMethodResult:
        """Keep a method for a customer. Raises GatewayError."""
        return saved.save(self._api, request, raw_cards=self._config.raw_cards)

    def query_saved_method(self, setup_ref: str) -> SavedMethodResult:
        """How the saving `setup_ref` (seti_…) stands, after 3-D Secure. Raises GatewayError."""
        return saved.query(self._api, setup_ref)

    def delete_method(self, method: SavedMethod) -> None:
        """Detach a kept method. Raises GatewayError."""
        saved.delete(self._api, method)

    def statement(self, day: date) -> Sequence[StatementLine]:
        """The account's lines of one UTC day. Raises GatewayError."""
        return tuple(statements.lines(self._api, day))

    def submit_evidence(self, dispute_ref: str, text: str, *, idempotency_key: str, subject: str) -> None:
        """Answer a dispute, for good. https://docs.stripe.com/api/disputes/update. Raises GatewayError."""
        refunds.submit_evidence(self._api, dispute_ref, text, key=idempotency_key, subject=subject)

    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]:
        """The event of a signed, fresh post of our account and mode. Raises WebhookRejected."""
        return (events.read(post, self._config),)

    def acknowledge(self, *, accepted: bool = True) -> WebhookReply:
        """Seed 5's answer; any 2xx is enough for Stripe."""
        return _TAKEN if accepted else _REFUSED

    def fetch(self, kind: str, ident: str) -> dict[str, Any]:
        """An object as Stripe has it now, for the mirror of staff. Raises GatewayError."""
        return objects.fetch(self._api, kind, ident)

    def price(self, ident: str) -> objects.ListedPrice | None:
        """A price as Stripe lists it now; None when it has none with that id. Raises GatewayError."""
        return objects.price(self._api, ident)

    def prices(self) -> Iterator[dict[str, Any]]:
        """The price list, each price with its product. Raises GatewayError."""
        return self._api.pages("prices", {"expand": ["data.product"]})

    def _session(self, session: dict[str, Any], out_trade_no: str, ref: str = "") -> PaymentResult:
        return _about_ours(reading.session_result(session, self._config), out_trade_no, ref)

    def _intent(self, intent: dict[str, Any], out_trade_no: str, ref: str = "") -> PaymentResult:
        result = _about_ours(reading.intent_result(intent, self._config), out_trade_no, ref)
        if result.status == PaymentStatus.FAILED and result.error is None:
            return replace(result, error=ErrorDetail(code=ErrorCode.CARD_DECLINED))
        return result


def _subject(ref: PaymentRef) -> str:
    return ref.order_no or ref.out_trade_no


def _about_ours(result: PaymentResult, out_trade_no: str, ref: str) -> PaymentResult:
    """The result, if it is about the payment that was asked about. Raises GatewayUnavailable."""
    other = ref and result.provider_ref and result.provider_ref != ref
    if other or not (result.transaction_ref or result.provider_ref) or result.out_trade_no != out_trade_no:
        raise GatewayUnavailable("the answer is about another payment", code=ErrorCode.BAD_ANSWER)
    return result
