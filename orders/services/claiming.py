"""What was bought for an e-mail address before an account had proven it: orders, credits and plan terms.

Called by the door that sees the proof (orders.adapters), at each log-in again: somebody with an account may buy as a
guest. Guarantees: claiming twice, or twice at once, moves everything once. Locks: the guest's orders, then the accounts
of credits. No call leaves.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User
from credits.services import waiting
from orders.models import Order
from pimpshop.core.states import remark


@transaction.atomic
def claim_for(user: User) -> waiting.Claimed:
    """Everything that waits for the address that `user` has proven becomes theirs. The orders first: one that is being
    paid at this moment gives its credits to the address (and the next statement finds them), or to the user."""
    if not user.email:
        return waiting.Claimed()
    guests = Order.objects.alias(address=Lower("email")).filter(
        ~Q(kind=Order.Kind.MERCHANT), ~Q(email=""), user=None, address=user.email
    )
    for order in guests.select_for_update(no_key=True).order_by("pk"):
        Order.objects.filter(pk=order.pk).update(user=user)
        remark(order, source="account", reason="claimed by the owner of the address", actor=f"user {user.pk}")
    return waiting.claim_pending(user)
