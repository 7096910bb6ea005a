"""Our price beside the one at Stripe: in what they differ. Reads rows; asks nobody.

Lives here: the comparison. Not here: asking Stripe (payments.services.stripe_prices), words (admin.at_stripe).
Guarantee: two statements for any number of products. Stripe opens no page for a price that differs, so nobody is charged
another price than ours; but nobody can pay there either.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.models import Price, PriceAtStripe
from pimpshop.core.money import Money


class Differs(enum.StrEnum):
    """In what; the words are the desk's."""

    UNKNOWN = "unknown"  # Stripe has no such price
    INACTIVE = "inactive"
    AGAIN = "again"  # it is paid again and again there; ours is paid once
    NO_AMOUNT = "no_amount"
    NOT_SOLD = "not_sold"  # we have no price in its currency
    AMOUNT = "amount"


@dataclass(frozen=True)
class Difference:
    what: Differs
    ours: Money | None = None
    theirs: Money | None = None
    detail: str = ""


def of(rows: Iterable[PriceAtStripe]) -> dict[int, list[Difference]]:
    """Product pk -> differences, for those that Stripe has answered about; an empty list: the same."""
    answered = [row for row in rows if row.is_found is not None]
    counting = Price.objects.counting().filter(product__in=[row.product_id for row in answered])
    ours = {(price.product_id, price.currency): price.money for price in counting} if answered else {}
    return {row.product_id: _differences(row, ours.get((row.product_id, row.currency))) for row in answered}


def _differences(row: PriceAtStripe, ours: Money | None) -> list[Difference]:
    if not row.is_found:
        return [Difference(Differs.UNKNOWN, detail=row.price_id)]
    found = [] if row.is_active else [Difference(Differs.INACTIVE)]
    if row.interval:
        found.append(Difference(Differs.AGAIN, detail=row.interval))
    if row.amount_minor is None:
        return [*found, Difference(Differs.NO_AMOUNT)]
    theirs = Money(row.amount_minor, row.currency)
    if ours is None:
        return [*found, Difference(Differs.NOT_SOLD, theirs=theirs)]
    if ours != theirs:
        found.append(Difference(Differs.AMOUNT, ours=ours, theirs=theirs))
    return found
