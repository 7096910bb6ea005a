"""The gateway `airwallex`: cards, their tokens and saved cards through Airwallex's Payment Acceptance.

Lives here: the verbs. Not here: objects' meaning (objects), saved cards (saved), refunds (refunds), signed posts
(events), the wire (client, wire, words). Source: "Payment Acceptance", API version 2025-06-30.

Guarantees: a payment is made in two steps (create without a card, commit, confirm), so a lost answer never charges
twice; every request_id follows from the row's key, and one that was used already is looked up; an intent counts only
with our number, and with our payment's id in its metadata where it has one (another database of this account may use
the same numbers); a success needs the exact amount to be readable. A declined intent stays open there, but only we could confirm it again: its
client_secret is never given out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from payments.gateways import base
from payments.gateways.airwallex import events, methods, objects, refunds, saved, wire, words
from payments.gateways.airwallex.client import Client, Config
from pimpshop.core.money import Money

LONGEST_DESCRIPTOR = 32
#: Ids that one capture or cancel of a payment may use up.
MOST_TRIES = 5
#: In these a capture, or a cancel, has not had its effect.
_MOVABLE = {
    "capture": (base.PaymentStatus.AUTHORIZED,),
    "cancel": (
        base.PaymentStatus.CREATED, base.PaymentStatus.REQUIRES_ACTION, base.PaymentStatus.AUTHORIZED,
        base.PaymentStatus.FAILED,
    ),
}  # fmt: skip


class AirwallexGateway(base.GatewayDefaults):
    """One account at Airwallex."""

    key = "airwallex"
    can_capture = True
    can_close = True
    can_refund = True
    can_save_method = True
    can_statement = True
    two_step_methods = methods.ALL

    def __init__(self, config: Config) -> None:
        self._config = config
        self.account = config.account_id
        self.live = config.live

    def methods(self, currency: str, amount: Money) -> Sequence[base.MethodInfo]:
        """Card (where numbers may pass through us), token, saved card."""
        return methods.offered(currency, amount, raw_cards=self._config.raw_cards)

    # --- payments ---

    def create_payment(self, request: base.PaymentRequest) -> base.PaymentResult:
        """Make the intent, without a card: CREATED with a provider_ref. `resend` looks first.

        Raises GatewayUnavailable, GatewayDeclined, GatewayMisuse.
        """
        amount = wire.to_wire(request.amount)
        if request.method not in methods.ALL:
            raise base.GatewayMisuse("no such method", code=base.ErrorCode.NOT_SUPPORTED, not_sent=True)
        client = self._client(request.order_no, saved.hidden(None, request.customer))
        if request.resend:
            found = self._find(client, request.out_trade_no, request.intent_id)
            if found is not None:
                return self._result(found, request)
        body = self._intent(client, request) | {"amount": amount}
        try:
            return self._result(client.post("payment_intents/create", body), request)
        except base.GatewayError as error:
            found = (
                self._find(client, request.out_trade_no, request.intent_id)
                if words.asks_for_a_look(error)
                else None
            )
            if found is None:
                raise
            return self._result(found, request)

    def _intent(self, client: Client, request: base.PaymentRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "request_id": wire.request_id(request.idempotency_key),
            "currency": request.amount.currency,
            "merchant_order_id": request.out_trade_no,
            "metadata": {**request.metadata, objects.PAYMENT_ID: request.intent_id},
        }
        descriptor = "".join(c for c in request.description if c.isascii() and c.isprintable()).strip()
        optional = {"return_url": request.return_url, "descriptor": descriptor[:LONGEST_DESCRIPTOR].strip()}
        if request.customer and (request.save_method or request.customer.provider_ref):
            optional["customer_id"] = saved.customer(client, request.customer)
        body |= {name: value for name, value in optional.items() if value}
        if request.save_method and request.method != methods.SAVED_CARD:
            body["payment_consent"] = {"next_triggered_by": "customer"}
        return body

    def confirm_payment(self, request: base.PaymentRequest) -> base.PaymentResult:
        """Pay the intent `provider_ref` with the request's instrument. `resend` looks first.

        Back at REQUIRES_PAYMENT_METHOD means failed. Raises GatewayUnavailable, GatewayDeclined, GatewayMisuse.
        """
        ref = wire.checked_id(request.provider_ref)
        how = saved.instrument(request.instrument, raw_cards=self._config.raw_cards)
        client = self._client(request.order_no, saved.hidden(request.instrument, request.customer))
        if request.resend:
            now = self._result(client.get(f"payment_intents/{ref}"), request)
            if now.status != base.PaymentStatus.CREATED:
                return now
        body: dict[str, Any] = {"request_id": wire.request_id(request.idempotency_key, "confirm"), **how}
        body["payment_method_options"] = {"card": {"auto_capture": request.capture}}
        if request.return_url:
            body["return_url"] = request.return_url
        if request.client_ip:
            body["device_data"] = {"ip_address": request.client_ip}
        who = request.instrument.customer_ref if isinstance(request.instrument, base.SavedMethod) else ""
        who = who or (request.customer.provider_ref if request.customer else "")
        body |= {"customer_id": who} if who else {}
        try:
            told = client.post(f"payment_intents/{ref}/confirm", body)
        except base.GatewayError as error:
            if not words.asks_for_a_look(error):
                raise
            return self._result(client.get(f"payment_intents/{ref}"), request)
        return self._result(told, request, after_confirm=True)

    def query_payment(self, ref: base.PaymentRef) -> base.PaymentResult:
        """The intent with its last attempt; CREATED with `not_found` where Airwallex knows none. Raises GatewayError."""
        return self._look(self._about(ref), ref)

    def capture_payment(self, ref: base.PaymentRef, amount: Money) -> base.PaymentResult:
        """Take `amount` of what was authorized, once; what was captured or released before is told as it stands."""
        return self._move(
            ref, "capture", {"amount": wire.to_wire(amount)}, operation=f"capture:{amount.amount_minor}"
        )

    def close_payment(self, ref: base.PaymentRef) -> base.PaymentResult:
        """Cancel the intent, so that nobody can pay it any more; one that was paid meanwhile is told as paid."""
        return self._move(ref, "cancel", {"cancellation_reason": "abandoned"}, operation="cancel")

    def _move(
        self, ref: base.PaymentRef, verb: str, body: dict[str, Any], *, operation: str
    ) -> base.PaymentResult:
        """One state change of an intent. An id that was used for a try without effect (it was refused, or failed there)
        is never taken again, so the next one of the row's follows: the intent's own state lets it happen once."""
        client = self._about(ref)
        intent_ref = ref.provider_ref
        if not intent_ref:
            intent_ref = wire.text((self._find(client, ref.out_trade_no, ref.intent_id) or {}).get("id"), 100)
        if not intent_ref:
            return self._unknown(ref)
        row, path = (
            ref.idempotency_key or ref.out_trade_no,
            f"payment_intents/{wire.checked_id(intent_ref)}/{verb}",
        )
        for marked in (operation, *(f"{operation}:{again}" for again in range(2, MOST_TRIES + 1))):
            try:
                told = client.post(path, {"request_id": wire.request_id(row, marked), **body})
            except base.GatewayError as error:
                if not (words.asks_for_a_look(error) or words.is_missing(error)):
                    raise
                now = self._look(client, ref)
                if error.provider_code != words.REPEATED or now.status not in _MOVABLE[verb]:
                    return now
            else:
                return self._result(told, ref)
        return now

    def _look(self, client: Client, ref: base.PaymentRef) -> base.PaymentResult:
        found: Mapping[str, Any] | None
        if ref.provider_ref:
            try:
                found = client.get(f"payment_intents/{wire.checked_id(ref.provider_ref)}")
            except base.GatewayError as error:
                if not words.is_missing(error):
                    raise
                found = None
        else:
            found = self._find(client, ref.out_trade_no, ref.intent_id)
        return self._unknown(ref) if found is None else self._result(found, ref)

    def _unknown(self, ref: base.PaymentRef) -> base.PaymentResult:
        return base.PaymentResult(
            status=base.PaymentStatus.CREATED, provider_ref=ref.provider_ref, out_trade_no=ref.out_trade_no,
            account=self.account, live=self.live, flags=(base.Flag.NOT_FOUND,),
        )  # fmt: skip

    def _find(self, client: Client, out_trade_no: str, payment_id: str) -> Mapping[str, Any] | None:
        """Our intent by our number; those of another database of this account are not ours."""
        found = client.items("payment_intents", merchant_order_id=out_trade_no)
        return next((one for one in found if _is_ours(one, out_trade_no, payment_id)), None)

    def _result(
        self,
        told: Mapping[str, Any],
        asked: base.PaymentRequest | base.PaymentRef,
        *,
        after_confirm: bool = False,
    ) -> base.PaymentResult:
        result = objects.payment(told, account=self.account, live=self.live, after_confirm=after_confirm)
        if not _is_ours(told, asked.out_trade_no, asked.intent_id):
            raise base.GatewayUnavailable(
                "the answer is about another payment", code=base.ErrorCode.BAD_ANSWER
            )
        if result.amount is None:
            raise base.GatewayUnavailable("an amount that cannot be read", code=base.ErrorCode.BAD_ANSWER)
        return result

    # --- refunds ---

    def create_refund(self, request: base.RefundRequest) -> base.RefundResult:
        """Give a part or all back. `resend` looks first. Raises GatewayError."""
        return refunds.create(self._client(request.out_trade_no), request)

    def query_refund(self, request: base.RefundRequest) -> base.RefundResult:
        """How the refund stands; CREATED with `not_found` where there is none. Raises GatewayError."""
        return refunds.query(self._client(request.out_trade_no), request)

    # --- saved cards ---

    def save_method(self, request: base.SaveMethodRequest) -> base.SavedMethodResult:
        """Keep a card as a verified payment consent; 3DS may come first. Raises GatewayError."""
        hidden = saved.hidden(request.instrument, request.customer)
        return saved.save(self._client("", hidden), request, raw_cards=self._config.raw_cards)

    def query_saved_method(self, setup_ref: str) -> base.SavedMethodResult:
        """How the consent stands. Raises GatewayError."""
        return saved.query(self._client(""), setup_ref)

    def delete_method(self, method: base.SavedMethod) -> None:
        """Disable the consent. Idempotent. Raises GatewayError."""
        saved.disable(self._client("", saved.hidden(method)), method)

    # --- posts and statements ---

    def read_webhook(self, post: base.WebhookRequest) -> Sequence[base.WebhookEvent]:
        """The event of a signed post; none for what is about no payment. Raises WebhookRejected."""
        return events.read(
            post, key=self.key, account=self.account, live=self.live, secrets=self._config.webhook_secrets
        )

    def acknowledge(self, *, accepted: bool = True) -> base.WebhookReply:
        """200 is enough for Airwallex; the words are seed 5's."""
        said = "Webhook 已处理" if accepted else "Webhook 被拒绝"
        told = {"success": accepted, "gateway": self.key, "message": said}
        return base.WebhookReply(
            body=json.dumps(told, ensure_ascii=False).encode(), status=200 if accepted else 400
        )

    def statement(self, day: date) -> Sequence[base.StatementLine]:
        """Intents with captured money and refunds that did not fail, by the UTC day that they were created on."""
        client = self._client(f"statement {day}")
        start = datetime.combine(day, time.min, UTC)
        end = start + timedelta(days=1)
        lines: list[base.StatementLine | None] = []
        for intent in self._of_day(client, "payment_intents", start, end):
            amount = wire.from_wire(intent.get("captured_amount"), intent.get("currency"))
            lines.append(objects.line(intent, "payment", amount))
        for refund in self._of_day(client, "refunds", start, end):
            if objects.refund(refund).status != base.RefundStatus.FAILED:
                amount = wire.from_wire(refund.get("amount"), refund.get("currency"))
                lines.append(objects.line(refund, "refund", amount))
        return [line for line in lines if line is not None]

    def _of_day(
        self, client: Client, path: str, start: datetime, end: datetime
    ) -> Iterator[Mapping[str, Any]]:
        span = {
            "from_created_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "to_created_at": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        }
        for thing in client.items(path, **span):
            at = wire.moment(thing.get("created_at"))
            if at is not None and start <= at < end:
                yield thing

    def _client(self, subject: str, hidden: tuple[str, ...] = ()) -> Client:
        return Client(self._config, subject=subject, hidden=hidden)

    def _about(self, ref: base.PaymentRef) -> Client:
        return self._client(ref.order_no or ref.out_trade_no)


def _is_ours(told: Mapping[str, Any], out_trade_no: str, payment_id: str) -> bool:
    mark = objects.mark(told, objects.PAYMENT_ID)
    return told.get("merchant_order_id") == out_trade_no and (not payment_id or mark in ("", payment_id))
