"""What goes into a gateway and what comes back, as frozen data.

Guarantees: immutable; amounts are `Money` (integer minor units); times are aware UTC; `raw` and `payload`
were redacted by the gateway before they left it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from payments.gateways.base.actions import NextAction
from payments.gateways.base.instruments import Customer, Instrument, MethodDetails
from payments.gateways.base.words import OUTCOMES, Outcome, PaymentStatus, RefundStatus
from pimpshop.core.money import Money

if TYPE_CHECKING:
    from payments.gateways.base.notices import DisputeNotice

# --- what goes in ---


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a payment at a machine happens: the machine's id and the phone model to be printed for."""

    machine_id: str
    mobile_model_id: str


@dataclass(frozen=True, kw_only=True)
class PaymentRequest:
    """One attempt. `idempotency_key` comes from the row.

    `resend` True: an earlier send of this very request ended with an unknown outcome, so look before sending.
    `instrument` is what the shopper pays with, where it goes through us; None: the provider's page or app asks.
    `capture` False: authorize only. `payer_ref` is the payer at the provider (WeChat's openid). `platform` is the
    shopper's: ios, android, desktop, mini or "". `expires_at` (aware UTC): afterwards nobody may pay any more.
    `notify_url`: where the provider posts. `price_ref`: the provider's own price (Stripe's price_…), if there is one.
    `provider_ref` is set for `confirm_payment`.
    """

    intent_id: str
    out_trade_no: str
    order_no: str
    amount: Money
    method: str
    description: str
    idempotency_key: str
    return_url: str = ""
    locale: str = "en"
    client_ip: str = ""
    device: Device | None = None
    resend: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    cancel_url: str = ""
    notify_url: str = ""
    expires_at: datetime | None = None
    platform: str = ""
    payer_ref: str = ""
    price_ref: str = ""
    provider_ref: str = ""
    instrument: Instrument | None = field(default=None, repr=False)
    customer: Customer | None = None
    save_method: bool = False
    capture: bool = True


@dataclass(frozen=True, kw_only=True)
class PaymentRef:
    """An attempt that exists, for query, capture and close. `provider_ref` is empty if never received.

    `transaction_ref` is the provider's number of the money itself, where it has one of its own (Stripe's pi_… beside
    a cs_…)."""

    intent_id: str
    out_trade_no: str
    amount: Money
    order_no: str = ""
    provider_ref: str = ""
    method: str = ""
    idempotency_key: str = ""
    transaction_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """Give `amount` of the captured `total` back under our `out_refund_no`.

    `provider_ref` and `transaction_ref` name the payment, `refund_ref` the refund at the provider (for a query).
    `resend` True: an earlier send ended with an unknown outcome, so look before sending.
    """

    refund_id: str
    out_refund_no: str
    out_trade_no: str
    amount: Money
    total: Money
    idempotency_key: str
    provider_ref: str = ""
    transaction_ref: str = ""
    refund_ref: str = ""
    reason: str = ""
    notify_url: str = ""
    resend: bool = False


@dataclass(frozen=True, kw_only=True)
class SaveMethodRequest:
    """Keep `instrument` for later payments of `customer`."""

    customer: Customer
    idempotency_key: str
    instrument: Instrument = field(repr=False)
    return_url: str = ""
    client_ip: str = ""


