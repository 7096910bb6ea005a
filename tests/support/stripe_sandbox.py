"""The simulated Stripe for tests: its control API, Stripe's own SDK towards it, and our gateway towards it."""

from __future__ import annotations

from typing import Any

import requests
import stripe as sdk

from payments.gateways import stripe
from tests.support.sandbox import Sandbox

KEY, SECRET = "sk_test_" + "sandbox" * 4, "whsec_" + "sandbox" * 4


class StripeSandbox:
    """A client of the simulator that `sandbox` runs."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api_base = f"{sandbox.base_url}/stripe"
        self._http = requests.Session()
        self._http.trust_env = False

    def sdk(self) -> sdk.StripeClient:
        """Stripe's own client."""
        return sdk.StripeClient(KEY, base_addresses={"api": self.api_base}, max_network_retries=0)

    def gateway(self, **config: Any) -> stripe.StripeGateway:
        """Our gateway."""
        values: dict[str, Any] = {
            "secret_key": KEY, "webhook_secrets": (SECRET,), "api_base": self.api_base, "raw_cards": True,
        }  # fmt: skip
        return stripe.StripeGateway(stripe.Config(**(values | config)))

    def books(self) -> dict[str, Any]:
        """Objects by kind, oldest first, and posts."""
        answer = self._http.get(
            f"{self.sandbox.base_url}/sandbox/api/books", params={"provider": "stripe"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def fault(self, name: str, **words: Any) -> None:
        """Switch one of Stripe's faults."""
        self.sandbox.fault(name, provider="stripe", **words)

    def post(self, path: str, **body: Any) -> requests.Response:
        """One call of the control API below /sandbox/api/stripe/."""
        return self._http.post(f"{self.sandbox.base_url}/sandbox/api/stripe/{path}", json=body, timeout=30)

    def pay(self, session: str, card: str = "4242424242424242", **body: Any) -> dict[str, Any]:
        """Pay on a session's page; the session. A refused card raises requests.HTTPError."""
        answer = self.post(f"sessions/{session}/pay", card=card, **body)
        answer.raise_for_status()
        return answer.json()

    def authenticate(self, ident: str, *, approve: bool = True) -> dict[str, Any]:
        """Answer 3-D Secure; the PaymentIntent or SetupIntent."""
        answer = self.post(f"intents/{ident}/authenticate", approve=approve)
        answer.raise_for_status()
        return answer.json()
