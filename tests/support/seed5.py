"""Clients of seed 5's API: a server with its secret key, a shopper with a token, a page with a publishable key."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

PAYMENTS = "/api/v1/payments"
CVC = "7391"
CARD = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": 2035, "cvc": CVC, "name": "John Doe"}


def card(number: str = "4242424242424242", **more: Any) -> dict[str, Any]:
    """payment_method with that card."""
    return {"type": "card", "card": {**CARD, "number": number, **more}}


def create(number: str = "4242424242424242", **more: Any) -> dict[str, Any]:
    """Seed 5's create body: 99.99 USD at Stripe, without an order of ours. A value None leaves the field out."""
    body = {
        "gateway_id": "stripe", "amount": "99.99", "currency": "USD", "payment_method": card(number),
        "customer_email": "customer@example.com", "description": "订单 #1001",
        "metadata": {"order_number": "1001"}, "save_payment_method": False,
    }  # fmt: skip
    return {name: value for name, value in (body | more).items() if value is not None}


@dataclass
class Caller:
    """Somebody with a bearer. `language` None: no Accept-Language."""

    bearer: str = field(default="", repr=False)
    language: str | None = "en"
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request; keyword arguments are headers (Idempotency_Key="k")."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.bearer:
            sent.setdefault("Authorization", f"Bearer {self.bearer}")
        if self.language:
            sent.setdefault("Accept-Language", self.language)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return Client().generic(method, path, raw, content_type="application/json", headers=sent)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, {} if body is None else body, **headers)

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def pay(self, number: str = "4242424242424242", **more: Any) -> Any:
        """A create; answers the response."""
        return self.post(PAYMENTS, create(number, **more))


def server(**more: Any) -> Caller:
    """The shop's own secret key; with `user` one that belongs to somebody."""
    from accounts.services import api_keys

    return Caller(api_keys.create(kind="secret", name="server", **more)[0])


def page(**more: Any) -> Caller:
    """A publishable key, as a page shows it."""
    from accounts.services import api_keys

    return Caller(api_keys.create(kind="publishable", name="page", **more)[0])


def shopper(user: Any) -> Caller:
    """A user's token."""
    from accounts.services import tokens

    return Caller(tokens.issue(user)[0])


def assert_error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """`answer` is a refusal in seed 5's shape; answers its `error`."""
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.content[:600]
    error: dict[str, Any] = answer.json()["error"]
    assert isinstance(error["message"], str)
    assert error["message"]
    assert answer["X-Request-ID"]
    return error
