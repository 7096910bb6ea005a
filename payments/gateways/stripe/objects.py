"""Single objects as Stripe has them now, for the mirror of staff, and the limits of the SDK's own HTTP client.

Not here: what an object means. The mirror's library calls Stripe through the SDK's process-wide client; ours does not.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import stripe

from payments.gateways.stripe.wire import Api

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


def bound_sdk(timeout: tuple[float, float] = (3.0, 10.0)) -> None:
    """Give the SDK's process-wide client (connect, read) seconds instead of its 80, and no repeats."""
    stripe.default_http_client = stripe.RequestsClient(timeout=timeout)
    stripe.max_network_retries = 0
    stripe.enable_telemetry = False
