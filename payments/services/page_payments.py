"""Pay from a page: the way that somebody pressed becomes an attempt, after the machine that is to print was asked.

Calls outside: at most the stock of that machine, then the provider (`online_payments`). Guarantees: as there; and no money
is asked for while the machine of a case cannot print it.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog.models import Shell
from orders.models import Order
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import online_payments, progress, ways
from pimpshop.core import errors
from vending.models import VendingSession
from vending.services import machines


class Declined(errors.ShopError):
    """The card was refused, and nothing was charged; `code` is the standard one."""

    status = 402
    message = _("The payment did not go through. Nothing was charged. Try again, perhaps with another card.")


def start(
    order: Order, way: ways.Way, shopper: ways.Shopper, *, client_ip: str, card: base.Card | None = None
) -> PaymentIntent:
    """The attempt as it stands after the start; with `card` it was confirmed.

    Raises Declined (402; the next try is a new attempt), machines.OutOfStock, machines.MachineNotReady, and what
    online_payments.start_payment raises.
    """
    must_be_printable(order)
    choice = online_payments.Choice(
        gateway=way.gateway,
        method=way.method,
        platform=shopper.platform,
        client_ip=client_ip,
        payer_ref=_payer(way, shopper),
    )
    intent = online_payments.start_payment(order, choice, instrument=card, source="page")
    if card is not None and intent.status == "failed":
        raise Declined(code=intent.error_code or Declined.code)
    return intent


def _payer(way: ways.Way, shopper: ways.Shopper) -> str:
    """The payer's name at the gateway, where it must know one."""
    if way.gateway == "credits":
        return str(shopper.user_id or "")
    return shopper.openid if way.method == "jsapi" else ""


def may_begin(order: Order) -> bool:
    """May the shopper choose a way to pay now? Not when it is paid or over, while nobody knows whether it was paid, or
    while the machine is asked for the money (it cannot be withdrawn there)."""
    return (
        order.status == "pending"
        and progress.order_progress(order)["state"] in progress.PAYABLE | progress.UNDER_WAY
    )


def waits_for(intent: PaymentIntent) -> base.NextAction | None:
    """What the shopper must do now; None when there is nothing."""
    return base.next_action_from_dict(intent.next_action) if intent.status == "requires_action" else None


def must_be_printable(order: Order) -> None:
    """A case that is bound to a machine: can it print it now? Raises machines.OutOfStock, MachineNotReady, MachineBusy."""
    if order.kind != Order.Kind.CASE or not order.machine_id:
        return
    line = order.lines.get()
    shell = Shell.objects.filter(pk=line.shell_id or 0).first()
    if shell is None:
        return
    session = VendingSession.objects.filter(session_id=order.session_id).first() if order.session_id else None
    machines.ensure_ready(machines.get_machine(order.machine_id), shell, session=session)