@dataclass(frozen=True, kw_only=True)
class WebhookRequest:
    """A post as it arrived: raw bytes, headers, query, the client's address and when (aware UTC)."""

    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    remote_addr: str = ""

    def header(self, name: str) -> str:
        """The header's value whatever its case; empty when absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), "")


# --- what comes back ---


@dataclass(frozen=True, kw_only=True)
class ErrorDetail:
    """Why an attempt or refund failed: standard `code`, the provider's own code and a redacted message."""

    code: str
    message: str = ""
    provider_code: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentResult:
    """The provider's truth about one attempt.

    `amount` None: the provider does not tell it. Empty `out_trade_no` or `account`, `live` None: likewise.
    `provider_status` is their own word; `raw` is redacted and bounded. `amount` is what was asked for, `captured` what
    was taken (None: all of it, or not told), `refunded` what was given back in all, as the provider counts.
    `saved_ref` and `customer_ref` name the method and the shopper at the provider where they were saved. `payer_email`
    is what the shopper typed there; it is personal, so it is never packed into a stored event.
    """

    status: PaymentStatus
    provider_ref: str = ""
    amount: Money | None = None
    next_action: NextAction | None = None
    error: ErrorDetail | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    out_trade_no: str = ""
    account: str = ""
    live: bool | None = None
    provider_status: str = ""
    flags: tuple[str, ...] = ()
    transaction_ref: str = ""
    captured: Money | None = None
    refunded: Money | None = None
    method_details: MethodDetails | None = None
    receipt_url: str = ""
    saved_ref: str = field(default="", repr=False)
    customer_ref: str = ""
    payer_email: str = field(default="", repr=False)

    @property
    def outcome(self) -> Outcome:
        """One of the five results; whatever is still under way is WAITING."""
        return OUTCOMES.get(self.status, Outcome.WAITING)


@dataclass(frozen=True, kw_only=True)
class RefundResult:
    """The provider's truth about one refund."""

    status: RefundStatus
    provider_ref: str = ""
    amount: Money | None = None
    error: ErrorDetail | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    provider_status: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RefundNotice:
    """A refund as a signed event tells it. `out_refund_no` empty: not one of ours, perhaps made at the provider."""

    status: RefundStatus
    provider_ref: str = ""
    out_refund_no: str = ""
    out_trade_no: str = ""
    payment_ref: str = ""
    amount: Money | None = None
    error: ErrorDetail | None = None
    provider_status: str = ""


@dataclass(frozen=True, kw_only=True)
class SavedMethodResult:
    """What became of saving a method: `method_ref` is empty until it is done; a next action may be needed first."""

    status: PaymentStatus
    method_ref: str = field(default="", repr=False)
    customer_ref: str = ""
    setup_ref: str = ""
    details: MethodDetails | None = None
    next_action: NextAction | None = None
    error: ErrorDetail | None = None


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """One thing a post says. `confirmed` False: a hint; nothing may move before the provider was asked.

    A signed event (`confirmed` True) carries what it says as `payment`, `refund` or `dispute`; a success in it is
    applied as it stands, everything else makes us ask, for events come in any order.

    `amount_told` is the amount in major units as the post states it; it may come without a currency.
    `status` is what the post claims, in our words; `provider_status` in theirs.
    """

    gateway: str
    account: str
    event_id: str
    kind: str
    out_trade_no: str = ""
    provider_ref: str = ""
    status: PaymentStatus | None = None
    provider_status: str = ""
    amount_told: Decimal | None = None
    live: bool | None = None
    confirmed: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)
    payment: PaymentResult | None = None
    refund: RefundNotice | None = None
    dispute: DisputeNotice | None = None

    @property
    def dedupe_key(self) -> str:
        """The provider's event id, or (id, status) where it sends none."""
        return self.event_id or f"{self.out_trade_no or self.provider_ref}:{self.kind}:{self.provider_status}"

    def disagrees_with(self, amount: Money) -> bool:
        """True when the post names an amount and it is not ours (compared as Decimal major units)."""
        return self.amount_told is not None and self.amount_told != amount.to_decimal()


@dataclass(frozen=True, kw_only=True)
class WebhookReply:
    """The answer in the provider's own words."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


@dataclass(frozen=True, kw_only=True)
class FieldInfo:
    """A field that a client must ask the shopper for (seed 5's required_fields)."""

    name: str
    label: str
    field_type: str
    required: bool = True
    pattern: str = ""
    placeholder: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodInfo:
    """A way to pay that a gateway offers. `label` is an English msgid; pages translate it. `key` is what
    `PaymentRequest.method` takes; `method_type` what API clients call it (empty: the key). Limits are inclusive;
    None: none that we know."""

    key: str
    label: str
    action_kind: str = ""
    method_type: str = ""
    requires_redirect: bool = False
    supports_3ds: bool = False
    supports_tokenization: bool = False
    supports_recurring: bool = False
    required_fields: tuple[FieldInfo, ...] = ()
    currencies: tuple[str, ...] = ()
    min_amount: Money | None = None
    max_amount: Money | None = None
