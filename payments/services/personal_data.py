"""A person's own data: all of it in one file, and the end of it.

`export` reads. `erase` first detaches kept ways to pay at their providers (calls, outside any transaction), then does the
rest in one transaction: what the books need stays without the person. Guarantees: refused, with nothing changed here,
while an order is being delivered, credits are held, money is on its way back or a payment is open; staff are never
erased here; recorded in AuditEntry without a name. Locks: orders, then the user.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services import erasing, tokens
from catalog.models import Design, Photo
from catalog.services import drafts
from catalog.services import forgetting as pictures
from credits import selectors as credits
from credits.models import PlanTerm
from credits.services import erasing as ledger
from orders import selectors as orders
from orders.models import Order
from orders.services import claiming, forgetting
from payments.models import (
    Dispute,
    PaymentIntent,
    ProviderCustomer,
    Refund,
    SavedPaymentMethod,
    ShippingNotice,
)
from payments.services import keeping, outcomes
from pimpshop.core import errors, staff_requests
from pimpshop.core.clock import iso
from pimpshop.core.models import AuditEntry, IdempotencyRecord, Notification

log = structlog.get_logger(__name__)


#: What an attempt may know of the person who paid (PaymentIntent.method_details and metadata).
_OF_THE_PAYER = frozenset({"cardholder_name", "payer_ref", "client_ip", "email", "name"})


class StillOpen(errors.Conflict):
    code = "account_in_use"
    message = _("Something of yours is still under way. Nothing was erased.")


# --- Export -----------------------------------------------------------------------------------------------------------
def export(user: User) -> dict[str, Any]:
    """Everything that we keep about `user`, as plain values; no secret, no full number of a card."""
    return {
        "made_at": iso(timezone.now()),
        "person": {
            "customer_id": str(user.public_id), "user_id": user.pk, "email": user.email, "name": user.name,
            "language": user.language, "joined_at": iso(user.date_joined), "last_login_at": iso(user.last_login),
            "wechat": [
                {"app_id": row.app_id, "openid": row.openid, "since": iso(row.created_at)}
                for row in user.wechat_identities.order_by("pk")
            ],
        },
        "devices": [
            {"label": row.label, "since": iso(row.created_at), "last_used_at": iso(row.last_used_at)}
            for row in tokens.living(user)
        ],
        "orders": _orders(user),
        "saved_payment_methods": [
            {**keeping.shown(row), "gateway": row.gateway, "since": iso(row.created_at)}
            for row in SavedPaymentMethod.objects.filter(user=user, removed_at=None).order_by("pk")
        ],
        "credits": _credits(user),
        "designs": _designs(user),
    }  # fmt: skip


def _orders(user: User) -> list[dict[str, Any]]:
    payments: dict[int, list[dict[str, Any]]] = {}
    for intent in PaymentIntent.objects.filter(order__user=user).order_by("pk"):
        payments.setdefault(intent.order_id, []).append(
            {
                "number": intent.out_trade_no, "gateway": intent.gateway, "status": intent.status,
                "amount_minor": intent.amount_minor, "refunded_minor": intent.refunded_minor,
                "currency": intent.currency, "paid_at": iso(intent.succeeded_at),
                "method": {**outcomes.method(intent.method_details, intent=intent), "token": None},
            }
        )  # fmt: skip
    return [
        {
            "number": order.order_no, "kind": order.kind, "status": order.status, "email": order.email,
            "total_minor": order.total_minor, "currency": order.currency, "machine": order.machine_id,
            "placed_at": iso(order.created_at), "paid_at": iso(order.paid_at),
            "completed_at": iso(order.completed_at),
            "lines": [line["text"] for line in orders.line_texts(order)],
            "payments": payments.get(order.pk, []),
            "not_received": [
                {"at": iso(row.created_at), "what": row.what, "words": row.words, "contact": row.contact}
                for row in order.case_reports.all()
            ],
        }
        for order in Order.objects.filter(user=user).prefetch_related("lines", "case_reports").order_by("pk")
    ]  # fmt: skip


def _credits(user: User) -> dict[str, Any]:
    standing = credits.standing(user.pk)
    return {
        "balance": standing.balance, "held": standing.held, "debt": standing.debt,
        "endings": [{"amount": ending.amount, "at": iso(ending.at)} for ending in standing.endings],
        "plans": [
            {"plan": term.plan_sku, "starts_at": iso(term.starts_at), "ends_at": iso(term.ends_at)}
            for term in PlanTerm.objects.filter(user=user).order_by("starts_at")
        ],
        "statement": [
            {
                "at": iso(line.at), "kind": line.kind, "amount": line.amount, "balance_after": line.balance,
                "order": line.order_no, "reference": line.reference,
            }
            for line in credits.whole_statement(user.pk)
        ],
    }  # fmt: skip


def _designs(user: User) -> dict[str, Any]:
    owner = f"user:{user.pk}"
    mine = [owner, *(draft.owner for draft in drafts.kept(owner) if draft.keeper == owner)]
    return {
        "designs": [
            {"id": str(row.pk), "made_at": iso(row.created_at), "ordered_at": iso(row.frozen_at), "layout": row.layout,
             "print_sha256": row.print_sha256}
            for row in Design.objects.filter(owner__in=mine).order_by("created_at")
        ],
        "photos": [
            {"id": str(row.pk), "taken_in_at": iso(row.created_at), "width": row.width, "height": row.height,
             "sha256": row.sha256}
            for row in Photo.objects.filter(owner__in=mine).order_by("created_at")
        ],
    }  # fmt: skip


# --- The end of it ----------------------------------------------------------------------------------------------------
def in_the_way(user: User) -> list[str]:
    """The numbers of what must end first: orders under way, payments and refunds that are open; empty when nothing is."""
    mine = {"order__user": user}
    waiting = PaymentIntent.objects.filter(
        **mine, status__in=("requires_action", "processing", "authorized", "expiring")
    )
    back = Refund.objects.filter(intent__order__user=user, status__in=("created", "pending"))
    disputes = Dispute.objects.filter(intent__order__user=user, status__in=("opened", "under_review"))
    numbers = [order.order_no for order in forgetting.open_orders(user)]
    numbers += [intent.order.order_no for intent in waiting.select_related("order")]
    untold = ShippingNotice.objects.filter(intent__order__user=user, next_attempt_at__isnull=False)
    numbers += [notice.intent.order.order_no for notice in untold.select_related("intent__order")]
    numbers += [refund.intent.order.order_no for refund in back.select_related("intent__order")]
    numbers += [dispute.intent.order.order_no for dispute in disputes.select_related("intent__order")]
    return list(dict.fromkeys(numbers))


def erase(user: User, *, actor: str) -> None:
    """Forget the person. Raises erasing.StaffStays, StillOpen (also while credits are held or owed), and what a provider
    that does not answer raises: then what was detached there is, and nothing else is gone."""
    erasing.must_be_a_shopper(user)
    _must_be_over(user)
    for row in SavedPaymentMethod.objects.filter(user=user, removed_at=None).exclude(method_ref=""):
        keeping.remove(row)
    with transaction.atomic():
        claiming.claim_for(user)
        done: dict[str, Any] = forgetting.erase_person(user, actor=actor)
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _must_be_over(user)
        done |= pictures.forget_owner(f"user:{user.pk}")
        done["designs_at_home"] = drafts.forget_keeper(f"user:{user.pk}")
        left = credits.available(user.pk)
        ledger.forget_address(user.pk, user.email or "")
        SavedPaymentMethod.objects.filter(user=user).update(details={}, setup_ref="", customer_ref="")
        ProviderCustomer.objects.filter(user=user).delete()
        IdempotencyRecord.objects.filter(owner=f"user:{user.pk}").delete()
        _forget_payer(user)
        done["requests_of_staff"] = staff_requests.forget_person(user.email or "")
        erasing.erase(user)
        AuditEntry.objects.create(
            actor=actor, action="erased account", subject=f"user {user.pk}", reason="asked for by its owner",
            data={**done, "credits_given_up": left},
        )  # fmt: skip
    log.info("account_erased", user_id=user.pk)


def _forget_payer(user: User) -> None:
    """Who paid, as the attempts and the mails know it: a name on a card, an openid, an address on the network or by mail."""
    for intent in PaymentIntent.objects.filter(order__user=user).only(
        "gateway", "method_details", "metadata"
    ):
        ours = (
            ("payer_ref",) if intent.gateway == "credits" else ()
        )  # the number of our own user, which the books keep
        details = {name: fact for name, fact in intent.method_details.items() if name not in _OF_THE_PAYER}
        facts = {
            name: fact for name, fact in intent.metadata.items() if name in ours or name not in _OF_THE_PAYER
        }
        PaymentIntent.objects.filter(pk=intent.pk).update(method_details=details, metadata=facts)
    numbers = Order.objects.filter(user=user).values("order_no")
    about = Q(reference__in=numbers) | (Q(recipient__iexact=user.email) if user.email else Q())
    Notification.objects.filter(about).update(recipient="", data={})


def _must_be_over(user: User) -> None:
    standing = credits.standing(user.pk)
    numbers = in_the_way(user)
    if numbers or standing.held or standing.debt:
        raise StillOpen(details={"orders": numbers, "held": standing.held, "debt": standing.debt})
