"""What the catalogue holds, read: phones and shells with prices, templates, designs and photos of an owner.

Lives here: queries and the exact answer to "which shell is meant". Not here: stock (vending), writing (services).
Guarantees: no row is changed, nothing is guessed: a request that fits no shell or several raises.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import (
    CaseProduct,
    CreditPack,
    Design,
    DesignTemplate,
    PhoneBrand,
    PhoneModel,
    Photo,
    Plan,
    Price,
    Product,
    Shell,
)
from pimpshop.core import errors
from pimpshop.core.money import Money


class ShellUnknown(errors.ShopError):
    code = "shell_unknown"
    message = _("We do not know this phone case. Please check model, shell and colour.")


class ShellAmbiguous(errors.ShopError):
    code = "shell_ambiguous"
    message = _("Several phone cases fit this. Please name the model and the colour, or send the shell's id.")


class TemplateUnknown(errors.ShopError):
    code = "template_unknown"
    message = _("We do not know this template.")


class NotSold(errors.Conflict):
    code = "not_sold"
    message = _("This case is not sold here at the moment. Nothing was charged.")


@dataclass(frozen=True, slots=True)
class Offer:
    """A shell that can be bought, and for how much."""

    shell: Shell
    price: Money


def offers(currency: str) -> list[Offer]:
    """Every shell that is shown and has a price in `currency`, with model, brand and colour loaded. One query each
    for shells and prices; in the order in which people look for them."""
    of_cases = Price.objects.counting().filter(
        currency=currency, product__is_active=True, product__caseproduct__isnull=False
    )
    prices = {
        model_id: Money(minor, currency)
        for model_id, minor in of_cases.values_list("product__caseproduct__phone_model_id", "amount_minor")
        if minor is not None
    }
    shells = _shown().filter(model_id__in=prices).order_by(
        "model__brand__sort_order", "model__brand__name", "model__sort_order", "model__name", "colour__name", "pk"
    )  # fmt: skip
    return [Offer(shell, prices[shell.model_id]) for shell in shells]


def brands_of(found: list[Offer]) -> list[PhoneBrand]:
    """The brands among offers, each once, in their order."""
    return list({offer.shell.model.brand_id: offer.shell.model.brand for offer in found}.values())


def models_of(found: list[Offer], brand_id: int) -> list[PhoneModel]:
    """The models of a brand (our pk) among offers, each once, in their order."""
    return list(
        {o.shell.model_id: o.shell.model for o in found if o.shell.model.brand_id == brand_id}.values()
    )


def find_shell(
    *, model_id: str, shell_id: str, brand_id: str = "", brand: str = "", model: str = "", colour: str = ""
) -> Shell:
    """The one shell that is meant, by the manufacturer's ids; else brand, model and colour must give exactly one.

    With both ids the names are not looked at: clients spell them as they like. An id that is given is never ignored,
    `brand_id` included. Names match whatever their case. Raises ShellUnknown, ShellAmbiguous (400).
    """
    if any("\x00" in text for text in (model_id, shell_id, brand_id, brand, model, colour)):
        raise ShellUnknown  # the database would refuse the text itself
    query = Q()
    for field, text in (
        ("model__manufacturer_id", model_id), ("manufacturer_id", shell_id), ("model__brand__manufacturer_id", brand_id),
    ):  # fmt: skip
        if text:
            query &= Q(**{field: text})
    if not (model_id and shell_id):
        for path, text in (("model__brand", brand), ("model", model), ("colour", colour)):
            if text.strip():
                query &= _named(path, text.strip())
        if not (shell_id or model_id or model.strip()):
            raise ShellUnknown
    found = list(_shown().filter(query)[:2])
    if len(found) > 1:
        raise ShellAmbiguous
    if not found:
        raise ShellUnknown
    return found[0]


def _named(path: str, text: str) -> Q:
    """`path` is called `text` in either language, or by its slug."""
    query = Q(**{f"{path}__name__iexact": text}) | Q(**{f"{path}__name_zh__iexact": text})
    return query if path == "model" else query | Q(**{f"{path}__slug": text.lower()})


def _shown() -> QuerySet[Shell]:
    """Shells that staff show, with what is always asked about them."""
    return Shell.objects.filter(
        is_active=True, model__is_active=True, model__brand__is_active=True
    ).select_related("model__brand", "colour")


def shown_shell(pk: int | str) -> Shell:
    """The shell with our own key, if it is shown. Raises ShellUnknown."""
    text = str(pk)
    shell = (
        _shown().filter(pk=int(text)).first()
        if text.isascii() and text.isdigit() and len(text) < 16
        else None
    )
    if shell is None:
        raise ShellUnknown
    return shell


def case_price(shell: Shell, currency: str) -> Money:
    """What a case for that shell costs. Raises NotSold (409) when it has no price in `currency` or is not sold."""
    price = (
        Price.objects.counting()
        .filter(
            product__caseproduct__phone_model_id=shell.model_id, product__is_active=True, currency=currency
        )
        .first()
    )
    if price is None:
        raise NotSold
    return price.money


def lowest_case_price(currency: str) -> Money | None:
    """The cheapest case in `currency`; None when there is none."""
    products = CaseProduct.objects.filter(is_active=True, phone_model__is_active=True)
    price = (
        Price.objects.counting()
        .filter(product__in=products.values("pk"), currency=currency)
        .order_by("amount_minor")
        .first()
    )
    return price.money if price else None


def templates() -> list[DesignTemplate]:
    """The templates that are shown, in their order."""
    return list(DesignTemplate.objects.filter(is_active=True))


def template_by_slug(slug: str) -> DesignTemplate:
    """The template of that name, shown or not: a stored design may use one that is no longer offered.
    Raises TemplateUnknown (400)."""
    template = DesignTemplate.objects.filter(slug=slug).first() if "\x00" not in slug else None
    if template is None:
        raise TemplateUnknown
    return template


def photo_of(owner: str, photo_id: str | uuid.UUID) -> Photo:
    """A photo of that owner. Anybody else's, an unknown and a malformed id raise NotFound (404) alike."""
    try:
        key = photo_id if isinstance(photo_id, uuid.UUID) else uuid.UUID(photo_id)
    except (ValueError, AttributeError, TypeError):
        raise errors.NotFound from None
    photo = Photo.objects.filter(pk=key, owner=owner).first()
    if photo is None:
        raise errors.NotFound
    return photo


