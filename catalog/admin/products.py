"""What is sold. Its prices have acts and a history of their own (`admin.prices`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin import at_stripe, prices
from catalog.admin.phones import ShownAdmin
from catalog.models import CaseProduct, CreditPack, Plan, Price
from catalog.services import stripe_prices
from pimpshop.core.admin import finding, words
from pimpshop.core.admin.acting import Act
from pimpshop.core.admin.questions import questions


class ProductAdmin(ShownAdmin):
    acts: tuple[Act, ...] = prices.ACTS
    change_form_outer_after_template = "admin/prices.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what counts now and what comes next: one statement each for a whole list."""
        now = timezone.now()
        rows: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .prefetch_related(
                Prefetch("prices", Price.objects.counting(now).order_by("currency"), to_attr="prices_now"),
                Prefetch("prices", Price.objects.planned(now), to_attr="prices_planned"),
            )
        )
        return rows

    @display(description=_("prices"))
    def all_prices(self, product: Any) -> str:
        return " · ".join(prices.amount_of(price) for price in product.prices_now) or "–"

    @display(description=_("next"))
    def next_price(self, product: Any) -> str:
        for price in product.prices_planned[:1]:
            return f"{prices.amount_of(price)}, {words.ago(price.starts_at)}"
        return "–"

    def add_to_page(self, request: HttpRequest, obj: Any, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        context["price_rows"] = prices.rows(obj)

    def audit_subject(self, obj: Any) -> str:
        return str(obj.sku)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Order lines name it: it is not sold any more instead."""
        return False


#: A hundred years.
FOR_LIFE = 36_500
_WORDS = ("name", "name_zh", "description", "description_zh", "sku", "is_active", "sort_order")


@admin.register(CaseProduct)
class CaseProductAdmin(ProductAdmin):
    list_display = ("name", "phone_model", "all_prices", "next_price", "shown", "sku")
    list_select_related = ("phone_model",)
    search_fields = ("sku", "name", "phone_model__name")
    autocomplete_fields = ("phone_model",)
    fields = ("phone_model", *_WORDS)


class AtStripeAdmin(ProductAdmin):
    """Plans and packs: what they grant, and their price at Stripe."""

    acts = (*prices.ACTS, at_stripe.ACT)
    list_filter = (questions(*at_stripe.QUESTIONS),)
    list_select_related = ("at_stripe",)
    search_fields = ("sku", "stripe_price_id")

    @words.labelled(_("on sale"), ordering="is_active")
    def sale(self, product: Any) -> tuple[str, Any]:
        return ("success", _("on sale")) if product.is_active else ("", _("not on sale"))

    @words.labelled(_("at Stripe"))
    def compared(self, product: Any) -> tuple[str, Any]:
        return at_stripe.label(product, product.differ)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The comparison of the rows that are shown: one further statement for all of them."""
        changes = super().get_changelist_instance(request)
        rows = list(changes.result_list)
        differ = stripe_prices.of([row for row in map(at_stripe.row_of, rows) if row is not None])
        for product in rows:
            product.differ = differ
        changes.result_list = rows
        return changes

    def add_to_page(self, request: HttpRequest, obj: Any, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        context["at_stripe"] = at_stripe.panel(obj)


@admin.register(Plan)
class PlanAdmin(AtStripeAdmin):
    list_display = ("name", "grants", "all_prices", "next_price", "sale", "compared")
    fields = (*_WORDS, "stripe_price_id", "points", "term_days")

    @display(description=_("what it grants"), ordering="points")
    def grants(self, plan: Plan) -> str:
        if plan.term_days >= FOR_LIFE:
            return gettext("%s points, for life") % f"{plan.points:,}"
        told = gettext("%(points)s points, %(days)s days")
        return told % {"points": f"{plan.points:,}", "days": f"{plan.term_days:,}"}


@admin.register(CreditPack)
class CreditPackAdmin(AtStripeAdmin):
    list_display = ("name", "number", "grants", "all_prices", "next_price", "sale", "compared")
    fields = (*_WORDS, "number", "stripe_price_id", "credits", "image_url")

    @display(description=_("what it grants"), ordering="credits")
    def grants(self, pack: CreditPack) -> str:
        return gettext("%s credits") % f"{pack.credits:,}"


@finding.finder("product", permission="catalog.view_product")
def _product(sku: str) -> CaseProduct | Plan | CreditPack | None:
    """By its sku, as items and audit entries name it."""
    for kind in (CaseProduct, Plan, CreditPack):
        found: CaseProduct | Plan | CreditPack | None = kind.objects.filter(sku=sku).first()
        if found is not None:
            return found
    return None
