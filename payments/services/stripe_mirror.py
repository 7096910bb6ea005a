"""Stripe's objects in dj-stripe's tables, for staff to look at. Nothing here decides, and no payment depends on it.

After a stored event of Stripe's has ended, a worker reads the object that it was about (payment, charge, refund,
dispute, Checkout session) from Stripe as it is by then, and hands it to dj-stripe. So an event that comes late brings
no older state back, and refunds are mirrored although dj-stripe has no handler for `refund.*`. Only this module imports
dj-stripe; none of its webhook views is routed, none of our tables refers to its tables.

Guarantees: one worker at an object at a time (advisory lock, no transaction of ours open: dj-stripe opens its own and
asks Stripe within it for what the object refers to, in seconds, not minutes); a failure is tried again some times, then
only logged; STRIPE_MIRROR=0 leaves no trace. No secret key, client secret or personal data comes into its tables: see
`harden`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from django.apps import apps
from django.core.checks.registry import registry as system_checks
from django.db import connection
from django.utils import timezone

from payments import registry
from payments.gateways import stripe
from payments.models import WebhookEvent
from pimpshop.core import redaction

log = structlog.get_logger(__name__)

#: Stripe's word for an object -> dj-stripe's model.
MODELS = {
    "charge": "Charge",
    "checkout.session": "Session",
    "dispute": "Dispute",
    "payment_intent": "PaymentIntent",
    "refund": "Refund",
}
LEASE = timedelta(minutes=3)
BUSY = timedelta(seconds=5)
RETRY = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
_MOST_BYTES = 64 * 1024
PERSONAL = frozenset(
    [
        "address",
        "billing_details",
        "customer_address",
        "customer_details",
        "customer_email",
        "customer_name",
        "customer_phone",
        "customer_shipping",
        "email",
        "individual_name",
        "phone",
        "receipt_email",
        "shipping",
        "shipping_details",
    ]
)


def is_on() -> bool:
    return apps.is_installed("djstripe")


def wanted(event: WebhookEvent) -> dict[str, Any]:
    """What to write beside the end of an inbox event: that the mirror is to look, or nothing."""
    if not looks_at(event.gateway, event.payload):
        return {}
    return {"mirror_due_at": timezone.now(), "mirror_attempts": 0}


def looks_at(gateway: str, payload: Mapping[str, Any]) -> bool:
    """Does an event with this content concern the mirror?"""
    return gateway == "stripe" and is_on() and payload.get("object") in MODELS


def due(limit: int = 50) -> Sequence[int]:
    """Events that the mirror has not seen, oldest first; none while it is off."""
    if not is_on():
        return []
    rows = WebhookEvent.objects.filter(mirror_due_at__lte=timezone.now()).order_by("mirror_due_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def reflect(event_pk: int) -> bool:
    """Bring what one event was about up to date in the mirror. Answers whether that was done; never raises for Stripe's
    or dj-stripe's sake."""
    event = _lease(event_pk)
    if event is None:
        return False
    try:
        done = mirror(kind=event.payload["object"], ident=str(event.payload.get("id") or ""))
    except Exception as error:  # a library's: whatever it is, it must stay here
        _again(event, error)
        return False
    waits = None if done else timezone.now() + BUSY
    WebhookEvent.objects.filter(pk=event.pk).update(mirror_due_at=waits)
    return done


def mirror(*, kind: str, ident: str) -> bool:
    """Read one object from Stripe and store it. False when somebody else is at it just now. Raises what goes wrong."""
    from djstripe import models

    with _alone_at(ident) as alone:
        if alone:
            gateway: Any = registry.get("stripe")
            getattr(models, MODELS[kind]).sync_from_stripe_data(gateway.fetch(kind, ident))
    return alone


def mirror_prices() -> int:
    """Store Stripe's price list: the prices with their products. Answers how many. Raises what goes wrong."""
    if not is_on():
        return 0
    from djstripe import models

    gateway: Any = registry.get("stripe")
    seen = 0
    for price in gateway.prices():
        models.Product.sync_from_stripe_data(price["product"])
        models.Price.sync_from_stripe_data({**price, "product": price["product"]["id"]})
        seen += 1
    return seen


def harden() -> None:
    """Make dj-stripe fit for a shop: called once when the apps are ready.

    There is one account, so rows name no owner: to find it, dj-stripe would store the secret key in clear. What it reads
    of an object is scrubbed first: no client secret, no card, no name, address or mail. Its calls take seconds.
    """
    from djstripe.models import Account
    from djstripe.models.base import StripeModel

    stripe.bound_sdk()
    Account.get_or_retrieve_for_api_key = classmethod(_no_owner)
    original = StripeModel.__dict__["_stripe_object_to_record"].__func__
    if getattr(original, "scrubs", False):
        return

    def scrubbed(cls: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        return original(cls, scrub(data), *args, **kwargs)

    scrubbed.scrubs = True  # type: ignore[attr-defined]
    StripeModel._stripe_object_to_record = classmethod(scrubbed)


def drop_its_checks() -> None:
    """dj-stripe's system checks read its tables and judge a webhook view that is not routed here. Worse: Celery runs all
    checks while a process loads, so each process that forks others would hand its connections to them."""
    known = system_checks
    known.registered_checks = {
        check for check in known.registered_checks if not check.__module__.startswith("djstripe")
    }


def _no_owner(cls: Any, api_key: str) -> None:
    """In place of dj-stripe's: the account of a key, which it looks up by storing the key."""


def scrub(data: Any) -> Any:
    """An object of Stripe's as plain data without secrets and without anything about a person."""
    plain = json.loads(str(data)) if hasattr(data, "to_dict") else data
    return redaction.scrub(_impersonal(plain), max_bytes=_MOST_BYTES, max_depth=12)


def _impersonal(value: Any) -> Any:
    """The same with personal values emptied, each by its kind, so that columns for them stay fillable."""
    if isinstance(value, list):
        return [_impersonal(item) for item in value]
    if not isinstance(value, dict):
        return value
    gone = PERSONAL | ({"name", "description"} if value.get("object") == "customer" else set())
    return {
        key: (type(item)() if isinstance(item, (str, dict, list)) else None)
        if key in gone
        else _impersonal(item)
        for key, item in value.items()
    }


def _lease(event_pk: int) -> WebhookEvent | None:
    """Take the event for a while; None when it is not due or somebody else has it. One statement."""
    now = timezone.now()
    won = WebhookEvent.objects.raw(
        """UPDATE payments_webhookevent SET mirror_due_at = %s, mirror_attempts = mirror_attempts + 1
           WHERE id = %s AND mirror_due_at <= %s RETURNING *""",
        [now + LEASE, event_pk, now],
    )
    return next(iter(won), None)


def _again(event: WebhookEvent, error: Exception) -> None:
    tries = event.mirror_attempts
    later = RETRY[tries - 1] if tries <= len(RETRY) else None
    log.warning(
        "stripe_not_mirrored", event_id=event.event_id, tries=tries, gives_up=later is None,
        error=redaction.scrub_exception(error),
    )  # fmt: skip
    WebhookEvent.objects.filter(pk=event.pk).update(mirror_due_at=later and timezone.now() + later)


@contextmanager
def _alone_at(ident: str) -> Iterator[bool]:
    """Whether this connection has the object to itself meanwhile. The lock ends with the connection at the latest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"stripe mirror {ident}"])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"stripe mirror {ident}"]
                )