def design_of(owner: str, design_id: uuid.UUID) -> Design:
    """A design of that owner, with its shell. Raises NotFound (404) for anybody else's too."""
    design = _designs().filter(pk=design_id, owner=owner).first()
    if design is None:
        raise errors.NotFound
    return design


def latest_design(owner: str) -> Design | None:
    """What the owner worked on last: the open design if there is one, else the newest frozen one."""
    return (
        _designs().filter(owner=owner).order_by(F("frozen_at").desc(nulls_first=True), "-created_at").first()
    )


def latest_photo(owner: str) -> Photo | None:
    """The photo that the owner uploaded last."""
    return Photo.objects.filter(owner=owner).order_by("-created_at").first()


def photos(owner: str, most: int = 24) -> list[Photo]:
    """What the owner uploaded, newest first."""
    return list(Photo.objects.filter(owner=owner).order_by("-created_at")[:most])


def _designs() -> QuerySet[Design]:
    return Design.objects.select_related("shell__model__brand", "shell__colour", "template")


class ProductUnknown(errors.NotFound):
    code = "product_unknown"
    message = _("We do not know this product.")


def pack_by_number(number: int) -> CreditPack:
    """The pack with that number (seed 4's product id), if it is sold. Raises ProductUnknown (404)."""
    pack = CreditPack.objects.filter(number=number, is_active=True).first() if 0 < number < 2**31 else None
    if pack is None:
        raise ProductUnknown
    return pack


def by_price_id(price_id: str) -> Plan | CreditPack | None:
    """The plan or pack with that price id (seed 3), sold or not; None when we never had it."""
    if not price_id or "\x00" in price_id:
        return None
    found: Plan | CreditPack | None = Plan.objects.filter(stripe_price_id=price_id).first()
    return found or CreditPack.objects.filter(stripe_price_id=price_id).first()


