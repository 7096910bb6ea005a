"""Pay at the machine: the manufacturer's card reader and cash box as a gateway.

create = payData (pay_type 5), next action = "pay at the machine", query = getPayStatus, webhook = its payStatus post.
Lives here: that translation. Not here: printing (vending.services), the calls themselves (vending.manufacturer).
Source: the manufacturer's document, "Calls", "Codes" and "What the manufacturer sends to us".

Guarantees: the post is unsigned (or signed with MD5 and no clock), so every event is a hint (`confirmed` False) and
only a query proves a payment. The provider names no amount in a query: it was fixed by payData. There is no close
and no refund. `out_trade_no` (PYEN) is the idempotency key on the wire: the provider knows no other.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from payments.gateways.base import (
    ErrorCode,
    ErrorDetail,
    Flag,
    GatewayDeclined,
    GatewayDefaults,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    MachinePrompt,
    MethodInfo,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    PaymentStatus,
    WebhookEvent,
    WebhookRejected,
    WebhookReply,
    WebhookRequest,
)
from pimpshop.core import redaction
from pimpshop.core.money import Money
from vending import manufacturer

log = logging.getLogger(__name__)

MAX_POST = 256 * 1024

STATUS: dict[str, PaymentStatus] = {
    manufacturer.Payment.WAITING: PaymentStatus.REQUIRES_ACTION,
    manufacturer.Payment.PAYING: PaymentStatus.PROCESSING,
    manufacturer.Payment.PAID: PaymentStatus.SUCCEEDED,
    manufacturer.Payment.FAILED: PaymentStatus.FAILED,
    manufacturer.Payment.ABNORMAL: PaymentStatus.PROCESSING,  # money may have been taken: staff look at it
}

# The first match counts: subclasses stand before their bases. (error, ours, code, surely nothing was done)
ERRORS: list[tuple[type[manufacturer.ManufacturerError], type[GatewayError], ErrorCode, bool]] = [
    (manufacturer.NotSent, GatewayUnavailable, ErrorCode.UNAVAILABLE, True),
    (manufacturer.Unavailable, GatewayUnavailable, ErrorCode.UNAVAILABLE, False),
    (manufacturer.DeviceUnavailable, GatewayDeclined, ErrorCode.DEVICE_UNAVAILABLE, True),
    (manufacturer.DuplicateThirdId, GatewayDeclined, ErrorCode.DUPLICATE_REFERENCE, True),
    (manufacturer.NoPermission, GatewayMisuse, ErrorCode.DEVICE_UNAVAILABLE, True),
    (manufacturer.TokenExpired, GatewayMisuse, ErrorCode.CREDENTIALS, True),
    (manufacturer.AccountUnknown, GatewayMisuse, ErrorCode.CREDENTIALS, True),
    (manufacturer.PaymentUnknown, GatewayMisuse, ErrorCode.NOT_FOUND, True),
    (manufacturer.BadParameter, GatewayMisuse, ErrorCode.INVALID_REQUEST, True),
]

ACKNOWLEDGED = manufacturer.posts.ACKNOWLEDGED
_REFUSED = '{"msg":"参数错误","code":400}'.encode()
_told: set[str] = set()


@dataclass(frozen=True, kw_only=True)
class Config:
    """With `webhook_signed` a post needs the manufacturer's `sign` under `sign_key`; it stays a hint all the same."""

    client: manufacturer.ManufacturerClient
    account: str = ""
    live: bool = False
    webhook_signed: bool = False
    sign_key: str = field(default="", repr=False)


