"""Stripe's Checkout on the wire for the shop's own tests: sessions, their payment, expiry. Objects are tests.support.stripe's."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any
from urllib.parse import parse_qs

import requests
import responses

from tests.support import stripe as sample

ANY = re.compile(re.escape(sample.API) + r"/v1/.*")


class CheckoutBooks:
    """What Stripe knows. `prices` are its own (id -> (minor units, currency)); `refuse` is an answer for every create."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.prices: dict[str, tuple[int, str]] = {}
        self.refuse: dict[str, Any] | None = None
        self.silent = False
        self.email = "buyer@example.com"
        self.calls: list[tuple[str, str, dict[str, str]]] = []
        self._by_key: dict[str, str] = {}
        self._count = itertools.count(1)
        for method in ("GET", "POST"):
            mock.add_callback(method, ANY, callback=self._answer)

    def created(self) -> list[dict[str, str]]:
        """The form of each session that was asked for."""
        return [
            sent for method, path, sent in self.calls if (method, path) == ("POST", "/v1/checkout/sessions")
        ]

    def asked(self) -> int:
        """How often a session was read."""
        return sum(method == "GET" for method, _path, _sent in self.calls)

    def becomes(self, session_id: str, word: str) -> None:
        """`word` is status/payment_status/PaymentIntent's status, for example complete/paid/succeeded."""
        self.sessions[session_id]["word"] = word

    def pays(self, session_id: str) -> None:
        self.becomes(session_id, "complete/paid/succeeded")

    def session(self, session_id: str) -> dict[str, Any]:
        """The object as Stripe would show it now."""
        kept = self.sessions[session_id]
        status = kept["word"].split("/")[0]
        found = sample.session(kept["word"])
        found |= {
            "id": session_id, "amount_total": kept["minor"], "currency": kept["currency"],
            "client_reference_id": kept["number"], "metadata": {"out_trade_no": kept["number"]},
            "url": f"https://checkout.stripe.example/c/pay/{session_id}" if status == "open" else None,
            "customer_details": {"email": self.email} if status == "complete" else None,
        }  # fmt: skip
        if found["payment_intent"]:
            paid = found["payment_intent"]
            paid["id"] = f"pi_{session_id[3:]}"
            paid["amount"] = kept["minor"]
            paid["amount_received"] = kept["minor"] if paid["status"] == "succeeded" else 0
            paid["currency"] = kept["currency"]
            paid["metadata"] = {"out_trade_no": kept["number"], "via": "checkout"}
            if paid["latest_charge"]:
                paid["latest_charge"] |= {"amount": kept["minor"], "amount_captured": kept["minor"],
                                          "currency": kept["currency"], "payment_intent": paid["id"]}  # fmt: skip
        return found

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.path_url).split("?")[0]
        body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        sent = {name: values[0] for name, values in parse_qs(body).items()}
        self.calls.append((str(request.method), path, sent))
        if self.silent:
            raise requests.ReadTimeout("no answer")
        status, told = self._told(str(request.method), path, sent, request.headers.get("Idempotency-Key", ""))
        return status, {"Content-Type": "application/json", "Request-Id": "req_TEST1"}, json.dumps(told)

    def _told(self, method: str, path: str, sent: dict[str, str], key: str) -> tuple[int, Any]:
        parts = path.split("/")
        if (method, parts[-1]) == ("POST", "sessions"):
            return self._create(sent, key)
        if parts[-1] == "sessions":
            return 200, {
                "object": "list",
                "data": [self.session(one) for one in self.sessions],
                "has_more": False,
            }
        if parts[2] == "prices":
            minor, currency = self.prices.get(parts[3], (0, ""))
            told = {
                "object": "price",
                "unit_amount": minor,
                "currency": currency,
                "active": True,
                "recurring": None,
            }
            missing = {"type": "invalid_request_error", "code": "resource_missing", "message": "none"}
            return (200, told) if currency else (404, {"error": missing})
        session_id = parts[4]
        if session_id not in self.sessions:
            return 404, {
                "error": {"type": "invalid_request_error", "code": "resource_missing", "message": "none"}
            }
        if parts[-1] == "expire":
            if not self.sessions[session_id]["word"].startswith("open"):
                return 400, {"error": {"type": "invalid_request_error", "message": "not open"}}
            self.becomes(session_id, "expired/unpaid")
        return 200, self.session(session_id)

    def _create(self, sent: dict[str, str], key: str) -> tuple[int, Any]:
        if self.refuse is not None:
            return self.refuse["status"], self.refuse["json"]
        if key in self._by_key:
            return 200, self.session(self._by_key[key])
        price = sent.get("line_items[0][price]", "")
        if price and price not in self.prices:
            error = {"type": "invalid_request_error", "code": "resource_missing", "param": "line_items[0][price]",
                     "message": f"No such price: '{price}'"}  # fmt: skip
            return 400, {"error": error}
        data = "line_items[0][price_data]"
        minor, currency = (
            self.prices[price] if price else (int(sent[f"{data}[unit_amount]"]), sent[f"{data}[currency]"])
        )
        session_id = f"cs_test_a{next(self._count):05d}Xy"
        self._by_key[key] = session_id
        self.sessions[session_id] = {
            "word": "open/unpaid", "minor": minor, "currency": currency, "number": sent["client_reference_id"],
        }  # fmt: skip
        return 200, self.session(session_id)


def put_on(settings: Any) -> None:
    """The shop has a Stripe account in test mode."""
    settings.STRIPE_SECRET_KEY = sample.KEY
    settings.STRIPE_WEBHOOK_SECRETS = [sample.SECRET]
    settings.STRIPE_API_BASE = sample.API
