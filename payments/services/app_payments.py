"""Seed 1's "Pay via App": a client's finished picture, paid on Stripe's page, printed at a machine or waiting for one.

Guarantees: price, shell and machine are ours to say, the client's are compared; the picture is fetched, decoded and frozen
and the machine asked whether it can print before any money is; what is printed is the snapshot made here, whatever the
browser says after the payment: `nudge` looks at the session and changes nothing of the order.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import selectors as catalogue
from orders import selectors as orders
from orders.models import Order
from orders.services import checkout, goods_orders, sent_pictures
from payments.models import PaymentIntent
from payments.services import checkout_sessions, online_payments
from pimpshop.core import errors
from vending.services import machines, waiting_jobs
from vending.services.summaries import Summary

#: Cases without a machine cost this unless the client names another currency.
HOME_CURRENCY = "GBP"


class OrderDiffers(errors.Conflict):
    code = "order_differs"
    message = _(
        "This does not fit what was ordered. The order stays as it was paid; nothing was changed. "
        "Please order the other case separately."
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of the app. Addresses were checked against the allow-list by the door."""

    summary: Summary
    user: User | None = None
    email: str = ""
    language: str = "en"
    success_url: str = ""
    cancel_url: str = ""
    client_ip: str = ""


def start(asked: Asked) -> PaymentIntent:
    """The attempt whose page is open. On every refusal before it nothing is ordered.

    Raises catalogue.ShellUnknown, ShellAmbiguous, NotSold; checkout.PriceDiffers; machines.MachineUnknown, MachineNotReady,
    OutOfStock; sent_pictures.PictureMissing, PictureUnreachable, Busy; what `checkout_sessions.open_page` raises.
    """
    told = asked.summary
    shell = catalogue.find_shell(
        model_id=told.model_id, shell_id=told.shell_id, brand_id=told.brand_id, brand=told.brand, model=told.model,
        colour=told.colour,
    )  # fmt: skip
    machine = machines.get_machine(told.device_id) if told.device_id else None
    currency = machine.currency if machine else told.currency or HOME_CURRENCY
    ours = catalogue.case_price(shell, currency)
    checkout.check_price(checkout.told_price(told.price, told.currency, ours), ours)
    if machine is not None:
        machines.ensure_can_print(machine, shell)
    design = sent_pictures.design_from(
        owner=f"app:{uuid.uuid4()}", shell=shell, picture=told.picture, picture_url=told.picture_url
    )
    order = goods_orders.order_case(
        design=design,
        currency=currency,
        buyer=goods_orders.Buyer(user=asked.user, email=asked.email, language=asked.language),
        machine_id=machine.machine_id if machine else "",
        template=told.template,
        source="api",
    )
    choice = online_payments.Choice(
        gateway=checkout_sessions.GATEWAY,
        method=checkout_sessions.METHOD,
        return_url=asked.success_url,
        cancel_url=asked.cancel_url,
        client_ip=asked.client_ip,
    )
    return checkout_sessions.started(online_payments.start_payment(order, choice, source="api"))


def nudge(session_id: str, told: Summary) -> dict[str, Any]:
    """Look at that session now, and tell where its order stands, from our snapshot.

    A device_id named only now sends a paid case that waits for a machine to it, if that machine can print; if not, it goes
    on waiting. Raises checkout_sessions.SessionUnknown, OrderDiffers.
    """
    intent = checkout_sessions.find(session_id)
    order = intent.order
    if order.kind != Order.Kind.CASE:
        raise checkout_sessions.SessionUnknown
    _must_fit(order, told)
    intent = checkout_sessions.look(session_id)
    if told.device_id and not order.machine_id:
        _send_waiting(order, told.device_id)
    return _answer(intent)


def _must_fit(order: Order, told: Summary) -> None:
    """What the client says must be what was ordered; what it leaves out is not compared."""
    ours = orders.snapshot(order.order_no)
    pairs = (
        (told.brand, (ours.get("brand"), ours.get("brand_zh"))),
        (told.brand_id, (ours.get("brand_id"),)),
        (told.model, (ours.get("model"),)),
        (told.model_id, (ours.get("mobile_model_id"),)),
        (told.shell_id, (ours.get("mobile_shell_id"),)),
        (told.colour, (ours.get("colour"), ours.get("colour_zh"))),
        (told.template, (ours.get("template"),)),
        (told.device_id if order.machine_id else "", (order.machine_id,)),
    )
    for said, known in pairs:
        if said.strip() and said.strip().lower() not in {str(word).lower() for word in known if word}:
            raise OrderDiffers
    try:
        checkout.check_price(checkout.told_price(told.price, told.currency, order.total), order.total)
    except checkout.PriceDiffers as error:
        raise OrderDiffers from error


def _send_waiting(order: Order, device_id: str) -> None:
    """If that machine cannot print it the case goes on waiting, and the buyer's page offers the machines."""
    with contextlib.suppress(errors.ShopError):
        waiting_jobs.choose_for(order_no=order.order_no, machine_id=device_id, source="api")


def _answer(intent: PaymentIntent) -> dict[str, Any]:
    order = intent.order
    case = orders.case_state(order)
    snapshot = case.line.snapshot
    word = checkout_sessions.status_word(intent)
    return {
        "success": word == "paid",
        "order_id": order.order_no,
        "payment_id": intent.payment_id,
        "queue_no": case.job.queue_no or None if case.job else None,
        "status": word,
        "brand": snapshot["brand"],
        "model": snapshot["model"],
        "color": snapshot["colour"],
        "template_id": snapshot["template"] or None,
        "amount": order.total.to_decimal(),
    }
