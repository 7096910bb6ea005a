"""Seed 5: a payment through the API, whatever the gateway. Whose order, which method; then `online_payments` does it.

Guarantees: an amount is only compared with what is due; a server's key makes an order where there is none, everybody
else pays orders that exist; another customer's order, card or account does not exist. A card passes through and is kept
nowhere: every function that holds one hides its variables from error reports.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts import selectors as accounts
from orders.models import Order
from orders.services import credit_parts, granting, merchant_orders
from payments import registry, states
from payments.gateways import base
from payments.models import PaymentIntent, SavedPaymentMethod
from payments.services import intents, keeping, offers, online_payments, refusals, switches, sync, visibility
from payments.services.credit_settling import GATEWAY
from payments.services.visibility import Viewer
from pimpshop.core import clients, errors, ids
from pimpshop.core.money import Money

#: In an attempt's metadata: the request with an idempotency key that made it (as the id of the order that it may make).
REQUEST = "request"
SECRET_PREFIX = "shop_cs_"  # noqa: S105  # how a client secret begins


_NO_PAYER = {"fields": {"wechat_pay.openid": _("This is no openid.")}}


class PaymentEnded(errors.Conflict):
    code = "PAYMENT_CLOSED"
    message = _("This payment is under way or has ended. Ask how it stands, or start a new one.")


class ForeignReference(errors.ShopError):
    message = _("That payment_intent is not the one of this payment. Nothing was changed.")


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the client pays with: `kind` is payment_method.type, "" when it was left out. `saved` is our pm_<uuid>."""

    kind: str = ""
    instrument: base.Instrument | None = field(default=None, repr=False)
    saved: uuid.UUID | None = None
    flow: str = ""
    openid: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A create request, checked for its form. `return_url` was checked against the allow-list."""

    gateway: str
    amount: Money
    means: Means = field(repr=False)
    order_id: uuid.UUID | None = None
    new_order_id: uuid.UUID | None = None  # of the order to be made without `order_id`; the same for a repeat
    customer_id: uuid.UUID | None = None
    email: str = ""
    description: str = ""
    return_url: str = ""
    client_ip: str = ""
    platform: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    manual_capture: bool = False
    save_method: bool = False


@sensitive_variables()
def start(asked: Asked, viewer: Viewer) -> tuple[PaymentIntent, str]:
    """Start a payment and, with means to pay, confirm it; answers the attempt and its client secret (shown once).

    Raises refusals.*, registry.GatewayUnknown, switches.GatewayOff, and what online_payments.start_payment raises.
    """
    if asked.manual_capture and not viewer.is_server:
        raise refusals.MayNot(gettext("Only a server's key may hold money first."))
    switches.must_be_on(asked.gateway)
    gateway = registry.get(asked.gateway)
    method = offers.method_for(gateway, asked.means.kind, asked.amount, flow=asked.means.flow)
    if asked.manual_capture and not (gateway.can_capture and method in offers.CARD_KEYS):
        raise errors.ShopError(gettext("This gateway cannot hold money first. Nothing was charged."))
    payer = _payer(asked, viewer)
    saved = _saved(asked.means, gateway, viewer)
    if asked.order_id is None and _lacks_payer(asked.means):
        raise refusals.InvalidPaymentMethod(details=_NO_PAYER)
    order = _order(asked, viewer, saved)
    if order.kind in granting.KINDS and not viewer.sells_virtual:
        raise clients.VirtualGoodsHidden
    _must_be_the_buyers(asked, saved, order.user_id, viewer)
    if (paid := _paid_before(asked, order)) is not None:
        return paid
    secret = SECRET_PREFIX + ids.new_token()
    choice = online_payments.Choice(
        gateway=asked.gateway, method=method, return_url=asked.return_url, cancel_url=asked.return_url,
        platform=asked.platform, client_ip=asked.client_ip, payer_ref=payer or _mini_payer(asked.means, order),
        description=asked.description, manual_capture=asked.manual_capture, save_method=asked.save_method,
        metadata=_metadata(asked, saved), api_key_id=viewer.key_id, client_secret_hash=ids.hash_token(secret),
    )  # fmt: skip
    instrument = _instrument(asked.means, saved) if method in gateway.two_step_methods else None
    intent = online_payments.start_payment(
        order, choice, instrument=instrument, source="api", actor=viewer.actor
    )
    return intent, secret


def _payer(asked: Asked, viewer: Viewer) -> str:
    """The payer's name at the gateway. Credits are paid by the user whose they are, with their own token. Raises MayNot."""
    if asked.gateway != GATEWAY:
        return asked.means.openid
    if viewer.user_id is None or viewer.is_public:
        raise refusals.MayNot(gettext("Credits are paid by their owner. Nothing was taken."))
    return str(viewer.user_id)


