"""Stripe, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, re_path, reverse

from sandbox import knobs

# Imported for their job handlers.
from sandbox.providers.base import Link, Provider
from sandbox.providers.stripe import api, books, codes, control, events, pages, refunds, sessions

JOB_MODULES = (events, refunds, sessions)

URLS = [
    re_path(r"^stripe/v1/(?P<path>[A-Za-z0-9_/]+)$", api.call, name="stripe-api"),
    path("stripe/payments/", pages.payments, name="stripe-payments"),
    path("stripe/c/pay/<str:ident>", pages.checkout, name="stripe-checkout"),
    path("stripe/c/pay/<str:ident>/back", pages.back, name="stripe-checkout-back"),
    path("stripe/3ds/<str:ident>", pages.challenge, name="stripe-challenge"),
    path("stripe/3ds/<str:ident>/back", pages.challenge_back, name="stripe-challenge-back"),
    path("stripe/receipts/<str:ident>", pages.receipt, name="stripe-receipt"),
    path("sandbox/api/stripe/sessions/<str:ident>/pay", control.pay),
    path("sandbox/api/stripe/sessions/<str:ident>/expire", control.expire),
    path("sandbox/api/stripe/intents/<str:ident>/authenticate", control.authenticate),
    path("sandbox/api/stripe/intents/<str:ident>/refund", control.refund),
    path("sandbox/api/stripe/intents/<str:ident>/dispute", control.dispute),
    path("sandbox/api/stripe/disputes/<str:ident>/decide", control.decide),
]


def _links() -> list[Link]:
    here = reverse("stripe-payments")
    posted = knobs.get("stripe_webhook_path")
    return [Link("Payments, pages and posts", here, f"webhooks → {posted}")]


PROVIDER = Provider(
    name=codes.NAME,
    title="Stripe",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
