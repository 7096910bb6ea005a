"""Stripe on the wire, for tests of what stands above its gateway: answers by `responses`, with small books.

It mocks the network only. Cards do what Stripe's test cards do (`DECLINES`, `THREE_DS`); `passes` and `fails_bank` are the
shopper's part. `fail(call, LOST | DOWN | (status, error))` makes the next call of that kind go wrong: "create",
"confirm", "refund", "read", "save" and the like. Calls are kept with their bodies, so that a test sees what was sent.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections import deque
from typing import Any
from urllib.parse import parse_qs

import requests
import responses

LOST = "lost"  # the work is done, the answer never arrives
DOWN = "down"  # the connection is refused
DECLINES = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000000127": ("incorrect_cvc", ""),
    "4000000000000069": ("expired_card", ""),
    "4000000000000119": ("processing_error", ""),
    "4000000000009979": ("card_declined", "stolen_card"),
}
THREE_DS = {"4000002500003155", "4000000000003220", "4000008400001629"}
TOKENS = {"pm_card_visa": "4242424242424242", "pm_card_threeDSecure2Required": "4000000000003220"}
Form = dict[str, str]


class StripeBooks:
    def __init__(self, mock: responses.RequestsMock) -> None:
        from django.conf import settings  # when the settings are there

        self.calls: list[tuple[str, Form]] = []
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.methods: dict[str, dict[str, Any]] = {}
        self.setups: dict[str, dict[str, Any]] = {}
        self.customers: dict[str, Form] = {}
        self.prices: dict[str, dict[str, Any]] = {}  # id -> what is not as usual
        self.faults: dict[str, deque[Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.refund_status = "succeeded"
        self.delay = 0.0
        self.held: dict[str, threading.Event] = {}  # a call that waits until it is let go
        self._ids, self._lock = itertools.count(1), threading.RLock()
        url = re.compile(re.escape(settings.STRIPE_API_BASE) + "/v1/.*")
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, url, callback=self._answer, content_type="application/json")

    # --- what a test sets and reads ---
    def fail(self, call: str, *faults: Any) -> None:
        """The next calls of that kind go so."""
        self.faults.setdefault(call, deque()).extend(faults)

    def count(self, call: str) -> int:
        """How often it was called."""
        return sum(name == call for name, _form in self.calls)

    def sent(self, call: str) -> list[Form]:
        """What was sent with it, in order."""
        return [form for name, form in self.calls if name == call]

    def passes(self, ref: str) -> None:
        """The bank believes the shopper: the payment goes through."""
        with self._lock:
            self._pay(self.intents[ref])

    def fails_bank(self, ref: str) -> None:
        """The shopper does not pass the bank's check."""
        with self._lock:
            code = {"code": "payment_intent_authentication_failure", "decline_code": ""}
            self.intents[ref] |= {"status": "requires_payment_method", "last_payment_error": code}

    # --- the wire ---
    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.url).split("/v1/", 1)[1].split("?")[0]
        text = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
        form = {key: values[0] for key, values in parse_qs(text, keep_blank_values=True).items()}
        call = self._name(str(request.method), path)
        time.sleep(self.delay)
        if call in self.held:
            self.held[call].wait(60)
        with self._lock:
            self.calls.append((call, form))
            queue = self.faults.get(call)
            fault = queue.popleft() if queue else None
            if fault == DOWN:
                raise requests.ConnectionError("refused")
            if isinstance(fault, tuple):
                return fault[0], {}, json.dumps({"error": fault[1]})
            status, told = self._once(str(request.headers.get("Idempotency-Key", "")), call, path, form)
        if fault == LOST:
            raise requests.ReadTimeout("no answer")
        return status, {}, json.dumps(told)

    def _once(self, key: str, call: str, path: str, form: Form) -> tuple[int, dict[str, Any]]:
        """The same key again is the first answer again, as at Stripe."""
        if key and key in self.keys:
            kept = self.keys[key]
            if kept["form"] != form:
                return 400, {"error": {"type": "idempotency_error", "message": "another body"}}
            return kept["status"], kept["told"]
        status, told = getattr(self, f"_{call}")(path.split("/"), form)
        told = json.loads(json.dumps(told))
        if key:
            self.keys[key] = {"status": status, "told": told, "form": form}
        return status, told

    @staticmethod
    def _name(method: str, path: str) -> str:
        parts = path.split("/")
        what, verb = parts[0], parts[2] if len(parts) > 2 else ""
        if method == "GET":
            one = len(parts) > 1
            return {"payment_intents": "read" if one else "list", "refunds": "read_refund" if one else "list_refunds",
                    "setup_intents": "read_setup", "prices": "read_price"}[what]  # fmt: skip
        if verb:
            return verb
        return {"payment_intents": "create", "payment_methods": "method", "refunds": "refund", "customers": "customer",
                "setup_intents": "save"}[what]  # fmt: skip

    def _read_price(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        if parts[1] not in self.prices:
            error = {
                "type": "invalid_request_error",
                "code": "resource_missing",
                "param": "price",
                "message": "No such price",
            }
            return 404, {"error": error}
        return 200, {
            "id": parts[1], "object": "price", "active": True, "currency": "usd", "unit_amount": 500, "type": "one_time",
            "recurring": None, **self.prices[parts[1]],
        }  # fmt: skip

    def _id(self, prefix: str) -> str:
        return f"{prefix}_3TEST{next(self._ids):06d}"

    def _method(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        kind = form["type"]
        number = form.get("card[number]") or form["us_bank_account[account_number]"]
        made = {
            "id": self._id("pm"), "object": "payment_method", "type": kind, "_number": number,
            "billing_details": {"name": form.get("billing_details[name]")},
            kind: {"last4": number[-4:], "brand": "visa", "exp_month": int(form.get("card[exp_month]", 12)),
                   "exp_year": int(form.get("card[exp_year]", 2035))},
        }  # fmt: skip
        self.methods[made["id"]] = made
        return 200, {name: value for name, value in made.items() if name != "_number"}

    def _known(self, ref: str) -> dict[str, Any]:
        if ref in TOKENS and ref not in self.methods:
            _status, made = self._method([], {"type": "card", "card[number]": TOKENS[ref]})
            self.methods[ref] = {**self.methods[made["id"]], "id": ref}
        return self.methods[ref]

    def _create(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        metadata = {key[9:-1]: value for key, value in form.items() if key.startswith("metadata[")}
        ref = self._id("pi")
        self.intents[ref] = {
            "id": ref, "object": "payment_intent", "status": "requires_payment_method", "amount": int(form["amount"]),
            "currency": form["currency"], "amount_received": 0, "livemode": False, "metadata": metadata,
            "client_secret": f"{ref}_secret_{'x' * 20}", "capture_method": form.get("capture_method", "automatic"),
            "latest_charge": None, "last_payment_error": None, "next_action": None, "payment_method": None,
            "customer": form.get("customer"), "setup_future_usage": form.get("setup_future_usage"),
        }  # fmt: skip
        return 200, self.intents[ref]

    def _confirm(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        intent, method = self.intents[parts[1]], self._known(form["payment_method"])
        intent["payment_method"] = method["id"]
        number = method["_number"]
        if number in DECLINES:
            code, reason = DECLINES[number]
            why = {
                "type": "card_error",
                "code": code,
                "decline_code": reason or None,
                "message": f"No: {number}.",
            }
            intent |= {"status": "requires_payment_method", "last_payment_error": why}
            return 402, {"error": {**why, "payment_intent": intent}}
        if number in THREE_DS:
            where = {
                "url": f"https://hooks.stripe.example/3d_secure/{parts[1]}",
                "return_url": form["return_url"],
            }
            intent |= {"status": "requires_action",
                       "next_action": {"type": "redirect_to_url", "redirect_to_url": where}}  # fmt: skip
            return 200, intent
        if method["type"] == "us_bank_account":
            intent["status"] = "processing"
            return 200, intent
        self._pay(intent)
        return 200, intent

    def _pay(self, intent: dict[str, Any]) -> None:
        method, manual = self._known(intent["payment_method"]), intent["capture_method"] == "manual"
        kind = method["type"]
        intent["latest_charge"] = {
            "id": self._id("ch"), "object": "charge", "amount": intent["amount"], "amount_refunded": 0,
            "currency": intent["currency"], "payment_method_details": {"type": kind, kind: method[kind]},
            "billing_details": method["billing_details"], "receipt_url": "https://pay.stripe.example/receipts/1",
        }  # fmt: skip
        intent |= {"status": "requires_capture" if manual else "succeeded", "next_action": None,
                   "last_payment_error": None, "amount_received": 0 if manual else intent["amount"]}  # fmt: skip

    def _read(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, self.intents[parts[1]]

    def _list(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, {"object": "list", "data": list(self.intents.values())[::-1], "has_more": False}

    def _capture(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        intent = self.intents[parts[1]]
        if intent["status"] != "requires_capture":
            return 400, {
                "error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}
            }
        intent |= {"status": "succeeded", "amount_received": int(form["amount_to_capture"])}
        return 200, intent

    def _cancel(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        intent = self.intents[parts[1]]
        if intent["status"] == "succeeded":
            return 400, {
                "error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}
            }
        intent["status"] = "canceled"
        return 200, intent

    def _refund(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        metadata = {key[9:-1]: value for key, value in form.items() if key.startswith("metadata[")}
        intent = self.intents[form["payment_intent"]]
        made = {
            "id": self._id("re"), "object": "refund", "status": self.refund_status, "amount": int(form["amount"]),
            "currency": intent["currency"], "payment_intent": intent["id"], "metadata": metadata,
        }  # fmt: skip
        self.refunds[made["id"]] = made
        return 200, made

    def _read_refund(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, self.refunds[parts[1]]

    def _list_refunds(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, {"object": "list", "data": list(self.refunds.values())[::-1], "has_more": False}

    def _customer(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        ref = self._id("cus")
        self.customers[ref] = form
        return 200, {"id": ref, "object": "customer"}

    def _save(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        method, ref = self._known(form["payment_method"]), self._id("seti")
        number, word, why, step = method["_number"], "succeeded", None, None
        if number in DECLINES:
            code, reason = DECLINES[number]
            why = {"type": "card_error", "code": code, "decline_code": reason or None, "message": "No."}
            return 402, {"error": why}
        if number in THREE_DS:
            word = "requires_action"
            step = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": f"https://hooks.stripe.example/{ref}"},
            }
        self.setups[ref] = {
            "id": ref, "object": "setup_intent", "status": word, "customer": form["customer"], "next_action": step,
            "payment_method": {k: v for k, v in method.items() if k != "_number"}, "last_setup_error": why,
        }  # fmt: skip
        return 200, self.setups[ref]

    def _read_setup(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, self.setups[parts[1]]

    def _detach(self, parts: list[str], form: Form) -> tuple[int, dict[str, Any]]:
        return 200, {"id": parts[1], "object": "payment_method"}
