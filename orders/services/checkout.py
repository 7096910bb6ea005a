"""Checkout: an order is made from a frozen design at a price that we set.

Guarantees: the client's price is only ever compared; one order per session content, whoever repeats the request; an
order that a newer one replaces is cancelled with an event. No call leaves; freezing (rendering) happens before.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import Design
from orders.models import Order, OrderLine
from orders.services import credit_parts
from pimpshop.core import errors, ids
from pimpshop.core.money import InvalidAmount, Money, UnknownCurrency
from pimpshop.core.states import advance, remark
from vending.models import VendingSession
from vending.services import sessions

#: Each order of a session keeps a picture for good.
MAX_ORDERS_PER_SESSION = 10
CREDITS = "CREDITS"
#: What a case at home costs in money, where the manufacturer must be told something.
HOME_CURRENCY = "GBP"


class TooManyOrders(errors.Conflict):
    code = "too_many_orders"
    message = _(
        "The order of this session was changed too often. Nothing was charged. Please scan the machine's code again."
    )


class PriceDiffers(errors.Conflict):
    code = "price_mismatch"
    message = _("The price has changed. Nothing was charged. Please look at the new price and try again.")


def check_price(told: Money | None, ours: Money) -> None:
    """Compare the client's price with ours; it is never used. Raises PriceDiffers (409) with our price."""
    if told is not None and told != ours:
        raise PriceDiffers(details={"price": str(ours.to_decimal()), "currency": ours.currency})


def told_price(price: Any, currency: str, ours: Money) -> Money | None:
    """What a client named, in major units, as Money; with a currency alone, ours in that currency (which fits only if it
    is ours); None when it named neither. Raises PriceDiffers for what is no amount of that currency."""
    if price is None:
        if not currency:
            return None
        price = ours.to_decimal()
    try:
        return Money.parse(price, currency or ours.currency)
    except (InvalidAmount, UnknownCurrency) as error:
        raise PriceDiffers(details={"price": str(ours.to_decimal()), "currency": ours.currency}) from error


def order_case(
    *,
    session: VendingSession,
    design: Design,
    summary: dict[str, Any],
    summary_hash: str,
    language: str,
    source: str,
    currency: str = "",
) -> Order:
    """The order of a session's frozen design, at the catalogue price in `currency` (empty: the machine's).

    The same content again answers the same order. Raises sessions.SummaryDiffers once a payment has started with
    other content, and the catalogue's error when the case is not sold in that currency.
    """
    existing = same_content(session, summary_hash)
    if existing is not None:
        return existing
    if design.frozen_at is None:
        raise ValueError("only a frozen design can be ordered")
    price = catalogue.case_price(design.shell, currency or session.machine.currency)
    third_order_id = ids.next_third_id("OREN")  # taken before the transaction: it is the day's counter row
    while True:
        with transaction.atomic():
            if _hold(session):
                must_be_few(session)
                order = _create_case(session, design, price, third_order_id, language=language, source=source)
                previous = session.order_no
                sessions.record_summary(
                    session, order_no=order.order_no, design=design, amount=price, summary=summary,
                    summary_hash=summary_hash, source=source,
                )  # fmt: skip
                if previous:
                    _replace(previous, by=order.order_no, source=source)
                return order
        existing = same_content(session, summary_hash)
        if existing is not None:  # a double click: the other request was faster
            return existing


def note_buyer(order: Order, user: User | None) -> Order:
    """Whoever is logged in finds the order in their account. An order that is somebody's already stays theirs."""
    if user is not None and order.user_id is None:
        email = order.email or user.email or ""
        if Order.objects.filter(pk=order.pk, user=None, status="pending").update(user=user, email=email):
            order.user, order.email = user, email
    return order


def must_be_few(session: VendingSession, design: Design | None = None) -> None:
    """Raises TooManyOrders when the session has had its orders; not for the design that it ordered last."""
    if (
        design is not None
        and session.design_id == design.pk
        and session.summary.get("design") == str(design.pk)
    ):
        return
    if Order.objects.filter(session_id=session.session_id).count() >= MAX_ORDERS_PER_SESSION:
        raise TooManyOrders


def _hold(session: VendingSession) -> bool:
    """Lock the session's order, then the session: top down, as settling does. False: somebody changed the session
    meanwhile; it is up to date now, and what is to be done with it must be decided anew."""
    if session.order_no:
        Order.objects.select_for_update(no_key=True).filter(order_no=session.order_no).first()
    held = sessions.lock(session)
    if (held.order_no, held.status) == (session.order_no, session.status):
        return True
    session.refresh_from_db()
    return False


def _create_case(
    session: VendingSession, design: Design, price: Money, third_order_id: str, *, language: str, source: str
) -> Order:
    order = Order.objects.create(
        order_no=ids.new_order_no(),
        kind=Order.Kind.CASE,
        currency=price.currency,
        total_minor=price.amount_minor,
        language=language,
        machine_id=session.machine.machine_id,
        session_id=session.session_id,
    )
    OrderLine.objects.create(
        order=order,
        product_id=design.shell.model.product.pk,
        design_id=design.pk,
        shell_id=design.shell.pk,
        unit_minor=price.amount_minor,
        snapshot={
            **case_snapshot(design, third_order_id),
            **machine_price(design, price, session.machine.currency),
        },
    )
    remark(order, source=source, reason="created")
    return order


def same_content(session: VendingSession, summary_hash: str) -> Order | None:
    """The session's order when it was made from the same content; None when there is none yet.

    Raises sessions.SummaryDiffers when a payment has started on other content (payData cannot be withdrawn).
    """
    if session.order_no and session.summary_hash == summary_hash:
        return Order.objects.get(order_no=session.order_no)
    if session.status not in sessions.OPEN:
        raise sessions.SummaryDiffers
    return None


def _replace(order_no: str, *, by: str, source: str) -> None:
    order = Order.objects.filter(order_no=order_no).first()
    if order and advance(
        order, "cancelled", source=source, reason=f"replaced by {by}", only_from=["pending"]
    ):
        credit_parts.let_go(order, source=source, reason=f"replaced by {by}")


def machine_price(design: Design, price: Money, currency: str) -> dict[str, Any]:
    """For a case that is paid with credits: what the manufacturer is told that it cost, for it knows only money. Its price
    in `currency`, where it has one."""
    if price.currency != CREDITS or currency not in catalogue.case_currencies(design.shell):
        return {}
    told = catalogue.case_price(design.shell, currency)
    return {"told_price": {"amount_minor": told.amount_minor, "currency": told.currency}}


def case_snapshot(design: Design, third_order_id: str) -> dict[str, Any]:
    """What was ordered, in words and ids that later changes of the catalogue do not touch."""
    shell = design.shell
    return {
        "brand": shell.model.brand.name,
        "brand_id": shell.model.brand.manufacturer_id,
        "model": shell.model.name,
        "colour": shell.colour.name,
        "colour_zh": shell.colour.name_zh,
        "template": design.template.slug if design.template else "",
        "template_name": design.template.name if design.template else "",
        "template_name_zh": design.template.name_zh if design.template else "",
        "mobile_model_id": shell.model.manufacturer_id,
        "mobile_shell_id": shell.manufacturer_id,
        "print_sha256": design.print_sha256,
        "layout_hash": design.layout_hash,
        "low_resolution_accepted": design.low_resolution_accepted_at is not None,
        "third_order_id": third_order_id,
    }