class MachineGateway(GatewayDefaults):
    """The gateway `machine`."""

    key = "machine"
    tells_amount = False
    webhook_is_proof = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self.account = config.account
        self.live = config.live

    def methods(self, currency: str, amount: Money) -> Sequence[MethodInfo]:
        """One method; the machine has no currency of its own on the wire, prices decide what it may sell."""
        if amount.amount_minor <= 0 or amount.currency != currency:
            return ()
        return (MethodInfo(key="machine", label="Pay at the machine", action_kind=MachinePrompt.kind),)

    def create_payment(self, request: PaymentRequest) -> PaymentResult:
        """Announce the payment at the machine. A `resend` looks first: payData cannot be withdrawn or doubled.

        Raises GatewayUnavailable, GatewayDeclined (device_unavailable, duplicate_reference), GatewayMisuse.
        """
        device = request.device
        if device is None or not (device.machine_id and device.mobile_model_id):
            raise GatewayMisuse("a payment at the machine needs a machine and a phone model", not_sent=True)
        if request.amount.amount_minor <= 0:
            raise GatewayMisuse("nothing to pay", code=ErrorCode.AMOUNT_INVALID, not_sent=True)
        prompt = MachinePrompt(machine_id=device.machine_id, reference=request.out_trade_no)
        client = self._config.client.about(request.order_no)
        if request.resend:
            known = self._look(client, request.out_trade_no, prompt)
            if known is not None:
                return known
        try:
            answer = client.pay_data(
                mobile_model_id=device.mobile_model_id,
                device_id=device.machine_id,
                third_id=request.out_trade_no,
                pay_amount=request.amount.to_decimal(),
                pay_type=manufacturer.PayType.CARD_READER,
            )
        except manufacturer.DuplicateThirdId as exc:
            # On a resend it is ours: the first send arrived, whatever a look knows of it by now. On the first one
            # another database of this account took the number, and its payment must never count as ours.
            if not request.resend:
                raise _mapped(exc) from exc
            return self._look(client, request.out_trade_no, prompt) or self._announced(request, prompt)
        except manufacturer.ManufacturerError as exc:
            raise _mapped(exc) from exc
        if answer.third_id and answer.third_id != request.out_trade_no:
            raise GatewayUnavailable("the answer is about another payment", code=ErrorCode.BAD_ANSWER)
        return self._announced(request, prompt, provider_ref=answer.id)

    def _announced(
        self, request: PaymentRequest, prompt: MachinePrompt, *, provider_ref: str = ""
    ) -> PaymentResult:
        """The machine asks for the money now. Its id stays empty when only a refusal as duplicate told us."""
        return PaymentResult(
            status=PaymentStatus.REQUIRES_ACTION,
            provider_ref=provider_ref,
            next_action=prompt,
            raw={"id": provider_ref, "third_id": request.out_trade_no},
            out_trade_no=request.out_trade_no,
            account=self.account,
            live=self.live,
        )

    def query_payment(self, ref: PaymentRef) -> PaymentResult:
        """Ask getPayStatus: the only proof of a payment. An id that it does not know is CREATED with `not_found`.

        Raises GatewayUnavailable, GatewayMisuse.
        """
        found = self._look(self._config.client.about(ref.order_no or ref.out_trade_no), ref.out_trade_no)
        return found or PaymentResult(
            status=PaymentStatus.CREATED,
            provider_ref=ref.provider_ref,
            out_trade_no=ref.out_trade_no,
            account=self.account,
            live=self.live,
            flags=(Flag.NOT_FOUND,),
        )

    def _look(
        self, client: manufacturer.ManufacturerClient, out_trade_no: str, prompt: MachinePrompt | None = None
    ) -> PaymentResult | None:
        try:
            answers = client.get_pay_status([out_trade_no])
        except manufacturer.PaymentUnknown:
            return None
        except manufacturer.ManufacturerError as exc:
            raise _mapped(exc) from exc
        word = next((answer.status for answer in answers if answer.third_id == out_trade_no), None)
        if word is None:
            return None
        status, flags = _status(word)
        failed = status == PaymentStatus.FAILED
        waiting = status in (PaymentStatus.REQUIRES_ACTION, PaymentStatus.PROCESSING)
        return PaymentResult(
            status=status,
            next_action=prompt if waiting else None,
            raw={"third_id": out_trade_no, "status": word},
            out_trade_no=out_trade_no,
            account=self.account,
            live=self.live,
            error=ErrorDetail(code=ErrorCode.PAYMENT_FAILED, provider_code=word) if failed else None,
            provider_status=word,
            flags=flags,
        )

    def read_webhook(self, post: WebhookRequest) -> Sequence[WebhookEvent]:
        """The hints of a payStatus post, object or array. Raises WebhookRejected."""
        if len(post.body) > MAX_POST:
            raise WebhookRejected("too long", http_status=413)
        if self._config.webhook_signed and not manufacturer.signing.verify(
            post.body, post.header("sign"), self._config.sign_key
        ):
            raise WebhookRejected("sign does not fit", code=ErrorCode.BAD_SIGNATURE, http_status=401)
        try:
            found = manufacturer.posts.payment_posts(post.body)
        except manufacturer.BadMessage as exc:
            raise WebhookRejected(str(exc), code=ErrorCode.BAD_BODY) from exc
        return tuple(self._event(item) for item in found)

    def _event(self, item: manufacturer.posts.PaymentPost) -> WebhookEvent:
        payload = {"third_id": item.third_id, "status": item.status}
        extra = {"pay_type": item.pay_type, "pay_amount": item.pay_amount, "pay_date": item.pay_date}
        payload |= {name: str(value) for name, value in extra.items() if value not in ("", None)}
        return WebhookEvent(
            gateway=self.key,
            account=self.account,
            # It sends none: (third_id, status) stands for it. Anybody can post, so all unknown words are one event.
            event_id="" if item.status in STATUS else f"{item.third_id}:payment_status:unknown",
            kind="payment_status",
            out_trade_no=item.third_id,
            status=_status(item.status)[0],
            provider_status=item.status,
            amount_told=item.pay_amount,
            live=self.live,
            confirmed=False,
            payload=redaction.scrub(payload),
        )

    def acknowledge(self, *, accepted: bool = True) -> WebhookReply:
        """The exact words that stop the repeats; any other answer is repeated up to ten times."""
        if accepted:
            return WebhookReply(body=ACKNOWLEDGED)
        return WebhookReply(body=_REFUSED, status=400)


def _status(word: str) -> tuple[PaymentStatus, tuple[str, ...]]:
    """Our status and flags for the provider's code; an unknown one is processing, logged once."""
    status = STATUS.get(word)
    if status is None:
        if word not in _told and len(_told) < 1000:
            _told.add(word)
            log.warning(
                "unknown payment status of the manufacturer: %s", redaction.scrub_text(word, max_bytes=40)
            )
        return PaymentStatus.PROCESSING, (Flag.UNKNOWN_STATUS,)
    return status, (Flag.ABNORMAL,) if word == manufacturer.Payment.ABNORMAL else ()


def _mapped(exc: manufacturer.ManufacturerError) -> GatewayError:
    unknown = (GatewayUnavailable, ErrorCode.UNAVAILABLE, False)
    kind, code, not_sent = next((entry[1:] for entry in ERRORS if isinstance(exc, entry[0])), unknown)
    return kind(
        str(exc), code=code, provider_code=str(exc.code or ""), not_sent=not_sent, trace_id=exc.trace_id
    )
