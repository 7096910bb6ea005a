"""What Stripe says that our plans and packs cost, asked in the background; a difference is put before a person.

Lives here: the rows that say when Stripe is asked next, asking, and the item. Not here: the comparison (catalog.services.
stripe_prices). Guarantees: one price is asked by one process at a time (a lease), outside of any transaction; an answer about
an id that the product no longer has is dropped; the item opens once per product and closes by itself when the difference is
gone, also when one of our own prices starts or Stripe's is put right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from django.utils import timezone

from catalog.models import CreditPack, Plan, PriceAtStripe
from catalog.services import stripe_prices as comparison
from payments import registry
from payments.gateways import base
from payments.services import staff_kinds
from pimpshop.core import staff_items

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=6)
AGAIN = timedelta(minutes=15)
LEASE = timedelta(minutes=2)
_NEVER_ASKED: dict[str, Any] = {
    "is_found": None, "is_active": False, "amount_minor": None, "currency": "", "interval": "", "checked_at": None, "error": "",
}  # fmt: skip


def due(limit: int = 20) -> Sequence[int]:
    """Rows to ask about, the longest waiting first; none while Stripe is not configured."""
    if "stripe" not in registry.configured():
        return []
    rows = PriceAtStripe.objects.filter(due_at__lte=timezone.now()).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def ask_soon(product_id: int) -> bool:
    """Staff: let Stripe be asked at once. False: this product has no price there."""
    keep_rows()
    return bool(PriceAtStripe.objects.filter(product_id=product_id).update(due_at=timezone.now()))


def ask(pk: int) -> bool:
    """Ask Stripe about one row and write down what it says. Answers whether it said something."""
    row = _lease(pk)
    if row is None:
        return False
    gateway: Any = registry.get("stripe")
    now = timezone.now()
    try:
        listed = gateway.price(row.price_id)
    except base.GatewayError as error:
        log.warning("stripe_price_not_read", price_id=row.price_id, code=error.code)
        PriceAtStripe.objects.filter(pk=pk).update(
            error=f"{error.code}: {error.message}"[:200], due_at=now + AGAIN
        )
        return False
    told = {**_NEVER_ASKED, "is_found": listed is not None, "checked_at": now, "due_at": now + EVERY}
    if listed is not None:
        told |= {
            "is_active": listed.is_active, "currency": listed.currency, "interval": listed.interval,
            "amount_minor": listed.amount.amount_minor if listed.amount else None,
        }  # fmt: skip
    done = PriceAtStripe.objects.filter(pk=pk, price_id=row.price_id).update(**told, updated_at=now)
    return bool(done)


def _lease(pk: int) -> PriceAtStripe | None:
    """Take the row for a while; None when it is not due or somebody else has it. One statement."""
    now = timezone.now()
    won = PriceAtStripe.objects.raw(
        "UPDATE catalog_priceatstripe SET due_at = %s WHERE id = %s AND due_at <= %s RETURNING *",
        [now + LEASE, pk, now],
    )
    return next(iter(won), None)


def _wanted() -> dict[int, str]:
    """Product pk -> price id, of what is sold and has one."""
    sold = [
        kind.objects.filter(is_active=True, stripe_price_id__gt="").values_list("pk", "stripe_price_id")
        for kind in (Plan, CreditPack)
    ]
    return {pk: str(price_id) for rows in sold for pk, price_id in rows}


def keep_rows() -> int:
    """A row for each product with a price id; another id is asked about anew."""
    wanted = _wanted()
    known = dict(PriceAtStripe.objects.values_list("product_id", "price_id"))
    gone = set(known) - set(wanted)
    if gone:
        PriceAtStripe.objects.filter(product__in=gone).delete()
    new = [PriceAtStripe(product_id=pk, price_id=wanted[pk]) for pk in wanted if pk not in known]
    PriceAtStripe.objects.bulk_create(new, ignore_conflicts=True)
    other = [pk for pk, price_id in known.items() if pk in wanted and wanted[pk] != price_id]
    for pk in other:
        PriceAtStripe.objects.filter(product_id=pk).update(
            price_id=wanted[pk], due_at=timezone.now(), **_NEVER_ASKED
        )
    return len(gone) + len(new) + len(other)


def tell() -> int:
    """An item for each difference; those whose difference is gone are closed."""
    rows = list(PriceAtStripe.objects.select_related("product").order_by("pk"))
    differ = comparison.of(rows)
    found = {
        row.product.sku: {
            "title": f"{row.product.name} ({row.product.sku}) and its price {row.price_id} at Stripe differ",
            "detail": "\n".join(_line(one) for one in differ[row.product_id]),
            "price_id": row.price_id,
        }
        for row in rows
        if differ.get(row.product_id)
    }
    return staff_items.keep(kind=staff_kinds.PRICES_KIND, found=found, passed="they are the same again")


def _line(one: comparison.Difference) -> str:
    facts = {"ours": one.ours, "theirs": one.theirs, "detail": one.detail}
    return f"{one.what}: " + ", ".join(f"{name} {value}" for name, value in facts.items() if value)
