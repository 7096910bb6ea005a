"""Deliveries told to WeChat: which are due, which were given up, and the act that tries again."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from payments.models import ShippingNotice
from payments.services import shipping
from pimpshop.core.admin import words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


def _again(row: ShippingNotice, doing: Doing) -> bool:
    return shipping.tell_again(row)


@admin.register(ShippingNotice)
class ShippingNoticeAdmin(EvidenceAdmin):
    list_display = ("intent", "logistics_type", "description", "attempts", "made", "told")
    list_select_related = ("intent",)
    search_fields = ("intent__out_trade_no",)
    list_filter = (
        questions(
            Question("due", _("due"), lambda rows: rows.filter(next_attempt_at__isnull=False)),
            Question("ended", _("given up"), lambda rows: rows.filter(ended_at__isnull=False)),
        ),
    )
    fields = (
        "intent", "logistics_type", "description", "attempts", "created_at", "next_attempt_at", "told_at", "ended_at",
        "last_error",
    )  # fmt: skip
    acts = (
        Act(
            "tell-again", _("Tell WeChat again"), _("It is tried again now, with as many attempts as the first time."),
            _again, icon="local_shipping", possible=lambda row: row.ended_at is not None,
            permission="payments.change_paymentintent",
        ),
    )  # fmt: skip

    def subjects_of(self, obj: ShippingNotice) -> list[str]:
        return [obj.intent.out_trade_no]

    @display(description=_("made"), ordering="created_at")
    def made(self, row: ShippingNotice) -> str:
        return words.ago(row.created_at)

    @display(description=_("told"), ordering="told_at")
    def told(self, row: ShippingNotice) -> str:
        return words.ago(row.told_at)
