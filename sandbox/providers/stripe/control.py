"""The control API of the simulated Stripe: what a shopper, his bank or the account's owner does, without a browser.

JSON in, JSON out; a refused card is 402 with Stripe's own error, nonsense 400.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from sandbox import database
from sandbox.providers.stripe import books, pages, refunds, sessions
from sandbox.providers.stripe.refusal import Refusal

View = Callable[[dict[str, Any], str], books.Thing]


def _door(view: View) -> Callable[[HttpRequest, str], JsonResponse]:
    @csrf_exempt
    @wraps(view)
    def checked(request: HttpRequest, ident: str) -> JsonResponse:
        if request.method != "POST":
            return JsonResponse({"error": "POST only"}, status=405)
        try:
            sent = json.loads(request.body or b"{}")
            if not isinstance(sent, dict):
                raise ValueError("a JSON object is expected")
            with database.transaction(keeps=(Refusal,)):
                return JsonResponse(books.public(view(sent, ident)))
        except Refusal as refusal:
            return JsonResponse({"error": refusal.error}, status=refusal.status)
        except Http404:
            return JsonResponse({"error": f"nothing is called {ident}"}, status=404)
        except (ValueError, KeyError, TypeError) as error:
            return JsonResponse({"error": str(error)}, status=400)

    return checked


@_door
def pay(sent: dict[str, Any], ident: str) -> books.Thing:
    """{card, email?, name?, authenticate?: bool} -> the session. A card that asks for 3-D Secure waits for it, unless
    `authenticate` says what the shopper answers."""
    session = books.get(ident, "checkout.session")
    sessions.pay(
        session, {"number": str(sent.get("card", "4242424242424242"))},
        email=str(sent.get("email", "shopper@example.com")), name=str(sent.get("name", "Test Shopper")),
    )  # fmt: skip
    intent = books.get(ident, "checkout.session")["payment_intent"]
    if intent and "authenticate" in sent:
        pages.answer(intent, approve=bool(sent["authenticate"]))
    return books.get(ident, "checkout.session")


@_door
def expire(sent: dict[str, Any], ident: str) -> books.Thing:
    """The page's time is over now."""
    session = books.get(ident, "checkout.session")
    return sessions.close(session) if session["status"] == "open" else session


@_door
def authenticate(sent: dict[str, Any], ident: str) -> books.Thing:
    """{approve: bool} -> the PaymentIntent or SetupIntent after 3-D Secure."""
    return pages.answer(ident, approve=bool(sent.get("approve", True)))


@_door
def refund(sent: dict[str, Any], ident: str) -> books.Thing:
    """{amount?} A refund made in Stripe's dashboard: no number of the shop's is in it."""
    charge = books.get(books.get(ident, "payment_intent")["latest_charge"] or "", "charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = int(sent.get("amount", left))
    if not 0 < amount <= left:
        raise ValueError(f"between 1 and {left} can be given back")
    return refunds.make(charge, amount, "requested_by_customer", {})


@_door
def dispute(sent: dict[str, Any], ident: str) -> books.Thing:
    """{reason?} The shopper's bank takes a payment back."""
    charge = books.get(books.get(ident, "payment_intent")["latest_charge"] or "", "charge")
    if charge["disputed"]:
        raise ValueError("it is disputed already")
    return refunds.dispute(charge, str(sent.get("reason", "fraudulent")))


@_door
def decide(sent: dict[str, Any], ident: str) -> books.Thing:
    """{won: bool} -> the dispute, closed."""
    return refunds.end(books.get(ident, "dispute"), won=bool(sent.get("won", False)))
