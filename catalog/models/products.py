"""What is sold, and for how much. A price is an integer of minor units; an order copies it, so it may change here."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models.phones import Named, PhoneModel
from pimpshop.core.models import Timestamped
from pimpshop.core.money import EXPONENTS, Money


class Product(Named, Timestamped):
    """Something with prices: a case, a plan, or a pack of credits (its one-to-one row tells)."""

    sku = models.SlugField(max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    description_zh = models.CharField(_("Chinese description"), max_length=300, blank=True)
    is_active = models.BooleanField(_("sold"), default=True)
    sort_order = models.PositiveSmallIntegerField(pgettext_lazy("position in a list", "order"), default=100)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["sort_order", "id"]


class CaseProduct(Product):
    """A printed case for one phone model."""

    phone_model = models.OneToOneField(
        PhoneModel, models.PROTECT, related_name="product", verbose_name=_("model")
    )

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")


class Plan(Product):
    """A plan of seed 3: points for a term. `stripe_price_id` is the price id that clients send."""

    stripe_price_id = models.CharField(max_length=80, unique=True)
    points = models.PositiveIntegerField(_("points"))
    term_days = models.PositiveIntegerField(_("term in days"))

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")


class CreditPack(Product):
    """A pack of credits: seed 4's products by `number`, seed 3's points packs by `stripe_price_id`."""

    number = models.PositiveIntegerField(_("number"), unique=True, help_text=_("Seed 4's product id."))
    stripe_price_id = models.CharField(max_length=80, unique=True, null=True, blank=True)
    credits = models.PositiveIntegerField(_("credits"))
    image_url = models.CharField(_("picture"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("credit pack")
        verbose_name_plural = _("credit packs")


class Price(Timestamped):
    """One price of a product in one currency, in minor units."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="prices", verbose_name=_("product"))
    currency = models.CharField(_("currency"), max_length=8, choices=[(c, c) for c in EXPONENTS])
    amount_minor = models.PositiveBigIntegerField(_("amount in minor units"))

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["product", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["product", "currency"], name="price_product_currency"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="price_is_positive"),
        ]

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