@sensitive_variables()
def confirm(intent: PaymentIntent, means: Means, viewer: Viewer, *, return_url: str = "") -> PaymentIntent:
    """Pay an attempt that was started without means. Raises refusals.InvalidPaymentMethod, intents.AlreadyPaid,
    PaymentEnded, intents.PaymentUncertain (somebody is confirming it just now)."""
    if intent.status in states.PAID:
        raise intents.AlreadyPaid
    if intent.status not in ("created", "requires_action"):
        raise PaymentEnded
    gateway = registry.get(intent.gateway)
    if intent.method not in gateway.two_step_methods:
        raise refusals.InvalidPaymentMethod(gettext("This payment is confirmed at the provider, not here."))
    wanted = offers.method_for(gateway, means.kind, intent.amount)
    if wanted != intent.method and not {wanted, intent.method} <= set(offers.CARD_KEYS):
        raise refusals.InvalidPaymentMethod(
            gettext("This payment was started for another kind of payment method. Please start a new one.")
        )
    saved = _saved(means, gateway, viewer)
    _must_own(saved, intent.order.user_id, viewer)
    instrument = _instrument(means, saved)
    if instrument is None:
        raise refusals.InvalidPaymentMethod
    if return_url:
        PaymentIntent.objects.filter(pk=intent.pk).update(return_url=return_url)
    return online_payments.confirm_payment(intent, instrument, source="api")


def complete(intent: PaymentIntent, *, told_ref: str) -> PaymentIntent:
    """The shopper is back: ask the provider, believe nobody else. Raises ForeignReference when the client names another
    payment of the provider's than ours."""
    if told_ref and told_ref not in (intent.provider_ref, intent.transaction_ref):
        raise ForeignReference
    if intent.status in states.UNDECIDED:
        sync.check_now(intent=intent, source="api")
        intent.refresh_from_db()
    return intent


def look(intent: PaymentIntent) -> PaymentIntent:
    """The attempt as it stands; the provider is asked when nobody did for three seconds."""
    sync.refresh_if_stale(intent.order, source="api")
    intent.refresh_from_db()
    return intent


def _saved(means: Means, gateway: base.Gateway, viewer: Viewer) -> SavedPaymentMethod | None:
    """The kept method that is named, at this gateway, be it by the provider's own name for it: whoever learnt that is not
    its owner. Raises MethodNotFound, InvalidPaymentMethod."""
    if means.saved is None:
        if not isinstance(means.instrument, base.Token):
            return None
        rows = SavedPaymentMethod.objects.filter(
            gateway=gateway.key, account=gateway.account, removed_at=None
        )
        return rows.select_related("user").filter(method_ref=means.instrument.value).first()
    found = keeping.find(means.saved, user_id=viewer.user_id, sees_all=viewer.sees_all)
    if (found.gateway, found.account) != (gateway.key, gateway.account):
        raise refusals.InvalidPaymentMethod(
            gettext("This card is saved at another gateway. Nothing was charged.")
        )
    return found


def _must_be_the_buyers(
    asked: Asked, saved: SavedPaymentMethod | None, buyer_id: int | None, viewer: Viewer
) -> None:
    """What is paid with, and what shall be kept, is the buyer's. Raises MethodNotFound, ShopError."""
    _must_own(saved, buyer_id, viewer)
    if asked.save_method and buyer_id is None:
        raise errors.ShopError(gettext("A payment method is saved for a customer: send customer_id."))


