"""One day of the account's balance (UTC), line by line, for reconciliation.

Source: https://docs.stripe.com/api/balance_transactions. Amounts are the charge's or refund's own, in the currency of
the sale; the fee is in the currency of the balance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from payments.gateways.base import StatementLine
from payments.gateways.stripe import money, reading, refunds
from payments.gateways.stripe.wire import Api
from pimpshop.core.money import EXPONENTS, Money

#: Stripe's types of balance transactions -> ours. What is not here (payouts, transfers) is not a sale.
KINDS = {
    "charge": "payment",
    "payment": "payment",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "refund",
    "stripe_fee": "fee",
}


def lines(api: Api, day: date) -> Iterator[StatementLine]:
    """The lines of `day`. Raises GatewayError."""
    start = datetime.combine(day, time(), UTC)
    span = {"gte": int(start.timestamp()), "lt": int((start + timedelta(days=1)).timestamp())}
    for entry in api.pages("balance_transactions", {"created": span, "expand": ["data.source"]}):
        line = _line(entry)
        if line is not None:
            yield line


def _line(entry: Mapping[str, Any]) -> StatementLine | None:
    kind = KINDS.get(reading.text(entry, "type"))
    if reading.text(entry, "reporting_category").startswith("dispute"):
        kind = "dispute"
    source = reading.part(entry, "source")
    amount = _amount(source) or _amount(entry)
    if kind is None or amount is None:
        return None
    fee = _positive(entry.get("fee"), entry.get("currency")) if entry.get("fee") else None
    return StatementLine(
        kind=kind,
        amount=amount,
        at=datetime.fromtimestamp(int(entry.get("created") or 0), UTC),
        provider_ref=_ref(kind, source) or reading.text(entry, "id"),
        out_trade_no=reading.number(source),
        out_refund_no=refunds.own_number(source),
        fee=fee,
        provider_status=reading.text(entry, "type"),
    )


def _ref(kind: str, source: Mapping[str, Any]) -> str:
    own = reading.text(source, "id")
    return reading.ref(source, "payment_intent") or own if kind == "payment" else own


def _amount(thing: Mapping[str, Any]) -> Money | None:
    return _positive(thing.get("amount"), thing.get("currency"))


def _positive(minor: object, currency: object) -> Money | None:
    """Money without its sign; None in a currency that the shop does not have."""
    if type(minor) is not int or str(currency).upper() not in EXPONENTS:
        return None
    return money.from_wire(abs(minor), currency)
