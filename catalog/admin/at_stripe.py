"""The price at Stripe beside ours: the column, the panel on the page, the act "compare now", a warning in previews.

Here: words. Not here: the comparison (services.stripe_prices), asking Stripe (payments.services.stripe_prices).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.models import PriceAtStripe, Product
from catalog.services import stripe_prices
from catalog.services.stripe_prices import Difference, Differs
from payments import tasks
from payments.services import stripe_prices as asking
from pimpshop.core import bell
from pimpshop.core.admin import words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.questions import Question
from pimpshop.core.money import Money

#: An answer that is older says little about today.
STALE_AFTER = timedelta(hours=24)

WORDS: dict[Differs, Any] = {
    Differs.UNKNOWN: _("Stripe knows no price %(detail)s."),
    Differs.INACTIVE: _("It is not active at Stripe."),
    Differs.AGAIN: _("At Stripe it is paid again every %(detail)s; here it is paid once."),
    Differs.NO_AMOUNT: _("At Stripe it has no single amount that we could compare."),
    Differs.NOT_SOLD: _("At Stripe it costs %(theirs)s; here it is not sold in that currency."),
    Differs.AMOUNT: _("At Stripe it costs %(theirs)s, here %(ours)s."),
}


def _shown(money: Money | None) -> str:
    return words.money(money.amount_minor, money.currency) if money is not None else ""


def line(one: Difference) -> str:
    told = {"ours": _shown(one.ours), "theirs": _shown(one.theirs), "detail": one.detail}
    return str(WORDS[one.what]) % told


def row_of(product: Any) -> PriceAtStripe | None:
    """What Stripe said of the id that the product has now."""
    row: PriceAtStripe | None = getattr(product, "at_stripe", None)
    return row if row is not None and row.price_id == getattr(product, "stripe_price_id", None) else None


# --- lists
def label(product: Any, differ: dict[int, list[Difference]]) -> tuple[str, Any]:
    """(tone, text) for the column."""
    row = row_of(product)
    if row is None:
        return "", "–"
    if row.is_found is None:
        return "", _("not asked yet") if not row.error else _("no answer")
    if differ.get(product.pk):
        return "danger", _("differs")
    if is_stale(row):
        return "warning", gettext("the same, %s") % words.ago(row.checked_at)
    return "success", _("the same")


def is_stale(row: PriceAtStripe) -> bool:
    return row.checked_at is None or timezone.now() - row.checked_at > STALE_AFTER


def differing(rows: QuerySet[Any]) -> QuerySet[Any]:
    known = stripe_prices.of(PriceAtStripe.objects.all())
    return rows.filter(pk__in=[pk for pk, found in known.items() if found])


QUESTIONS = (
    Question("sold", _("on sale"), lambda rows: rows.filter(is_active=True)),
    Question("differs", _("differs from Stripe"), differing),
    Question("hidden", _("not on sale"), lambda rows: rows.filter(is_active=False)),
)


# --- the page
def panel(product: Any) -> dict[str, Any] | None:
    """What the page shows; None for what has no price at Stripe."""
    price_id = getattr(product, "stripe_price_id", None)
    if not price_id:
        return None
    row = row_of(product)
    if row is None or row.checked_at is None:
        return {
            "price_id": price_id,
            "facts": [],
            "differences": [],
            "error": row.error if row else "",
            "age": "",
        }
    return {
        "price_id": price_id, "facts": _facts(row), "error": row.error, "age": words.ago(row.checked_at),
        "is_stale": is_stale(row), "differences": [line(one) for one in stripe_prices.of([row])[row.product_id]],
    }  # fmt: skip


def _facts(row: PriceAtStripe) -> list[tuple[Any, Any]]:
    if not row.is_found:
        return []
    amount = words.money(row.amount_minor, row.currency) or row.currency or "–"
    return [
        (_("price"), amount),
        (_("paid"), gettext("every %s") % row.interval if row.interval else _("once")),
        (_("state"), _("active") if row.is_active else _("not active")),
    ]


def warning(product: Product, currency: str, money: Money | None) -> list[str]:
    """For the preview of a new price: what it means for the price at Stripe, which nobody can change there."""
    row = PriceAtStripe.objects.filter(product_id=product.pk, currency=currency, is_found=True).first()
    if row is None or row.amount_minor is None or money is None or money.amount_minor == row.amount_minor:
        return []
    told = gettext(
        "At Stripe it costs %(theirs)s. A price there is never changed: make a new one and write its id here. Until they "
        "are the same nobody can pay for it on Stripe's page."
    )
    return [told % {"theirs": words.money(row.amount_minor, row.currency)}]


# --- the act
def _compare(product: Any, doing: Doing) -> str | bool:
    if not asking.ask_soon(product.pk):
        return False
    bell.ring(tasks.ask_stripe_for_prices)
    return gettext("Stripe is asked; the page shows how old its answer is.")


ACT = Act(
    "compare-now", _("Compare with Stripe now"), _("Stripe is asked what it lists. Nothing is changed there or here."),
    _compare, icon="compare_arrows", permission="catalog.add_price",
    possible=lambda product: bool(getattr(product, "stripe_price_id", None) and product.is_active),
)  # fmt: skip
