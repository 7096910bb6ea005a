"""What a refund would move, in words for staff and in the reader's language, before anybody says yes.

Read by the services that would move it: the amount by `refunds`, what was bought by `fulfilment` (done and undone in one
transaction), the case by its print job. Guarantees: nothing is kept, no call leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import Order
from orders.services import fulfilment
from payments.models import PaymentIntent, Refund
from payments.services import receipts, refund_credits, refunds, surplus
from pimpshop.core import typed_amounts
from pimpshop.core.money import Money
from pimpshop.core.templatetags import shop
from vending.models import PrintJob
from vending.services import print_jobs

IN_THE_QUEUE = ("accepted", "printing")
PRINTED = ("printed", "collected")


@dataclass(frozen=True)
class Told:
    """`moves`: the money or credits that somebody gets. `confirm`: what must be ticked. `reprint`: the case is printed, so
    printing it again is the better offer."""

    lines: list[str]
    moves: list[Money] = field(default_factory=list)
    confirm: str = ""
    reprint: list[PrintJob] = field(default_factory=list)


def amount_of(intent: PaymentIntent, typed: str) -> Money:
    """What would be paid back: what was typed, else all that is left. Raises typed_amounts.NotAnAmount, and as
    refunds.request_refund does."""
    minor = typed_amounts.read(typed, intent.currency).amount_minor if typed else None
    return Money(refunds.fits(intent, minor), intent.currency)


def of_refund(intent: PaymentIntent, typed: str, *, by_hand: bool = False) -> Told:
    """Back to where it came from, or (`by_hand`) by a person. Raises as refunds.request_refund does."""
    amount = amount_of(intent, typed)
    told = {"amount": shop.money(amount), "where": where(intent)}
    first = _("%(amount)s goes back to: %(where)s.") % told
    if by_hand:
        first = _("A refund of %(amount)s is written down. A person pays it back and then marks it.") % told
    return _with_the_rest(intent, amount, first, [amount])


def as_credits(intent: PaymentIntent, typed: str, email: str) -> Told:
    """Raises also refund_credits.{NoRate,NoOwner}."""
    amount = amount_of(intent, typed)
    credits = refund_credits.must_be_worth(intent, amount.amount_minor)
    refund_credits.owner_of(intent.order, email)
    told = {
        "credits": shop.money(Money(credits, "CREDITS")), "amount": shop.money(amount), "who": _who(intent.order, email),
    }  # fmt: skip
    return _with_the_rest(
        intent, amount, _("%(who)s gets %(credits)s instead of %(amount)s, at once.") % told, [amount]
    )


def of_manual_as_credits(refund: Refund, email: str) -> Told:
    """A refund that waits for a hand, as credits. It was counted when it was written down, unless the shop wrote it."""
    credits = refund_credits.must_be_worth(refund.intent, refund.amount_minor, besides=refund)
    refund_credits.owner_of(refund.intent.order, email)
    told = {
        "credits": shop.money(Money(credits, "CREDITS")), "amount": shop.money(refund.amount),
        "who": _who(refund.intent.order, email),
    }  # fmt: skip
    return Told(
        [_("%(who)s gets %(credits)s instead of %(amount)s, at once.") % told], _not_counted_yet(refund)
    )


def of_surplus(intent: PaymentIntent, email: str) -> Told:
    """Surplus that stays, as credits. Raises surplus.NoSurplus, refund_credits.{NoRate,TooLittle,NoOwner}."""
    amount, refund = surplus.must_be_here(intent), surplus.by_hand(intent)
    credits = refund_credits.must_be_worth(intent, amount.amount_minor, besides=refund)
    refund_credits.owner_of(intent.order, email)
    told = {
        "credits": shop.money(Money(credits, "CREDITS")), "amount": shop.money(amount), "who": _who(intent.order, email),
        "order": intent.order.order_no,
    }  # fmt: skip
    lines = [
        _("%(amount)s stays with us, and %(who)s gets %(credits)s at once.") % told,
        _("Order %(order)s and what was bought stay as they are: it was paid by another payment or is over.")
        % told,
    ]
    if refund is not None:
        ended = {"refund": refund.out_refund_no}
        lines.append(_("Refund %(refund)s ends: nobody pays it back by hand any more.") % ended)
    return Told(lines, _not_counted_yet(refund) if refund is not None else [amount])


def of_marking(refund: Refund) -> Told:
    """That it was paid back by hand. Raises refunds.RefundNotOpen."""
    if refund.status not in ("created", "pending"):
        raise refunds.RefundNotOpen
    told = {"amount": shop.money(refund.amount), "order": refund.intent.order.order_no}
    lines = [_("%(amount)s counts as paid back to the buyer of order %(order)s. It cannot be undone.") % told]
    if refund.amount_minor + refund.intent.refunded_minor == refund.intent.captured_minor:
        lines += _jobs_end(refund.intent)
    return Told(lines, _not_counted_yet(refund))


def _not_counted_yet(refund: Refund) -> list[Money]:
    return [] if refund.origin == Refund.Origin.STAFF else [refund.amount]


def where(intent: PaymentIntent) -> str:
    """The way it was paid, which is where a refund goes: "Card (visa •••• 4242)"."""
    last4, brand = (str(intent.method_details.get(key) or "") for key in ("last_four", "card_brand"))
    if last4:
        return _("the card ending %(last4)s (%(brand)s)") % {"last4": last4, "brand": brand or "–"}
    return receipts.paid_with(intent)


def _who(order: Order, email: str) -> str:
    return str(order.user) if order.user else order.email or email


def _with_the_rest(intent: PaymentIntent, amount: Money, first: str, moves: list[Money]) -> Told:
    """The first line, and what follows for what was bought and for the case."""
    left = intent.captured_minor - intent.refund_reserved_minor - amount.amount_minor
    lines = [first]
    if left:
        lines.append(
            _("%(left)s of this payment stays.") % {"left": shop.money(Money(left, intent.currency))}
        )
    if not intent.settles_order:
        return Told(
            [*lines, _("It is a second payment: the order and what was bought stay as they are.")], moves
        )
    lines += _taken_back(intent, amount)
    jobs = list(
        PrintJob.objects.filter(order_no=intent.order.order_no).exclude(status="canceled").order_by("pk")
    )
    if not left:
        lines += _jobs_end(intent)
    printed = [job for job in jobs if job.status in PRINTED]
    queued = [job for job in jobs if job.status in IN_THE_QUEUE]
    confirm = ""
    if queued:
        confirm = _("I have looked at the machine: the case is taken out, or may be handed out all the same")
    elif printed:
        confirm = _("The buyer was offered another print and does not want one")
    return Told(lines, moves, confirm, printed)


def _taken_back(intent: PaymentIntent, amount: Money) -> list[str]:
    taken = fulfilment.would_take_back(intent.order, part=amount.amount_minor, whole=intent.captured_minor)
    lines = []
    if taken.credits:
        lines.append(
            _("%(credits)s are taken back.") % {"credits": shop.money(Money(taken.credits, "CREDITS"))}
        )
    if taken.owed:
        told = {"credits": shop.money(Money(taken.owed, "CREDITS"))}
        lines.append(_("%(credits)s of them are spent already: they stay as a debt.") % told)
    if taken.days:
        lines.append(
            ngettext(
                "%(days)d day of the plan is taken back.",
                "%(days)d days of the plan are taken back.",
                taken.days,
            )
            % {"days": taken.days}
        )
    if taken.later:
        lines.append(_("Nothing of what was bought has been given yet: that much less will be."))
    return lines


def _jobs_end(intent: PaymentIntent) -> list[str]:
    """What becomes of the order's cases when all of the money goes back."""
    if not intent.settles_order:
        return []
    jobs = PrintJob.objects.select_related("machine").filter(order_no=intent.order.order_no).order_by("pk")
    return [line for job in jobs if (line := _job_ends(job))]


def _job_ends(job: PrintJob) -> str:
    told = {
        "job": job.queue_no or job.reference,
        "machine": job.machine.name if job.machine else _("no machine yet"),
    }
    if job.status in (*print_jobs.UNSENT, "waiting"):
        return (
            _(
                "Print job %(job)s (%(machine)s) is not sent any more, and is cancelled when the money is back."
            )
            % told
        )
    if job.status in ("failed", "gave_up"):
        return _("Print job %(job)s (%(machine)s) is cancelled when the money is back.") % told
    if job.status in IN_THE_QUEUE:
        return (
            _("Print job %(job)s is at the machine %(machine)s already and cannot be stopped from here.")
            % told
        )
    if job.status in PRINTED:
        return (
            _("Print job %(job)s (%(machine)s) is printed: the buyer keeps the case and gets the money.")
            % told
        )
    return ""
