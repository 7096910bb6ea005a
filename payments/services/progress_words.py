"""The words of a status page that depend on rows: why a payment failed, what was paid back, the steps so far. Reads only."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from credits.services import ledger
from orders.models import Order
from orders.services import credit_parts
from payments import states
from payments.gateways.base import ErrorCode
from payments.models import PaymentIntent, Refund
from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop
from vending.models import PrintJob
from vending.services import print_jobs

#: Why a payment did not go through, in words for the shopper. What is missing here needs no reason beside the heading.
_REASONS: dict[str, str] = {
    ErrorCode.CARD_DECLINED: gettext_noop("The bank refused the card. It does not tell us why."),
    ErrorCode.INSUFFICIENT_FUNDS: gettext_noop("There is not enough money on the card."),
    ErrorCode.EXPIRED_CARD: gettext_noop("The card is not valid any more."),
    ErrorCode.INCORRECT_CVC: gettext_noop("The security code does not fit the card."),
    ErrorCode.PROCESSING_ERROR: gettext_noop(
        "The bank could not work on it just now. Trying again may help."
    ),
    ErrorCode.INVALID_PAYMENT_METHOD: gettext_noop("There is a mistake in what was typed for the card."),
    ErrorCode.AUTHENTICATION_FAILED: gettext_noop("Your bank did not get your confirmation."),
}


def reason(code: str, gateway: str = "") -> str:
    """Why an attempt failed; "" when there is nothing useful to say."""
    if gateway == "credits" and code == ErrorCode.INSUFFICIENT_FUNDS:
        return str(ledger.NotEnoughCredits.message)
    return _(_REASONS[code]) if code in _REASONS else ""


def hidden(email: str) -> str:
    """An address as its owner knows it again and nobody else reads it: a…e@example.com."""
    name, at, host = email.partition("@")
    if not at:
        return ""
    return f"{name[:1]}…{name[-1:] if len(name) > 2 else ''}@{host}"


def refund_notes(order: Order) -> list[str]:
    """Sentences about money that went or goes back: a second payment, a refund in part, one under way, a dispute."""
    notes = []
    for intent in PaymentIntent.objects.filter(order=order, status__in=states.PAID):
        if intent.is_surplus:
            notes.append(_surplus(intent))
        else:
            notes += _given_back(intent) + _disputed(intent)
    part = credit_parts.current(order) if order.status == "refunded" else None
    if part is not None:
        notes.append(
            _("%(credits)s that you had used are back, too.")
            % {"credits": shop.money(Money(part.credits, "CREDITS"))}
        )
    return notes


def back_as_credits(intent: PaymentIntent | None) -> bool:
    """Did what was given back of a payment come as credits, all of it?"""
    if intent is None or intent.status != "refunded":
        return False
    if intent.gateway == "credits":
        return True
    kinds = set(Refund.objects.filter(intent=intent, status="succeeded").values_list("kind", flat=True))
    return kinds == {Refund.Kind.CREDITS}


def _surplus(intent: PaymentIntent) -> str:
    amount = shop.money(Money(intent.captured_minor, intent.currency))
    if intent.order.paid_at is None:
        if intent.refunded_minor >= intent.captured_minor:
            return _("Your payment of %(amount)s came too late for this order and was given back.") % {
                "amount": amount
            }
        return _("Your payment of %(amount)s came too late for this order and is on its way back to you.") % {
            "amount": amount
        }
    if intent.refunded_minor >= intent.captured_minor:
        return _("You had paid twice. The second payment of %(amount)s was given back.") % {"amount": amount}
    return _("You have paid twice. The second payment of %(amount)s is on its way back to you.") % {
        "amount": amount
    }


def _given_back(intent: PaymentIntent) -> list[str]:
    notes = []
    if 0 < intent.refunded_minor < intent.captured_minor:
        back, whole = (
            Money(minor, intent.currency) for minor in (intent.refunded_minor, intent.captured_minor)
        )
        notes.append(
            _("You got back %(back)s of %(whole)s.") % {"back": shop.money(back), "whole": shop.money(whole)}
        )
    for refund in Refund.objects.filter(intent=intent, kind=Refund.Kind.CREDITS, status="succeeded"):
        told = {
            "amount": shop.money(refund.amount),
            "credits": shop.money(Money(refund.metadata.get("credits", 0), "CREDITS")),
        }
        notes.append(_("Instead of %(amount)s you got %(credits)s.") % told)
    coming = Refund.objects.filter(intent=intent, status__in=("created", "pending"))
    under_way = sum(coming.values_list("amount_minor", flat=True))
    if under_way:
        amount = shop.money(Money(under_way, intent.currency))
        notes.append(
            _("%(amount)s is on its way back to you. Banks may take a few days.") % {"amount": amount}
        )
    return notes


def _disputed(intent: PaymentIntent) -> list[str]:
    """What the buyer's bank took. An inquiry takes nothing, and what the bank gave us again is the buyer's own affair."""
    notes = []
    for dispute in intent.disputes.filter(money_moved=True).order_by("pk"):
        amount = {"amount": shop.money(dispute.amount)}
        if dispute.status in states.DISPUTED:
            notes.append(_("Your bank is asking for %(amount)s of this payment back.") % amount)
            if intent.order.kind in (Order.Kind.CREDITS, Order.Kind.PLAN):
                notes.append(_("Until it has decided, what that bought is on hold."))
        elif dispute.status == "lost":
            notes.append(_("Your bank gave you back %(amount)s of this payment.") % amount)
    return notes


def steps(
    order: Order, state: str, job: PrintJob | None, intent: PaymentIntent | None, *, ended: bool
) -> list[dict[str, Any]]:
    """The timeline. What has ended shows only what happened, and while people take care of it no step is the one that
    goes on just now."""
    rows = _case_steps(order, job) if order.kind == Order.Kind.CASE else _goods_steps(order)
    back = _given_back_at(order, intent)
    if ended:
        gone = (
            state == "refunded" and order.kind != Order.Kind.CASE
        )  # what was bought went back with the money
        happened = [row for row in (rows[:2] if gone else rows) if row[1]] + back
        return [{"text": text, "at": at, "state": "done"} for text, at in happened]
    later = {"queued": 2, "printing": 3, "ready": 4, "collected": len(rows), "given": 3, "kept": 3}
    reached = later.get(state, 2 if order.paid_at else 1)
    now = -1 if state == "help" else reached
    shown = [
        {"text": text, "at": at, "state": "now" if i == now else "done" if i < reached or at else "todo"}
        for i, (text, at) in enumerate(rows)
    ]
    return shown + [{"text": text, "at": at, "state": "done"} for text, at in back]


def _case_steps(order: Order, job: PrintJob | None) -> list[tuple[str, Any]]:
    """Of a case that is printed once more only what happened since its machine took it again."""
    sent = job.accepted_at if job and job.status not in print_jobs.UNSENT else None
    moves = print_jobs.reached_at(job) if job and sent else {}
    reached = {state: at for state, at in moves.items() if sent and at >= sent}
    return [
        (_("Ordered"), order.created_at),
        _payment(order),
        (_("Sent to the machine") if sent else _("To the machine"), sent),
        (_("Printing"), reached.get("printing")),
        (_("Ready"), reached.get("printed")),
        (_("Collected"), reached.get("collected")),
    ]


def _given_back_at(order: Order, intent: PaymentIntent | None) -> list[tuple[str, Any]]:
    """The step that nobody waits for: when money went back, if some did."""
    if intent is None or not intent.refunded_minor:
        return []
    last = Refund.objects.filter(intent=intent, status="succeeded").order_by("-succeeded_at").first()
    whole = intent.refunded_minor >= intent.captured_minor
    return [(_("Given back") if whole else _("Given back in part"), last.succeeded_at if last else None)]


def _goods_steps(order: Order) -> list[tuple[str, Any]]:
    last = _("On your account") if order.user_id is not None else _("Waits for you")
    rows = [(_("Ordered"), order.created_at), _payment(order)]
    return rows if order.kind == Order.Kind.MERCHANT else [*rows, (last, order.completed_at)]


def _payment(order: Order) -> tuple[str, Any]:
    """While it is the step that goes on, nobody shall read "paid"."""
    return (_("Paid") if order.paid_at else _("Payment"), order.paid_at)