def plan_by_price_id(price_id: str) -> Plan:
    """The plan with that price id, if it is sold. Raises ProductUnknown (404)."""
    plan = by_price_id(price_id)
    if not isinstance(plan, Plan) or not plan.is_active:
        raise ProductUnknown
    return plan


def product_price(product: Product, currency: str) -> Money:
    """What a pack or plan costs. Raises NotSold (409) without a price in `currency`, or when it is not sold."""
    price = (
        Price.objects.counting()
        .filter(product_id=product.pk, product__is_active=True, currency=currency)
        .first()
    )
    if price is None:
        raise NotSold(_("This is not sold in that currency at the moment. Nothing was charged."))
    return price.money


def packs(currency: str) -> list[tuple[CreditPack, Money]]:
    """Packs of credits with a price in `currency`, in their order."""
    prices = _prices(currency)
    return [(pack, prices[pack.pk]) for pack in CreditPack.objects.filter(is_active=True, pk__in=prices)]


def pack_offer(number: int, currency: str) -> tuple[CreditPack, Price]:
    """The pack with that number and its price in `currency`. Raises ProductUnknown, also when it is not sold in it."""
    pack = pack_by_number(number)
    price = Price.objects.counting().filter(product_id=pack.pk, currency=currency).first()
    if price is None:
        raise ProductUnknown
    return pack, price


def pack_offers(currency: str) -> list[tuple[CreditPack, Price]]:
    """All packs that are sold in `currency`, each with its price, in their order."""
    found = Price.objects.counting().filter(
        currency=currency, product__creditpack__isnull=False, product__is_active=True
    )
    prices = {price.product_id: price for price in found}
    return [(pack, prices[pack.pk]) for pack in CreditPack.objects.filter(pk__in=prices)]


def plans(currency: str) -> list[tuple[Plan, Money]]:
    """Plans with a price in `currency`, in their order."""
    prices = _prices(currency)
    return [(plan, prices[plan.pk]) for plan in Plan.objects.filter(is_active=True, pk__in=prices)]


def _prices(currency: str) -> dict[int, Money]:
    """Product pk -> price, of what is sold in `currency`."""
    found = Price.objects.counting().filter(currency=currency, product__is_active=True)
    return {price.product_id: price.money for price in found}


def by_sku(kind: type[CreditPack] | type[Plan], sku: str) -> CreditPack | Plan:
    """The pack or plan with that sku, if it is sold. Raises ProductUnknown (404)."""
    product = kind.objects.filter(sku=sku, is_active=True).first()
    if product is None:
        raise ProductUnknown
    return product


def plan_name(sku: str) -> str:
    """What a plan is called in the active language, sold or not; its sku where we do not know it any more."""
    plan = Plan.objects.filter(sku=sku).first()
    return str(plan) if plan is not None else sku


def currencies_of(kind: type[CreditPack] | type[Plan]) -> list[str]:
    """The currencies in which something of that kind can be bought for money, by name."""
    found = Price.objects.counting().filter(
        product_id__in=kind.objects.filter(is_active=True).values_list("pk", flat=True)
    )
    return sorted(set(found.exclude(currency="CREDITS").values_list("currency", flat=True)))


def product_currencies(product: Product) -> list[str]:
    """The currencies in which a pack or plan can be bought for money."""
    found = (
        Price.objects.counting()
        .filter(product_id=product.pk, product__is_active=True)
        .exclude(currency="CREDITS")
    )
    return sorted(found.values_list("currency", flat=True))


def price_in_credits(product_id: int, at: datetime | None = None) -> int | None:
    """What one of a product costs in credits (cost at that time); None when it is not sold for them."""
    known = Price.objects.counting(at).filter(product__is_active=True, currency="CREDITS")
    return known.filter(product_id=product_id).values_list("amount_minor", flat=True).first()


def case_currencies(shell: Shell) -> list[str]:
    """The currencies in which a case for that shell can be bought for money."""
    found = (
        Price.objects.counting()
        .filter(product__caseproduct__phone_model_id=shell.model_id, product__is_active=True)
        .exclude(currency="CREDITS")
    )
    return sorted(found.values_list("currency", flat=True))
