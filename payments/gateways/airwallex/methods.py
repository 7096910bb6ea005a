"""What Airwallex offers here: a card, a token of one, a saved one. Data alone.

WeChat Pay and Alipay have gateways of their own, and there is no hosted page to be sent to.
"""

from __future__ import annotations

from collections.abc import Sequence

from payments.gateways.airwallex import wire
from payments.gateways.base import FieldInfo, MethodInfo, Redirect
from pimpshop.core.money import Money

CARD, TOKEN, SAVED_CARD = "card", "token", "saved_card"
ALL = frozenset({CARD, TOKEN, SAVED_CARD})

#: Seed 5's required_fields of a card.
CARD_FIELDS = (
    FieldInfo(
        name="number", label="Card number", field_type="card_number", pattern=r"^[\d\s]{13,19}$",
        placeholder="1234 5678 9012 3456",
    ),
    FieldInfo(
        name="exp_month", label="Expiry month", field_type="expiry_date", pattern="^(0[1-9]|1[0-2])$",
        placeholder="MM",
    ),
    FieldInfo(
        name="exp_year", label="Expiry year", field_type="expiry_date", pattern="^20[2-9][0-9]$", placeholder="YYYY",
    ),
    FieldInfo(name="cvc", label="Security code", field_type="cvc", pattern=r"^\d{3,4}$", placeholder="123"),
)  # fmt: skip


def offered(currency: str, amount: Money, *, raw_cards: bool) -> Sequence[MethodInfo]:
    """The ways to pay `amount`; none where Airwallex cannot write it. Card numbers only where they may pass through us."""
    if amount.amount_minor <= 0 or amount.currency != currency or not wire.fits(amount):
        return ()
    token = FieldInfo(name="token", label="Token", field_type="token")
    found = (
        _card(CARD, "Card", CARD_FIELDS),
        _card(TOKEN, "Card by token", (token,)),
        _card(SAVED_CARD, "Saved card", (token,)),
    )
    return found if raw_cards else found[1:]


def _card(key: str, label: str, fields: tuple[FieldInfo, ...]) -> MethodInfo:
    return MethodInfo(
        key=key, label=label, action_kind=Redirect.kind, supports_3ds=True, supports_tokenization=True,
        supports_recurring=True, required_fields=fields, currencies=wire.CURRENCIES,
    )  # fmt: skip
