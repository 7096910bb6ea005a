"""What may be offered to pay with: methods, their fields, currencies and limits (seed 5's method list). Pure."""

from __future__ import annotations

from payments.gateways.base import FieldInfo, MethodInfo, Redirect
from payments.gateways.stripe import money
from pimpshop.core.money import Money

#: As seed 5 shows them; the labels are English msgids, the API translates them.
CARD_FIELDS = (
    FieldInfo(name="number", label="Card number", field_type="card_number", pattern=r"^[\d\s]{13,19}$",
              placeholder="1234 5678 9012 3456"),
    FieldInfo(name="exp_month", label="Expiry month", field_type="expiry_date", pattern="^(0[1-9]|1[0-2])$",
              placeholder="MM"),
    FieldInfo(name="exp_year", label="Expiry year", field_type="expiry_date", pattern="^20[2-9][0-9]$",
              placeholder="YYYY"),
    FieldInfo(name="cvc", label="Security code", field_type="cvc", pattern=r"^\d{3,4}$", placeholder="123"),
)  # fmt: skip
BANK_FIELDS = (
    FieldInfo(name="account_number", label="Account number", field_type="account_number", pattern=r"^\d{4,17}$",
              placeholder="000123456789"),
    FieldInfo(name="routing_number", label="Routing number", field_type="routing_number", pattern=r"^\d{9}$",
              placeholder="110000000"),
    FieldInfo(name="account_holder_name", label="Account holder", field_type="text"),
    FieldInfo(name="bank_name", label="Bank", field_type="text", required=False),
)  # fmt: skip
#: Made without the instrument, committed, then confirmed with it.
TWO_STEP = frozenset({"card", "token", "saved_card", "bank_transfer"})


def methods(currency: str, amount: Money, *, raw_cards: bool) -> tuple[MethodInfo, ...]:
    """The methods for `amount`; none below Stripe's smallest or above its largest charge."""
    if currency not in money.CURRENCIES or amount.currency != currency:
        return ()
    least, most = money.smallest(currency), money.largest(currency)
    if not least <= amount <= most:
        return ()
    bank = currency == "USD"
    common = {"min_amount": least, "max_amount": most, "currencies": money.CURRENCIES}
    card = {"supports_3ds": True, "supports_tokenization": True, "supports_recurring": True}
    found = [
        MethodInfo(key="checkout", label="Credit or debit card", action_kind=Redirect.kind, requires_redirect=True,
                   **card, **common),  # type: ignore[arg-type]
        MethodInfo(key="card", label="Credit or debit card", required_fields=CARD_FIELDS, **card, **common),  # type: ignore[arg-type]
        MethodInfo(key="token", label="Credit or debit card", **card, **common),  # type: ignore[arg-type]
        MethodInfo(key="saved_card", label="Saved card", **card, **common),  # type: ignore[arg-type]
        MethodInfo(key="bank_transfer", label="US bank transfer", required_fields=BANK_FIELDS,
                   **(common | {"currencies": ("USD",)})),  # type: ignore[arg-type]
    ]  # fmt: skip
    hidden = set() if raw_cards else {"card"}
    return tuple(m for m in found if m.key not in hidden and (bank or m.key != "bank_transfer"))
