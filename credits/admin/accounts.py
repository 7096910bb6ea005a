"""Credit accounts: what somebody has, what waits for an address, who owes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from credits.admin import adjusting
from credits.models import CreditAccount, Lot
from pimpshop.core.admin import finding, people, timeline, words
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions


class LotInline(TabularInline):
    model = Lot
    fields = (
        "origin",
        "payment_reference",
        "amount",
        "remaining",
        "expired",
        "reversed",
        "expires_at",
        "created_at",
    )
    readonly_fields = fields
    ordering = ("-pk",)
    extra = 0
    max_num = 0
    can_delete = False


@finding.finder("credit account", permission="credits.view_creditaccount")
def _account(name: str) -> CreditAccount | None:
    """By "account 5". A debt leads to its user's own account: credits that are given there pay it first."""
    number = name.removeprefix("account ")
    account = CreditAccount.objects.filter(pk=int(number)).first() if number.isdigit() else None
    if account is None or account.user_id is None or account.kind != CreditAccount.Kind.DEBT:
        return account
    own = CreditAccount.objects.filter(user_id=account.user_id, kind=CreditAccount.Kind.USER)
    return own.first() or account


@admin.register(CreditAccount)
class CreditAccountAdmin(EvidenceAdmin):
    list_display = ("__str__", "kind", "balance", "since")
    list_filter = (
        questions(
            Question("debt", _("who owes"), lambda rows: rows.filter(kind="debt", balance__lt=0)),
            Question("waiting", _("waits for an address"), lambda rows: rows.filter(kind="waiting", balance__gt=0)),
            Question("user", _("of users"), lambda rows: rows.filter(kind="user")),
        ),
    )  # fmt: skip
    search_fields = ("user__email", "email")
    fields = ("kind", "user", "email", "name", "balance", "created_at")
    inlines = (LotInline,)
    acts = adjusting.ACTS
    change_form_outer_after_template = "admin/timeline.html"

    def add_to_page(self, request: Any, obj: CreditAccount, context: dict[str, Any]) -> None:
        """The story of whose account it is, for whoever may see orders."""
        super().add_to_page(request, obj, context)
        if obj.user_id is not None and request.user.has_perm("orders.view_order"):
            context["told"] = people.tell(obj.user_id, request.GET.get("before", ""))
            context["lanes"] = timeline.LANES

    def get_queryset(self, request: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("user")
        return rows

    def subjects_of(self, obj: CreditAccount) -> list[str]:
        """A debt is put right on its user's own account."""
        if obj.user_id is None:
            return [f"account {obj.pk}"]
        theirs = CreditAccount.objects.filter(user_id=obj.user_id).values_list("pk", flat=True)
        return [f"account {number}" for number in theirs]

    @display(description=_("since"), ordering="created_at")
    def since(self, row: CreditAccount) -> str:
        return words.ago(row.created_at)
