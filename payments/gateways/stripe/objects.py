"""Single objects as Stripe has them now, for the mirror of staff and the comparison of prices, and the limits of the SDK's own HTTP client.

Not here: what an object means. The mirror's library calls Stripe through the SDK's process-wide client; ours does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import stripe

from payments.gateways.base import ErrorCode, GatewayError
from payments.gateways.stripe import money
from payments.gateways.stripe.wire import Api
from pimpshop.core.money import Money

#: An object's word -> its path below /v1/.
PATHS = {
    "charge": "charges",
    "checkout.session": "checkout/sessions",
    "dispute": "disputes",
    "payment_intent": "payment_intents",
    "refund": "refunds",
}
_IDENT = re.compile(r"[A-Za-z]{2,5}_[A-Za-z0-9_]{4,250}", re.ASCII)


def fetch(api: Api, kind: str, ident: str) -> dict[str, Any]:
    """The object of that kind and id. Raises GatewayError; KeyError and ValueError for what is no such object."""
    if not _IDENT.fullmatch(ident):
        raise ValueError("no id of Stripe's")
    return api.call("get", f"{PATHS[kind]}/{quote(ident)}", kind=kind, subject=ident)


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price as Stripe lists it. `amount` None: it has no whole amount (tiers, parts of a cent), or none of a currency of ours; `interval` "": paid once."""

    amount: Money | None
    currency: str
    interval: str
    is_active: bool


def price(api: Api, ident: str) -> ListedPrice | None:
    """The price with that id; None when Stripe has none. https://docs.stripe.com/api/prices/retrieve. Raises GatewayError."""
    if not _IDENT.fullmatch(ident):
        return None
    try:
        found = api.call("get", f"prices/{quote(ident)}", kind="price", subject=ident)
    except GatewayError as exc:
        if exc.code not in (ErrorCode.NOT_FOUND, ErrorCode.PRICE_NOT_FOUND):
            raise
        return None
    again = found.get("recurring") or {}
    count, unit = again.get("interval_count") or 1, str(again.get("interval") or "")
    currency = str(found.get("currency") or "").upper()[:8]
    known = currency in money.CURRENCIES
    return ListedPrice(
        amount=money.from_wire(found.get("unit_amount"), currency) if known else None,
        currency=currency,
        interval=f"{count} {unit}"[:20] if unit else "",
        is_active=found.get("active") is True,
    )


def bound_sdk(timeout: tuple[float, float] = (3.0, 10.0)) -> None:
    """Give the SDK's process-wide client (connect, read) seconds instead of its 80, and no repeats."""
    stripe.default_http_client = stripe.RequestsClient(timeout=timeout)
    stripe.max_network_retries = 0
    stripe.enable_telemetry = False
