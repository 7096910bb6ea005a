"""What is sold. Its prices have acts and a history of their own (`admin.prices`)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog.admin import prices
from catalog.admin.phones import ShownAdmin
from catalog.models import CaseProduct, CreditPack, Plan, Price
from pimpshop.core.admin import words


class ProductAdmin(ShownAdmin):
    acts = prices.ACTS
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


_WORDS = ("name", "name_zh", "description", "description_zh", "sku", "is_active", "sort_order")


@admin.register(CaseProduct)
class CaseProductAdmin(ProductAdmin):
    list_display = ("name", "phone_model", "all_prices", "next_price", "shown", "sku")
    list_select_related = ("phone_model",)
    search_fields = ("sku", "name", "phone_model__name")
    autocomplete_fields = ("phone_model",)
    fields = ("phone_model", *_WORDS)


@admin.register(Plan)
class PlanAdmin(ProductAdmin):
    list_display = ("name", "points", "term_days", "all_prices", "next_price", "shown", "stripe_price_id")
    search_fields = ("sku", "stripe_price_id")
    fields = (*_WORDS, "stripe_price_id", "points", "term_days")


@admin.register(CreditPack)
class CreditPackAdmin(ProductAdmin):
    list_display = ("name", "number", "credits", "all_prices", "next_price", "shown")
    search_fields = ("sku", "stripe_price_id")
    fields = (*_WORDS, "number", "stripe_price_id", "credits", "image_url")
