"""Payments: every attempt with its events. Read only; "check now" asks the provider, refunds are rows of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments import registry, states
from payments.admin import paying_back
from payments.admin.ways import WAYS, ByGateway
from payments.models import PaymentIntent
from payments.services import sync
from payments.services.settlement import Applied
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import Act, Did, Doing, Preview
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions

UNDECIDED_FOR = timedelta(minutes=10)


def _stuck(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(status__in=states.UNDECIDED, created_at__lt=timezone.now() - UNDECIDED_FOR)


#: What became of the provider's answer.
FOUND: dict[Applied, Any] = {
    Applied.SETTLED: _("it is paid, and order %(order)s goes on"),
    Applied.SURPLUS: _("it is paid, but the order was paid already: the money goes back"),
    Applied.MOVED: _("it is now: %(state)s"),
    Applied.UNCHANGED: _("nothing new, it is still: %(state)s"),
    Applied.REFUSED: _(
        "what the provider says does not fit this payment; nothing was changed, an item tells more"
    ),
}


def _check(intent: PaymentIntent, doing: Doing) -> Did:
    before = intent.status
    checked = sync.check_now(intent=intent, source="admin", actor=doing.actor)
    intent.refresh_from_db()
    facts: dict[str, Any] = {"found": checked.provider_status}
    if before != intent.status:
        facts["changes"] = [{"field": "status", "before": before, "after": intent.status}]
    if not checked.asked:
        return Did(gettext("somebody asked a moment ago; look at the timeline"), tone="warning", facts=facts)
    if checked.applied is None:
        said = gettext("the provider does not answer; nothing was changed")
        return Did(said, tone="warning", facts=facts)
    told = {"order": intent.order.order_no, "state": words.word(intent.status)}
    said = str(FOUND[checked.applied]) % told
    if checked.provider_status:
        said = gettext("%(found)s (the provider's word: %(word)s)") % {
            "found": said, "word": checked.provider_status
        }  # fmt: skip
    tone = "warning" if checked.applied in (Applied.SURPLUS, Applied.REFUSED) else "success"
    return Did(said, tone=tone, facts=facts)


def _of_checking(intent: PaymentIntent, doing: Doing) -> Preview:
    told = {
        "payment": intent.out_trade_no,
        "order": intent.order.order_no,
        "amount": words.money(intent.amount_minor, intent.currency),
        "way": str(WAYS.get(intent.gateway, intent.gateway)),
    }
    lines = [
        gettext("“%(way)s” is asked what became of payment %(payment)s (%(amount)s). Asking moves no money.") % told,
        gettext("If it was paid, order %(order)s goes on. If its time is over, it counts as not paid.") % told,
    ]  # fmt: skip
    state = {"state": words.word(intent.status), "ago": words.ago(intent.last_query_at)}
    return Preview(lines, now=[gettext("Here it is at: %(state)s. Last asked: %(ago)s.") % state])


@admin.register(PaymentIntent)
class PaymentIntentAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("headline", "state", "amount_shown", "order_link", "role", "trouble", "made")
    list_filter = (
        questions(
            Question("open", _("undecided"), lambda rows: rows.filter(status__in=states.UNDECIDED)),
            Question("stuck", _("undecided for 10 min"), _stuck),
            Question("surplus", _("surplus"), lambda rows: rows.filter(is_surplus=True)),
            Question("failed", _("failed"), lambda rows: rows.filter(status="failed")),
            Question("refunded", _("refunded"), lambda rows: rows.filter(status__in=states.PAID_BACK)),
        ),
        ByGateway,
    )
    list_select_related = ("order",)

    def exact_numbers(self, term: str) -> list[Q]:
        """The provider's numbers, whose indexes begin with the gateway."""
        return [
            Q(gateway__in=registry.KEYS, **{number: term}) for number in ("provider_ref", "transaction_ref")
        ]

    search_fields = ("out_trade_no", "order__order_no")
    fieldsets = (
        (None, {"fields": (("state", "amount_shown"), ("order_link", "role"), ("gateway", "method"), "trouble")}),
        (_("Money"), {"fields": (("captured", "refunded"), "succeeded_at")}),
        (
            _("Times and numbers"),
            {
                "classes": ["collapse"],
                "fields": (
                    "out_trade_no", "public_id", "provider_ref", "account", "live", "attempt", "created_at",
                    "last_query_at", "next_query_at", "query_count", "query_until", "error_code", "error_message",
                    "details",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "state", "amount_shown", "order_link", "role", "trouble", "captured", "refunded", "details",
    )  # fmt: skip
    acts = (
        Act(
            "check-now",
            _("Check now"),
            _("The provider is asked, and what it says is applied. Nothing is asked of the shopper."),
            _check,
            icon="sync",
            at_most=5,
            preview=_of_checking,
            calls=True,
            possible=lambda intent: intent.status not in ("refunded", "partially_refunded", "succeeded"),
        ),
        *paying_back.OF_A_PAYMENT,
    )
    state = words.state_column()

    def story_of(self, obj: PaymentIntent) -> timeline.Story:
        return timeline.Story(order_no=obj.order.order_no, session_id=obj.order.session_id)

    def subjects_of(self, obj: PaymentIntent) -> list[str]:
        """Its own, its refunds' and its disputes'."""
        refunds, disputes = (
            obj.refunds.values_list("out_refund_no", flat=True),
            obj.disputes.values_list("provider_ref", flat=True),
        )
        return [obj.out_trade_no, *refunds, *disputes]

    @display(description=_("payment"), header=True)
    def headline(self, intent: PaymentIntent) -> tuple[str, str]:
        return intent.out_trade_no, f"{intent.gateway} · {intent.method}"

    @display(description=_("amount"), ordering="amount_minor")
    def amount_shown(self, intent: PaymentIntent) -> str:
        return words.money(intent.amount_minor, intent.currency)

    @display(description=_("captured"))
    def captured(self, intent: PaymentIntent) -> str:
        return words.money(intent.captured_minor, intent.currency)

    @display(description=_("refunded"))
    def refunded(self, intent: PaymentIntent) -> str:
        return words.money(intent.refunded_minor, intent.currency)

    @display(description=_("order"))
    def order_link(self, intent: PaymentIntent) -> str:
        return words.link(finding.address(intent.order.order_no, "order"), intent.order.order_no)

    @words.labelled(_("for the order"))
    def role(self, intent: PaymentIntent) -> tuple[str, Any]:
        if intent.settles_order:
            return "success", _("settled it")
        return ("danger", _("surplus")) if intent.is_surplus else ("", "–")

    @display(description=_("error"))
    def trouble(self, intent: PaymentIntent) -> str:
        return intent.error_message or intent.error_code or "–"

    @display(description=_("made"), ordering="created_at")
    def made(self, intent: PaymentIntent) -> str:
        return words.ago(intent.created_at)

    @display(description=_("details"))
    def details(self, intent: PaymentIntent) -> str:
        return words.json_block({"metadata": intent.metadata, "next action": intent.next_action})