def _must_own(saved: SavedPaymentMethod | None, buyer_id: int | None, viewer: Viewer) -> None:
    """A kept method pays its owner's orders, for its owner or the shop's server; a page's key never uses one."""
    if saved is None:
        return
    acts_for_owner = viewer.user_id == saved.user_id or viewer.sees_all
    if viewer.is_public or not acts_for_owner or buyer_id != saved.user_id:
        raise refusals.MethodNotFound


def _lacks_payer(means: Means) -> bool:
    return means.flow == "mini" and not means.openid


def _mini_payer(means: Means, order: Order) -> str:
    """WeChat's name for a payer who did not send it, as the buyer's log-in in our mini program told. Raises
    InvalidPaymentMethod where the flow needs one and nobody knows it."""
    if not _lacks_payer(means):
        return ""
    known = accounts.wechat_openid(order.user, settings.WECHAT_MINI_APP_ID) if order.user else ""
    if not known:
        raise refusals.InvalidPaymentMethod(details=_NO_PAYER)
    return known


def _instrument(means: Means, saved: SavedPaymentMethod | None) -> base.Instrument | None:
    if saved is not None:
        return base.SavedMethod(method_ref=saved.method_ref, customer_ref=saved.customer_ref)
    return means.instrument


def _metadata(asked: Asked, saved: SavedPaymentMethod | None) -> dict[str, Any]:
    told: dict[str, Any] = {"client": asked.metadata} if asked.metadata else {}
    if asked.new_order_id is not None:
        told[REQUEST] = str(asked.new_order_id)
    return told | ({"saved_method": saved.token} if saved else {})


def _order(asked: Asked, viewer: Viewer, saved: SavedPaymentMethod | None) -> Order:
    """The order to be paid. Raises OrderNotFound, CustomerNotFound, InvalidAmount, InvalidCurrency."""
    known = visibility.order(viewer, asked.order_id) if asked.order_id else None
    if known is None and asked.order_id is None and asked.new_order_id and viewer.is_server:
        known = Order.objects.select_related("user").filter(public_id=asked.new_order_id).first()
    if known is None and not viewer.is_server:
        raise refusals.OrderNotFound
    if known is None:
        customer = visibility.customer(viewer, asked.customer_id)
        if customer is None and saved is not None and viewer.sees_all:
            customer = saved.user
        # Before there is an order: its buyer could not be changed by a better request.
        _must_be_the_buyers(asked, saved, customer.pk if customer else None, viewer)
        known = merchant_orders.make(
            public_id=asked.order_id or asked.new_order_id, total=asked.amount, user=customer, email=asked.email,
            description=asked.description, language=get_language() or "en", actor=viewer.actor,
        )  # fmt: skip
    _must_fit(known, asked)
    if asked.email and not known.email:
        Order.objects.filter(pk=known.pk, email="").update(email=asked.email)
        known.email = asked.email
    return known


def _paid_before(asked: Asked, order: Order) -> tuple[PaymentIntent, str] | None:
    """A repeat of a request whose answer was never given, and which had paid: that payment, with a new client secret."""
    if asked.new_order_id is None:
        return None
    intent = order.payment_intents.filter(settles_order=True).first()
    if intent is None or intent.metadata.get(REQUEST) != str(asked.new_order_id):
        return None
    secret = SECRET_PREFIX + ids.new_token()
    PaymentIntent.objects.filter(pk=intent.pk).update(client_secret_hash=ids.hash_token(secret))
    return intent, secret


def _must_fit(order: Order, asked: Asked) -> None:
    """Owner, currency and amount are those of the order."""
    if asked.customer_id is not None and (order.user is None or order.user.public_id != asked.customer_id):
        raise refusals.CustomerNotFound
    if order.currency != asked.amount.currency:
        raise refusals.InvalidCurrency(gettext("The order is in another currency. Nothing was charged."))
    if credit_parts.due(order) != asked.amount:
        raise refusals.InvalidAmount(
            gettext("The amount is not what is due for this order. Nothing was charged.")
        )
