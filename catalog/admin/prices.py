"""Prices on the desk: the acts "set a price" and "call off a price", their previews, and the history of a product.

Here: words. Not here: what a price does (`services.prices`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from catalog.admin import at_stripe
from catalog.models import Price, Product
from catalog.services import prices
from pimpshop.core import shop_day
from pimpshop.core.admin import words
from pimpshop.core.admin.acting import WHY, Act, Did, Doing, Preview
from pimpshop.core.money import Money

MAY_SET = "catalog.add_price"
_MINUTE = "%Y-%m-%d %H:%M"


def moment(at: datetime) -> str:
    """A start in UTC and on the shop's own clock."""
    return f"{_utc(at)} ({_there(at)})"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC).strftime(_MINUTE)} UTC"


def _there(at: datetime) -> str:
    return f"{at.astimezone(shop_day.zone()).strftime(_MINUTE)} {settings.SHOP_TIME_ZONE}"


def amount(money: Money | None, currency: str = "") -> str:
    if money is None:
        return gettext("not sold in %(currency)s") % {"currency": currency}
    return words.money(money.amount_minor, money.currency)


def amount_of(price: Price) -> str:
    return amount(price.money if price.amount_minor is not None else None, price.currency)


# --- set a price
def _wanted(product: Product, doing: Doing) -> prices.Change:
    start = datetime.fromisoformat(doing.when).replace(tzinfo=UTC) if doing.when else None
    return prices.change(product=product, currency=doing.choice, amount=doing.amount, starts_at=start)


def _preview(product: Product, doing: Doing) -> Preview:
    if not doing.choice:
        told = gettext("Now it costs %s.")
        costs = [told % amount_of(price) for price in prices.counting(product)]
        return Preview([*costs, gettext("Choose a currency, write the price, and look at what will happen.")])
    change = _wanted(product, doing)
    start = moment(change.starts_at) if change.starts_at else gettext("now on")
    facts = {"start": start, "new": amount(change.money), "old": amount(change.before, change.currency)}
    if change.money is None:
        first = gettext(
            "From %(start)s it is not sold in %(currency)s any more; until then it costs %(old)s."
        )
        lines = [first % (facts | {"currency": change.currency})]
    elif change.before is None:
        lines = [gettext("From %(start)s customers pay %(new)s; until then it is %(old)s.") % facts]
    else:
        lines = [gettext("From %(start)s customers pay %(new)s instead of %(old)s.") % facts]
    lines.append(gettext("Orders that were made before keep their price."))
    if change.replaces is not None:
        lines.append(
            gettext("It takes the place of what was planned for that moment: %s.")
            % amount_of(change.replaces)
        )
    lines += [
        gettext("Planned afterwards: %(price)s from %(start)s.") % {"price": amount_of(one), "start": moment(one.starts_at)}
        for one in change.later
    ]  # fmt: skip
    lines += at_stripe.warning(product, change.currency, change.money)
    if not product.is_active:
        lines.append(gettext("It is not sold at the moment, whatever its price."))
    return Preview(lines, confirm=_confirm(change))


def _confirm(change: prices.Change) -> str:
    if change.money is None:
        told = gettext("Yes, stop selling it in %(currency)s")
        return told % {"currency": change.currency}
    if change.is_absurd:
        told = gettext("Yes, I mean %(new)s, although it costs %(old)s before")
        return told % {"new": amount(change.money), "old": amount(change.before)}
    return ""


def _set(product: Product, doing: Doing) -> Did:
    if not doing.choice:
        raise prices.Refused(gettext("Please choose a currency. Nothing was changed."))
    made = prices.set_price(_wanted(product, doing), actor=doing.actor, reason=doing.reason)
    if made.starts_at > timezone.now():
        told = gettext("%(price)s from %(start)s")
        return Did(told % {"price": amount_of(made), "start": moment(made.starts_at)})
    return Did(amount_of(made))


# --- call off a price
def _planned(product: Product) -> list[tuple[str, Any]]:
    return [(str(one.pk), f"{amount_of(one)} · {moment(one.starts_at)}") for one in prices.planned(product)]


def _chosen(product: Product, doing: Doing) -> Price | None:
    return next((one for one in prices.planned(product) if str(one.pk) == doing.choice), None)


def _preview_of_calling_off(product: Product, doing: Doing) -> Preview:
    price = _chosen(product, doing)
    if price is None:
        return Preview([gettext("Choose what is not to start, and look at what will happen.")])
    told = gettext(
        "%(price)s does not start at %(start)s; what counts before goes on. It stays in the history."
    )
    return Preview([told % {"price": amount_of(price), "start": moment(price.starts_at)}])


def _call_off(product: Product, doing: Doing) -> Did:
    price = _chosen(product, doing)
    if price is None:
        raise prices.Refused(_("This price has started or was called off before. Nothing was changed."))
    prices.call_off(price=price, actor=doing.actor, reason=doing.reason)
    return Did(amount_of(price))


def _lock(product: Any) -> Any:
    return type(product).objects.select_for_update(no_key=True).get(pk=product.pk)


ACTS = (
    Act(
        "set-price", _("Set a price"),
        _("It counts from now on or from a later moment, by itself. What counted before stays in the history."),
        _set, reason=WHY, choice=_("Currency"),
        choices=lambda product: [("", "–"), *((code, code) for code in prices.currencies(product))],
        amount=_("Price, such as 19.99 (empty: not sold in this currency any more)"),
        when=_("From when, in UTC (empty: now)"), icon="sell", variant=ActionVariant.PRIMARY, audited=True,
        on_lists=False, permission=MAY_SET, preview=_preview, lock=_lock,
    ),
    Act(
        "call-off-price", _("Call off a price"), _("Only what has not started yet."), _call_off, reason=WHY,
        choice=_("Which"), choices=_planned, icon="event_busy", audited=True, on_lists=False, permission=MAY_SET,
        possible=lambda product: bool(prices.planned(product)), preview=_preview_of_calling_off, lock=_lock,
    ),
)  # fmt: skip


# --- history
def rows(product: Product) -> list[dict[str, Any]]:
    """The history as the page shows it, the newest start first."""
    now, counting = timezone.now(), {price.pk for price in prices.counting(product)}
    return [
        {
            "price": amount_of(price), "start": _utc(price.starts_at), "there": _there(price.starts_at), "who": _who(price),
            "why": price.reason or "–", "decided": _utc(price.created_at),
            "state": words.label(*_state(price, counting, now)),
        }
        for price in prices.history(product)
    ]  # fmt: skip


def _who(price: Price) -> str:
    off = gettext("called off by %s") % price.called_off_by if price.called_off_at else ""
    return " · ".join(filter(None, (price.actor or "–", off)))


def _state(price: Price, counting: set[int], now: datetime) -> tuple[Any, str]:
    if price.called_off_at is not None:
        return _("called off"), ""
    if price.starts_at > now:
        return _("planned"), "info"
    if price.pk in counting:
        return _("counts now"), "success"
    return _("over"), ""
