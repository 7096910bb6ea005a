"""What is sold and its prices. Staff write prices as people do ("19.99"); rows keep minor units."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.admin.phones import ShownAdmin
from catalog.models import CaseProduct, CreditPack, Plan, Price, Product
from pimpshop.core.admin import words
from pimpshop.core.money import InvalidAmount, Money, UnknownCurrency


class PriceForm(forms.ModelForm):
    """`amount` in major units; more decimals than the currency has are refused, never rounded."""

    amount = forms.CharField(label=_("amount"), max_length=22, widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Price
        fields = ("currency",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["amount"].initial = f"{self.instance.money.to_decimal():f}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "amount" in cleaned and "currency" in cleaned:
            try:
                money = Money.parse(cleaned["amount"], cleaned["currency"])
            except (InvalidAmount, UnknownCurrency):
                self.add_error("amount", gettext("This is no exact amount of that currency, such as 19.99."))
                return cleaned
            if money.amount_minor <= 0:
                self.add_error("amount", gettext("A price is more than nothing."))
            self.instance.amount_minor = max(money.amount_minor, 0)
        return cleaned


class PriceInline(TabularInline):
    model = Price
    form = PriceForm
    fields = ("currency", "amount")
    extra = 0
    hide_title = True
    verbose_name_plural = _("prices: a product is sold in the currencies that have one")


class ProductAdmin(ShownAdmin):
    inlines = (PriceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).prefetch_related("prices")
        return rows

    @display(description=_("prices"))
    def all_prices(self, product: Product) -> str:
        return (
            " · ".join(words.money(price.amount_minor, price.currency) for price in product.prices.all())
            or "–"
        )

    def audit_subject(self, obj: Product) -> str:
        return obj.sku

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Order lines name it: it is not sold any more instead."""
        return False


_WORDS = ("name", "name_zh", "description", "description_zh", "sku", "is_active", "sort_order")


@admin.register(CaseProduct)
class CaseProductAdmin(ProductAdmin):
    list_display = ("name", "phone_model", "all_prices", "shown", "sku")
    list_select_related = ("phone_model",)
    search_fields = ("sku", "name", "phone_model__name")
    autocomplete_fields = ("phone_model",)
    fields = ("phone_model", *_WORDS)


@admin.register(Plan)
class PlanAdmin(ProductAdmin):
    list_display = ("name", "points", "term_days", "all_prices", "shown", "stripe_price_id")
    search_fields = ("sku", "stripe_price_id")
    fields = (*_WORDS, "stripe_price_id", "points", "term_days")


@admin.register(CreditPack)
class CreditPackAdmin(ProductAdmin):
    list_display = ("name", "number", "credits", "all_prices", "shown")
    search_fields = ("sku", "stripe_price_id")
    fields = (*_WORDS, "number", "stripe_price_id", "credits", "image_url")
