"""Seed 3: Stripe's hosted page for a price of the catalogue, and what has become of it.

Guarantees: the price is ours in USD, under the price id that clients know; the same buyer (account, else e-mail) asking
for the same price gets the open page again, also when two clicks come at once; the status is told from our rows, and
Stripe is asked at most once in three seconds per session; an id that is not ours costs no call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import CreditPack, Plan
from orders.models import Order
from orders.services import goods_orders
from payments import states
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import intents, online_payments, sync
from pimpshop.core import errors

GATEWAY, METHOD, CURRENCY = "stripe", "checkout", "USD"
_PRICE_ID = re.compile(r"price_[A-Za-z0-9]{1,74}\Z", re.ASCII)
_SESSION_ID = re.compile(r"cs_(test|live)_[A-Za-z0-9]{1,120}\Z", re.ASCII)


class PriceUnknown(errors.ShopError):
    code = "invalid_price_id"
    message = _("This price is not one of ours. Nothing was charged. Please check the price id.")


class PriceGone(errors.NotFound):
    code = "price_not_found"
    message = _("This price is not offered any more. Nothing was charged. Please choose another one.")


class CurrencyUnsupported(errors.ShopError):
    code = "currency_not_supported"
    message = _("This is not sold in that currency. Nothing was charged.")


class AmountTooSmall(errors.ShopError):
    code = "amount_too_small"
    message = _("This amount is below the least that can be paid by card. Nothing was charged.")


class AmountTooLarge(errors.ShopError):
    code = "amount_too_large"
    message = _("This amount is above the most that can be paid by card. Nothing was charged.")


class SessionUnknown(errors.NotFound):
    code = "session_not_found"
    message = _("There is no such payment session.")


#: Why Stripe did not open a page -> what the client is told.
_REFUSALS: dict[str, type[errors.ShopError]] = {
    base.ErrorCode.PRICE_NOT_FOUND: PriceGone,
    base.ErrorCode.CURRENCY_UNSUPPORTED: CurrencyUnsupported,
    base.ErrorCode.AMOUNT_TOO_SMALL: AmountTooSmall,
    base.ErrorCode.AMOUNT_TOO_LARGE: AmountTooLarge,
}
#: Our words as the seed's (providers/stripe.md, 3.1). A declined card ends nothing while the page is open: unpaid.
STATUS = {
    "created": "unpaid",
    "requires_action": "unpaid",
    "expiring": "unpaid",
    "processing": "processing",
    "authorized": "processing",
    "succeeded": "paid",
    "partially_refunded": "paid",
    "refunded": "paid",
    "failed": "failed",
    "canceled": "canceled",
    "expired": "expired",
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request of seed 3. Addresses were checked against the allow-list by the door."""

    price_id: str
    user: User | None = None
    email: str = ""
    language: str = "zh-hans"
    success_url: str = ""
    cancel_url: str = ""
    client_ip: str = ""
    api_key_id: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def open_page(asked: Asked) -> PaymentIntent:
    """The attempt whose page is open: `provider_ref` is the session's id, `next_action` leads there.

    Raises PriceUnknown, PriceGone, CurrencyUnsupported, AmountTooSmall, AmountTooLarge, errors.TooManyRequests,
    intents.PaymentNotStarted, intents.PaymentUncertain.
    """
    product = _product(asked.price_id)
    order = _order(asked, product)
    choice = online_payments.Choice(
        gateway=GATEWAY,
        method=METHOD,
        price_ref=asked.price_id,
        return_url=asked.success_url,
        cancel_url=asked.cancel_url,
        client_ip=asked.client_ip,
        api_key_id=asked.api_key_id,
        metadata={"client": asked.metadata} if asked.metadata else {},
    )
    try:
        return started(online_payments.start_payment(order, choice, source="api"))
    except intents.PaymentNotStarted as error:
        raise _in_words(str(error.details.get("reason", "")), error) from error


def started(intent: PaymentIntent) -> PaymentIntent:
    """`intent` if its page is open. Raises what says why it is not."""
    if intent.status == "requires_action" and intent.next_action:
        return intent
    if intent.status != "failed":
        raise intents.PaymentUncertain(retry_after=3)
    raise _in_words(intent.error_code, intents.PaymentNotStarted(details={"reason": intent.error_code}))


def _in_words(code: str, otherwise: errors.ShopError) -> errors.ShopError:
    """Why Stripe opened no page, as seed 3 has words for it."""
    if code == base.ErrorCode.RATE_LIMITED:
        return errors.TooManyRequests(retry_after=5)
    refusal = _REFUSALS.get(code)
    return refusal() if refusal else otherwise


def page_url(intent: PaymentIntent) -> str:
    """Where Stripe's page is."""
    action = base.next_action_from_dict(intent.next_action)
    return action.url if isinstance(action, base.Redirect) else ""


def _product(price_id: str) -> CreditPack | Plan:
    if not _PRICE_ID.match(price_id):
        raise PriceUnknown
    product = catalogue.by_price_id(price_id)
    if product is None:
        raise PriceUnknown
    if not product.is_active:
        raise PriceGone
    return product


def _order(asked: Asked, product: CreditPack | Plan) -> Order:
    """The buyer's open order for it, unless its page would lead back to somewhere else; or a new one.

    Whoever only names an address never ends what its owner may be paying in another way."""
    buyer = goods_orders.Buyer(user=asked.user, email=asked.email, language=asked.language)
    try:
        order = goods_orders.order_product(product=product, currency=CURRENCY, buyer=buyer, source="api")
        attempt = intents.current_attempt(order)
        wanted = (asked.success_url, asked.cancel_url)
        elsewhere = attempt is not None and (attempt.return_url, attempt.cancel_url) != wanted
        if elsewhere or (asked.user is None and attempt is not None and _is_another_way(attempt)):
            order = goods_orders.order_product(
                product=product, currency=CURRENCY, buyer=buyer, source="api", reuse=False
            )
    except catalogue.NotSold as error:
        raise CurrencyUnsupported from error
    return order


def _is_another_way(attempt: PaymentIntent) -> bool:
    return attempt.status in states.UNDECIDED and (attempt.gateway, attempt.method) != (GATEWAY, METHOD)


def find(session_id: str) -> PaymentIntent:
    """The attempt of a session of ours. Raises SessionUnknown, before any call, for every other id."""
    intent = None
    if _SESSION_ID.match(session_id):
        intent = (
            PaymentIntent.objects.select_related("order")
            .filter(gateway=GATEWAY, provider_ref=session_id)
            .first()
        )
    if intent is None:
        raise SessionUnknown
    return intent


def look(session_id: str) -> PaymentIntent:
    """The attempt of a session, asked about when our row may be stale. Raises SessionUnknown."""
    intent = find(session_id)
    sync.refresh_if_stale(intent.order, source="api")
    intent.refresh_from_db()
    return intent


def status_word(intent: PaymentIntent) -> str:
    """One of the seed's seven: paid unpaid processing expired failed canceled no_payment_required."""
    word = STATUS[intent.status]
    if word == "paid" and intent.captured_minor == 0:
        return "no_payment_required"
    return word
