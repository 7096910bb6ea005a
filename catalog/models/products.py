"""What is sold, and for how much from when. A price is an integer of minor units; an order copies it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
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


class Prices(models.QuerySet["Price"]):
    """Prices, asked by time."""

    def counting(self, at: datetime | None = None) -> Prices:
        """What counts at `at` (now): of each product and currency the price that started last, at most one; none where
        it was taken off sale. Narrow the answer as any other; it stays one statement."""
        moment = at or timezone.now()
        begun = models.Q(called_off_at=None, starts_at__lte=moment)
        newer = models.Q(starts_at__gt=models.OuterRef("starts_at")) | models.Q(
            starts_at=models.OuterRef("starts_at"), pk__gt=models.OuterRef("pk")
        )
        same = models.Q(product=models.OuterRef("product"), currency=models.OuterRef("currency"))
        overtaken = models.Exists(Price.objects.filter(same, begun, newer))
        return self.filter(begun, ~overtaken, amount_minor__isnull=False)

    def planned(self, after: datetime | None = None) -> Prices:
        """What starts later, the next first."""
        return self.filter(called_off_at=None, starts_at__gt=after or timezone.now()).order_by(
            "starts_at", "pk"
        )


class Price(Timestamped):
    """One price of a product in one currency, in minor units, from a moment on; empty: not sold in it from then on.

    Append-only (a trigger, migration 0005): a new price is a new row, and only what has not started may be called off. What
    counts at a moment is asked by time (`Prices.counting`), so a price that starts later needs nobody to switch it on.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="prices", verbose_name=_("product"))
    currency = models.CharField(_("currency"), max_length=8, choices=[(c, c) for c in EXPONENTS])
    amount_minor = models.PositiveBigIntegerField(
        _("amount in minor units"), null=True, help_text=_("Empty: not sold in this currency.")
    )
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    actor = models.CharField(_("who"), max_length=120, blank=True, default="")
    reason = models.CharField(_("why"), max_length=500, blank=True, default="")
    called_off_at = models.DateTimeField(_("called off"), null=True, blank=True)
    called_off_by = models.CharField(_("called off by"), max_length=120, blank=True, default="")

    objects = Prices.as_manager()

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["product", "currency", "-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount_minor=None) | models.Q(amount_minor__gt=0), name="price_is_positive"
            ),
        ]
        indexes = [models.Index(fields=["product", "currency", "-starts_at", "-id"], name="price_by_time")]

    def __str__(self) -> str:
        return f"– {self.currency}" if self.amount_minor is None else str(self.money)

    @property
    def money(self) -> Money:
        """How much. Raises ValueError for a row that says "not sold": no selector answers one."""
        if self.amount_minor is None:
            raise ValueError("not sold in that currency")
        return Money(self.amount_minor, self.currency)


class PriceAtStripe(Timestamped):
    """What Stripe says of a product's price id, as it last answered, and when it is to be asked next.

    Written by payments.services.stripe_prices alone; a mirror, never what anybody is charged.
    """

    product = models.OneToOneField(
        Product, models.CASCADE, related_name="at_stripe", verbose_name=_("product")
    )
    price_id = models.CharField(_("price id"), max_length=80)
    is_found = models.BooleanField(_("known at Stripe"), null=True, help_text=_("Empty: not answered yet."))
    is_active = models.BooleanField(_("active at Stripe"), default=False)
    amount_minor = models.BigIntegerField(_("amount in minor units"), null=True)
    currency = models.CharField(_("currency"), max_length=8, blank=True, default="")
    interval = models.CharField(
        _("paid again every"), max_length=20, blank=True, default="", help_text=_("Empty: paid once.")
    )
    checked_at = models.DateTimeField(_("answered"), null=True)
    due_at = models.DateTimeField(_("to be asked"), default=timezone.now)
    error = models.CharField(_("last error"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("price at Stripe")
        verbose_name_plural = _("prices at Stripe")
        indexes = [models.Index(fields=["due_at"], name="priceatstripe_due")]

    def __str__(self) -> str:
        return self.price_id
