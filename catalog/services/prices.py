"""A new price: what it would change, writing it down, and calling off what has not started.

Lives here: the words of staff's acts and the one place that writes prices beside the demo data. Not here: what counts at a
moment (`Prices.counting`), what shoppers see (selectors). Orders keep the price that they were made at.
Guarantees: nothing that has started is ever changed (the database refuses it too), and nothing starts in the past; each act
leaves its audit entry in its own transaction. Raises `Refused` in words for people; nothing changed then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import CaseProduct, Price, Product
from pimpshop.core import errors, typed_amounts
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import EXPONENTS, Money, UnknownCurrency

CREDITS = "CREDITS"
#: So many times the present price, or one in so many: somebody must say that it is meant.
ABSURD = 10
#: A start further away than this is a slip of the finger.
FURTHEST = timedelta(days=730)
#: Somebody reads the preview and says yes: a start that was ahead when it was typed still counts, from now on.
READING = timedelta(minutes=10)


class Refused(errors.Conflict):
    code = "price_refused"
    message = _("This is no exact amount of that currency, such as 19.99.")


@dataclass(frozen=True)
class Change:
    """What a new price would do. `money` None: not sold in that currency; `starts_at` None: from now on; `before`: what
    counts until then; `replaces`: what was planned for the same moment; `later`: what is planned for afterwards."""

    product: Product
    currency: str
    money: Money | None
    starts_at: datetime | None
    before: Money | None
    replaces: Price | None
    later: tuple[Price, ...]

    @property
    def is_absurd(self) -> bool:
        """Ten times the price before, or a tenth of it, or less."""
        if self.money is None or self.before is None:
            return False
        new, old = self.money.amount_minor, self.before.amount_minor
        return new >= old * ABSURD or new * ABSURD <= old


def currencies(product: Product) -> list[str]:
    """What this may be sold for: those that it has a price in first. Credits buy cases only."""
    is_case = CaseProduct.objects.filter(pk=product.pk).exists()
    known = list(
        Price.objects.filter(product_id=product.pk).order_by().values_list("currency", flat=True).distinct()
    )
    allowed = [code for code in EXPONENTS if code != CREDITS or is_case]
    return sorted(code for code in allowed if code in known) + sorted(
        code for code in allowed if code not in known
    )


def change(*, product: Product, currency: str, amount: str, starts_at: datetime | None) -> Change:
    """What a price of `amount` (major units as people write them; "": not sold) from `starts_at` (None: now) would do.
    Raises Refused."""
    now = timezone.now()
    if currency not in currencies(product):
        raise Refused(_("It cannot be sold for that."))
    wanted = money(amount, currency) if amount.strip() else None
    if starts_at is not None and starts_at <= now - READING:
        raise Refused(
            _("That moment has passed. What was paid until now stays as it was: choose a later one.")
        )
    if starts_at is not None and starts_at > now + FURTHEST:
        raise Refused(_("That is more than two years away. Please look at the year."))
    moment = starts_at if starts_at is not None and starts_at > now else None
    rows = Price.objects.filter(product_id=product.pk, currency=currency)
    before = rows.counting(moment - timedelta(microseconds=1) if moment else now).first()
    then = rows.counting(moment or now).first()
    if (then.money if then else None) == wanted:
        raise Refused(_("It is the same already. Nothing was changed."))
    return Change(
        product, currency, wanted, moment, before.money if before else None,
        rows.filter(starts_at=moment, called_off_at=None).order_by("-pk").first() if moment else None,
        tuple(rows.planned(moment or now)),
    )  # fmt: skip


def set_price(wanted: Change, *, actor: str, reason: str) -> Price:
    """Write a price down, as `change` said it."""
    amount = wanted.money
    with transaction.atomic():
        made = Price.objects.create(
            product_id=wanted.product.pk, currency=wanted.currency,
            amount_minor=amount.amount_minor if amount is not None else None,
            starts_at=wanted.starts_at or timezone.now(), actor=actor[:120], reason=reason[:500],
        )  # fmt: skip
        _audit("set price", wanted.product, made, before=str(wanted.before or ""), actor=actor, reason=reason)
    return made


def call_off(*, price: Price, actor: str, reason: str) -> Price:
    """Call off what has not started. Raises Refused when it has, or when somebody called it off before."""
    now = timezone.now()
    with transaction.atomic():
        waiting = Price.objects.filter(pk=price.pk, called_off_at=None, starts_at__gt=now)
        if not waiting.update(called_off_at=now, called_off_by=actor[:120]):
            raise Refused(_("This price has started or was called off before. Nothing was changed."))
        _audit(
            "call off price", price.product, price, before=str(price), actor=actor, reason=reason, gone=True
        )
    return price


def planned(product: Product) -> list[Price]:
    """What may still be called off, the next first."""
    return list(Price.objects.filter(product_id=product.pk).planned())


def history(product: Product, most: int = 200) -> Sequence[Price]:
    """All that was ever decided, the newest start first."""
    return list(Price.objects.filter(product_id=product.pk).order_by("-starts_at", "-pk")[:most])


def counting(product: Product) -> list[Price]:
    """What counts now, by currency."""
    return list(Price.objects.counting().filter(product_id=product.pk).order_by("currency"))


def money(amount: str, currency: str) -> Money:
    """What somebody typed, exactly, read as every amount at the desk (pimpshop.core.typed_amounts). Raises Refused."""
    if amount.strip() and not set(amount.strip()) - set("0."):
        raise Refused(_("A price is more than nothing."))
    try:
        return typed_amounts.read(amount, currency)
    except UnknownCurrency:
        raise Refused from None
    except typed_amounts.NotAnAmount as error:
        raise Refused(error.message if error.message is typed_amounts.COMMA else None) from None


def _audit(
    action: str, product: Product, price: Price, *, before: str, actor: str, reason: str, gone: bool = False
) -> None:
    start = f"{price.starts_at:%Y-%m-%d %H:%M:%S}Z"
    AuditEntry.objects.create(
        actor=actor[:120], action=action, subject=product.sku, reason=reason[:500],
        data={
            "changes": [{"field": f"price {price.currency}", "before": before, "after": "" if gone else str(price)}],
            "from": start,
        },
    )  # fmt: skip
