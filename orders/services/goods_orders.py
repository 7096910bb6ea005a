"""Orders for goods without a session at a machine: a pack of credits, a plan, a case for at home or for a named machine.

Rows only; prices are the catalogue's, in the asked currency. Guarantees: the line's snapshot holds all that fulfilment
needs, whatever the catalogue says later; the same known buyer asking for the same thing at the same price within a day
gets the same unpaid order, also when two requests come at once (an advisory lock), and so never pays twice by a double
click or beside a page that is still open. A buyer is known by account, else by e-mail; a guest without an e-mail gets a new order each time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import CreditPack, Design, Plan, Product
from catalog.services import designs
from orders.models import Order, OrderLine
from orders.services import checkout, credit_parts, sent_pictures
from pimpshop.core import ids
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark

#: How long an unpaid order is answered again to the same buyer: well above the hour that its page or code stays open.
REUSE_FOR = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """Who orders. A guest may have an `email` (then what was bought waits for that address) or nothing yet."""

    user: User | None = None
    email: str = ""
    language: str = "en"

    @property
    def key(self) -> str:
        """By what the buyer is known again; "" for nobody."""
        if self.user is not None:
            return f"user:{self.user.pk}"
        return f"email:{self.email.lower()}" if self.email else ""


def order_pack(
    *, pack: CreditPack, currency: str, buyer: Buyer, source: str, reuse: bool = True, **fixed: Any
) -> Order:
    """An order of one pack of credits. `fixed`: `public_id` (the order that has it already is answered as it is),
    `cancel_at`. Raises catalogue.NotSold (no price in `currency`)."""
    facts = {
        "kind": "pack", "credits": pack.credits, "number": pack.number, "description": pack.description,
        "description_zh": pack.description_zh, "image_url": pack.image_url,
    }  # fmt: skip
    return _order_product(
        pack, Order.Kind.CREDITS, facts, currency, buyer, source=source, reuse=reuse, **fixed
    )


def order_plan(*, plan: Plan, currency: str, buyer: Buyer, source: str, reuse: bool = True) -> Order:
    """An order of one term of a plan. Raises catalogue.NotSold (no price in `currency`)."""
    facts = {"kind": "plan", "plan_sku": plan.sku, "points": plan.points, "term_days": plan.term_days}
    return _order_product(plan, Order.Kind.PLAN, facts, currency, buyer, source=source, reuse=reuse)


def order_product(
    *, product: CreditPack | Plan, currency: str, buyer: Buyer, source: str, reuse: bool = True
) -> Order:
    """`order_pack` or `order_plan`, as the product is."""
    if isinstance(product, Plan):
        return order_plan(plan=product, currency=currency, buyer=buyer, source=source, reuse=reuse)
    return order_pack(pack=product, currency=currency, buyer=buyer, source=source, reuse=reuse)


def order_case(
    *,
    design: Design,
    currency: str,
    buyer: Buyer,
    source: str,
    machine_id: str = "",
    template: str = "",
    reuse: bool = True,
) -> Order:
    """An order of a printed case: sent to `machine_id` once it is paid, or waiting until the buyer chooses a machine.

    An open design is frozen now; `template` is what a client with a finished picture calls its template. Whether the
    machine can print is the caller's to ask, before any money is. Raises catalogue.NotSold, sent_pictures.Busy and what
    freezing refuses.
    """
    price = catalogue.case_price(design.shell, currency)
    if design.frozen_at is None:
        with sent_pictures.drawing():
            design = designs.freeze(design)
    third_order_id = ids.next_third_id("OREN")  # before the transaction: it is the day's counter row
    product = design.shell.model.product
    line = OrderLine(
        product_id=product.pk,
        design_id=design.pk,
        shell_id=design.shell.pk,
        unit_minor=price.amount_minor,
        snapshot={
            "kind": "case",
            "name": product.name,
            "sku": product.sku,
            **checkout.case_snapshot(design, third_order_id),
            **checkout.machine_price(design, price, checkout.HOME_CURRENCY),
            **({"template": template} if template else {}),
        },
    )
    return _once(line, Order.Kind.CASE, price, buyer, machine_id=machine_id, source=source, reuse=reuse)


@transaction.atomic
def cancel_unpaid(*, order: Order, source: str, reason: str, actor: str = "") -> bool:
    """End an order that nobody paid; a late payment is still honoured. Credits held for it are free again. Answers whether
    it moved."""
    if not advance(order, "cancelled", source=source, actor=actor, reason=reason, only_from=["pending"]):
        return False
    credit_parts.let_go(order, source=source, reason=reason, actor=actor)
    return True


def _order_product(
    product: Product, kind: str, facts: dict[str, Any], currency: str, buyer: Buyer, *, source: str, reuse: bool,
    **fixed: Any,
) -> Order:  # fmt: skip
    price = catalogue.product_price(product, currency)
    snapshot = {
        "name": product.name,
        "name_zh": product.name_zh,
        "sku": product.sku,
        "stripe_price_id": getattr(product, "stripe_price_id", None) or "",
        **facts,
    }
    line = OrderLine(product_id=product.pk, unit_minor=price.amount_minor, snapshot=snapshot)
    return _once(line, kind, price, buyer, source=source, reuse=reuse, **fixed)


def _once(
    line: OrderLine, kind: str, price: Money, buyer: Buyer, *, source: str, reuse: bool, machine_id: str = "",
    **fixed: Any,
) -> Order:  # fmt: skip
    """The buyer's unpaid order with that very line, or a new one with what is `fixed`."""
    with transaction.atomic():
        if buyer.key:
            _lock(f"order:{buyer.key}:{line.product_id}")
            known = _unpaid(line, kind, price, buyer, machine_id) if reuse else None
            if "public_id" in fixed:
                known = Order.objects.filter(public_id=fixed["public_id"], user=buyer.user).first() or known
            if known is not None:
                return known
        order = Order.objects.create(
            order_no=ids.new_order_no(),
            kind=kind,
            user=buyer.user,
            email=buyer.email or (buyer.user.email if buyer.user else "") or "",
            language=buyer.language,
            currency=price.currency,
            total_minor=price.amount_minor,
            machine_id=machine_id,
            **fixed,
        )
        line.order = order
        line.save()
        remark(order, source=source, reason="created")
        return order


def _unpaid(line: OrderLine, kind: str, price: Money, buyer: Buyer, machine_id: str) -> Order | None:
    """One that will be cancelled by itself stays with the client that ordered it."""
    mine = (
        Order.objects.filter(user=buyer.user)
        if buyer.user
        else Order.objects.filter(user=None, email__iexact=buyer.email)
    )
    # What a pack gives may have changed at the same price; a case is the same by its design.
    same = {"lines__design_id": line.design_id} if line.design_id else {"lines__snapshot": line.snapshot}
    return (
        mine.filter(
            status="pending", kind=kind, currency=price.currency, total_minor=price.amount_minor, session_id="",
            machine_id=machine_id, created_at__gt=timezone.now() - REUSE_FOR, cancel_at=None,
            lines__product_id=line.product_id, **same,
        )
        .order_by("-id")
        .first()
    )  # fmt: skip


def _lock(name: str) -> None:
    """One request at a time, until the caller's transaction ends."""
    digest = hashlib.sha256(name.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])
