"""Who may see and use which payment, order and customer of the API. What is foreign does not exist (404, never 403).

Guarantees: a caller sees its own, a key of the shop itself everything, and who holds a payment's client secret that one
payment. Reading only; nothing here decides about money.
"""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from orders.models import Order
from payments import selectors
from payments.models import PaymentIntent
from payments.services import refusals
from pimpshop.core import ids


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Who asks. `by_right`: the caller's scopes allow this very verb; without it only the client `secret` opens.
    `is_server`: a key that belongs on a server and may make orders."""

    user_id: int | None = None
    key_id: int | None = None
    sees_all: bool = False
    by_right: bool = False
    is_server: bool = False
    is_public: bool = False
    sells_virtual: bool = True  # the app that asks may sell packs and plans (core.clients)
    actor: str = ""
    secret: str = field(default="", repr=False)


def payment(viewer: Viewer, payment_id: str) -> PaymentIntent:
    """The payment `pay_…` if the viewer may see it. Raises PaymentNotFound."""
    intent = selectors.by_payment_id(payment_id)
    if intent is None or not (_is_own(viewer, intent) or _has_secret(viewer, intent)):
        raise refusals.PaymentNotFound
    return intent


def _is_own(viewer: Viewer, intent: PaymentIntent) -> bool:
    if not viewer.by_right or viewer.is_public:
        return False
    if viewer.sees_all or (viewer.key_id is not None and intent.api_key_id == viewer.key_id):
        return True
    return viewer.user_id is not None and intent.order.user_id == viewer.user_id


def _has_secret(viewer: Viewer, intent: PaymentIntent) -> bool:
    if not viewer.secret or not intent.client_secret_hash:
        return False
    return hmac.compare_digest(ids.hash_token(viewer.secret), intent.client_secret_hash)


def order(viewer: Viewer, order_id: uuid.UUID) -> Order | None:
    """The order with that public id, None when there is none. Raises OrderNotFound for one that is not the viewer's: a
    user's and a key's with an owner are their own; a publishable key of the shop pays whatever it can name."""
    found = Order.objects.select_related("user").filter(public_id=order_id).first()
    if found is None:
        return None
    may_all = viewer.sees_all or (viewer.is_public and viewer.user_id is None)
    if not may_all and (viewer.user_id is None or found.user_id != viewer.user_id):
        raise refusals.OrderNotFound
    return found


def customer(viewer: Viewer, customer_id: uuid.UUID | None) -> Any:
    """The user whom the viewer acts for: themselves; for the shop's own keys the one that is named. None: nobody is
    named. Raises CustomerNotFound for somebody else."""
    if viewer.user_id is not None:
        mine = User.objects.get(pk=viewer.user_id)
        if customer_id is not None and mine.public_id != customer_id:
            raise refusals.CustomerNotFound
        return mine
    if customer_id is None:
        return None
    found = User.objects.filter(public_id=customer_id, is_active=True).first() if viewer.sees_all else None
    if found is None:
        raise refusals.CustomerNotFound
    return found
