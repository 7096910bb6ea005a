"""The acts that pay money back, of a payment's page and of a refund's: each shows first what would move, counts for the
limits of staff, and is done in one transaction; the provider is called after it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from payments.models import PaymentIntent, Refund
from payments.services import external_refunds, late, previews, refund_credits, refund_steps, refunds, surplus
from pimpshop.core.admin import words
from pimpshop.core.admin.acts import WHY, Act, Did, Doing, Preview


def left(intent: PaymentIntent) -> int:
    """Minor units that were captured and that no refund (but a failed one) speaks for."""
    return intent.captured_minor - intent.refund_reserved_minor


def _refundable(intent: PaymentIntent) -> bool:
    return intent.status in ("succeeded", "partially_refunded") and left(intent) > 0


def _locked(intent: PaymentIntent) -> PaymentIntent:
    PaymentIntent.objects.select_for_update(no_key=True).get(pk=intent.pk)
    return PaymentIntent.objects.select_related("order__user").get(pk=intent.pk)


def _locked_refund(refund: Refund) -> Refund:
    """The payment first, then the refund: as refund_steps locks them."""
    PaymentIntent.objects.select_for_update(no_key=True).get(pk=refund.intent_id)
    Refund.objects.select_for_update(no_key=True).get(pk=refund.pk)
    return Refund.objects.select_related("intent__order__user").get(pk=refund.pk)


def _shown(told: previews.Told) -> Preview:
    """As the desk shows it; another print is offered first where the case is printed."""
    instead = [
        (
            gettext("Print %(job)s again instead") % {"job": job.queue_no or job.reference},
            reverse("admin:vending_printjob_act", args=[job.pk, "reprint"]),
        )
        for job in told.reprint
    ]
    return Preview(told.lines, told.moves, told.confirm, instead)


def _refund(intent: PaymentIntent, doing: Doing) -> Did:
    refund = refunds.request_refund(
        intent=intent, amount_minor=previews.amount_of(intent, doing.amount).amount_minor, origin="staff",
        actor=doing.actor, reason="requested_by_customer", note=doing.reason, source="admin",
    )  # fmt: skip
    return Did(reference=refund.out_refund_no, after=lambda: _sent(refund))


def _sent(refund: Refund) -> str:
    refund_steps.send(refund.pk)
    refund.refresh_from_db()
    return gettext("refund %(number)s of %(amount)s: %(state)s") % {
        "number": refund.out_refund_no,
        "amount": words.money(refund.amount_minor, refund.currency),
        "state": refund.get_status_display(),
    }


def _pay_back(intent: PaymentIntent, doing: Doing) -> Did:
    refund = refunds.request_manual_refund(
        intent=intent, amount_minor=previews.amount_of(intent, "").amount_minor, actor=doing.actor,
        reason=doing.reason, note=doing.reason,
    )  # fmt: skip
    said = gettext("refund %s is written; pay it back and mark it") % refund.out_refund_no
    return Did(said, reference=refund.out_refund_no)


def _as_credits(intent: PaymentIntent, doing: Doing) -> Did:
    refund = refund_credits.request_refund(
        intent=intent, amount_minor=previews.amount_of(intent, doing.amount).amount_minor, actor=doing.actor,
        reason=doing.reason, email=doing.person,
    )  # fmt: skip
    return _in_credits(refund)


_MONEY: dict[str, Any] = {
    "reason": WHY, "audited": True, "on_lists": False, "permission": "payments.add_refund",
    "variant": ActionVariant.WARNING,
}  # fmt: skip


def _accept_late(intent: PaymentIntent, doing: Doing) -> None:
    late.accept(intent=intent, actor=doing.actor, reason=doing.reason)


def _of_accepting(intent: PaymentIntent, doing: Doing) -> Preview:
    if not late.waits(intent):
        raise late.NotLate
    told = {"amount": words.money(intent.captured_minor, intent.currency), "order": intent.order.order_no}
    return Preview(
        [
            gettext("%(amount)s stays, and order %(order)s is made as it was ordered. No money moves now.")
            % told
        ]
    )


def _keep(intent: PaymentIntent, doing: Doing) -> Did:
    refund = surplus.keep_as_credits(
        intent=intent, actor=doing.actor, reason=doing.reason, email=doing.person
    )
    return _in_credits(refund)


def _in_credits(refund: Refund) -> Did:
    said = gettext("refund %(number)s: %(credits)s instead of %(amount)s") % {
        "number": refund.out_refund_no,
        "credits": words.money(refund.metadata["credits"], "CREDITS"),
        "amount": words.money(refund.amount_minor, refund.currency),
    }
    return Did(said, reference=refund.out_refund_no)


OF_A_PAYMENT = (
    Act(
        "accept-late",
        _("It is wanted after all"),
        _(
            "The money came after the order was over. You asked, and the customer still wants it; else pay it back."
        ),
        _accept_late,
        reason=WHY,
        icon="event_available",
        possible=late.waits,
        audited=True,
        on_lists=False,
        preview=_of_accepting,
        lock=_locked,
    ),
    Act(
        "keep-surplus",
        _("Keep the surplus, as credits"),
        _("It came once too often. You asked, and the buyer takes credits; else pay it back."),
        _keep,
        person=_("The shopper's e-mail address, if the order has no account"),
        icon="savings",
        possible=surplus.can_be_credits,
        preview=lambda intent, doing: _shown(previews.of_surplus(intent, doing.person)),
        lock=_locked,
        **_MONEY,
    ),
    Act(
        "refund",
        _("Refund"),
        _(
            "Goes back to where it came from, through the provider. Credits that it bought are taken back in proportion."
        ),
        _refund,
        amount=_("How much? Empty: all that is left"),
        icon="undo",
        possible=lambda intent: intent.gateway != "machine" and _refundable(intent),
        preview=lambda intent, doing: _shown(previews.of_refund(intent, doing.amount)),
        lock=_locked,
        **_MONEY,
    ),
    Act(
        "pay-back",
        _("Pay back by hand"),
        _(
            "Writes a refund of everything that is left of this payment. You pay it back and then mark it as done."
        ),
        _pay_back,
        icon="undo",
        possible=_refundable,
        preview=lambda intent, doing: _shown(previews.of_refund(intent, "", by_hand=True)),
        lock=_locked,
        **_MONEY,
    ),
    Act(
        "pay-back-as-credits",
        _("Pay back as credits"),
        _(
            "Instead of money the shopper gets credits at once, at the case's own rate. It counts as paid back and cannot be undone."
        ),
        _as_credits,
        amount=_("How much of the money? Empty: all that is left"),
        person=_("The shopper's e-mail address, if the order has no account"),
        icon="redeem",
        possible=lambda intent: _refundable(intent) and bool(refund_credits.worth(intent, left(intent))),
        preview=lambda intent, doing: _shown(previews.as_credits(intent, doing.amount, doing.person)),
        lock=_locked,
        **_MONEY,
    ),
)


def _mark(refund: Refund, doing: Doing) -> Did:
    refunds.mark_paid_back(refund=refund, actor=doing.actor, note=doing.reason)
    return Did(reference=refund.out_refund_no)


def _manual_as_credits(refund: Refund, doing: Doing) -> Did:
    refund_credits.pay_manual_refund(
        refund=refund, actor=doing.actor, reason=doing.reason, email=doing.person
    )
    return Did(reference=refund.out_refund_no)


def _by_hand(refund: Refund) -> bool:
    return refund.kind == Refund.Kind.MANUAL and refund.status in ("created", "pending")


def _decide(ours: bool) -> Any:
    def run(refund: Refund, doing: Doing) -> None:
        external_refunds.decide(refund=refund, ours=ours, actor=doing.actor, reason=doing.reason)

    return run


def _of_deciding(ours: bool) -> Any:
    def preview(refund: Refund, doing: Doing) -> Preview:
        if not external_refunds.waits(refund):
            raise external_refunds.NotToDecide
        told = {"amount": words.money(refund.amount_minor, refund.currency)}
        lines = [gettext("%(amount)s is away already and stays so: no money moves now.") % told]
        if not ours:
            lines.append(gettext("An item is opened: keys and passwords at the provider are to be changed."))
        return Preview(lines)

    return preview


def _deciding(name: str, label: Any, explain: Any, ours: bool) -> Act:
    return Act(
        name, label, explain, _decide(ours), reason=WHY, icon="fact_check", possible=external_refunds.waits,
        audited=True, on_lists=False, preview=_of_deciding(ours), lock=_locked_refund,
    )  # fmt: skip


OF_A_REFUND = (
    _deciding(
        "was-ours",
        _("It was ours after all"),
        _("One of us paid it back in the provider's own pages. Say who and why it was done there."),
        True,
    ),
    _deciding(
        "was-not-ours",
        _("It was none of us"),
        _("Nobody here knows of it. It stays recorded, and somebody has to look who did it."),
        False,
    ),
    Act(
        "mark-paid-back",
        _("Mark as paid back"),
        _("You paid it back by hand. Say how: the note is kept with your name, and the payment follows."),
        _mark,
        reason=_("How was it paid back? (kept with your name)"),
        icon="task_alt",
        variant=ActionVariant.PRIMARY,
        possible=_by_hand,
        audited=True,
        on_lists=False,
        preview=lambda refund, doing: _shown(previews.of_marking(refund)),
        lock=_locked_refund,
    ),
    Act(
        "pay-as-credits",
        _("Pay back as credits"),
        _(
            "Instead of money the shopper gets credits at once, at the case's own rate. It counts as paid back and cannot be undone."
        ),
        _manual_as_credits,
        reason=WHY,
        person=_("The shopper's e-mail address, if the order has no account"),
        icon="redeem",
        possible=lambda refund: (
            _by_hand(refund) and bool(refund_credits.worth(refund.intent, refund.amount_minor))
        ),
        audited=True,
        on_lists=False,
        permission="payments.add_refund",
        preview=lambda refund, doing: _shown(previews.of_manual_as_credits(refund, doing.person)),
        lock=_locked_refund,
    ),
)
