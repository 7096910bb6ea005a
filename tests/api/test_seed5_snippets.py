"""Seed 5's own client code in Node against a running shop: its two functions, word for word, with a publishable key."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from payments.models import PaymentIntent
from tests import factories
from tests.support import seed5
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).parent / "snippets" / "seed5_run.mjs"


class Page:
    """A checkout page with a publishable key, and the order that it sells."""

    def __init__(self, base: str) -> None:
        self.base, self.key = base, seed5.page().bearer
        order = factories.order(kind="merchant", total_minor=9999, currency="USD")
        self.order_id = str(order.public_id)

    def run(self, number: str, *complete: str) -> dict[str, Any]:
        command = ["node", str(SCRIPT), self.base, self.key, self.order_id, number, *complete]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert ended.returncode == 0, ended.stderr
        found: dict[str, Any] = json.loads(ended.stdout)
        return found


@pytest.fixture
def page(live_server: Any, settings: Any, stripe_books: StripeBooks) -> Page:
    settings.PUBLIC_BASE_URL = live_server.url
    return Page(live_server.url)


def test_a_card_is_paid(page: Page) -> None:
    ran = page.run("4242 4242 4242 4242")
    assert (ran["went"], ran["shown"]) == (["/checkout/success"], []), ran
    assert PaymentIntent.objects.get().status == "succeeded"


def test_a_declined_card_is_shown(page: Page) -> None:
    ran = page.run("4000000000000002")
    assert (ran["went"], ran["answers"][0]["status"]) == ([], 402)
    assert ran["shown"] == [ran["answers"][0]["body"]["error_message"]]
    assert ran["shown"][0] in ("您的卡被拒绝。", "Your card was declined.")


def test_3ds_leads_to_the_bank_and_completes(page: Page, stripe_books: StripeBooks) -> None:
    ran = page.run("4000002500003155")
    intent, told = PaymentIntent.objects.get(), ran["answers"][0]["body"]
    assert ran["went"] == [f"https://hooks.stripe.example/3d_secure/{intent.provider_ref}"]
    assert intent.return_url == f"{page.base}/checkout/complete"
    stripe_books.passes(intent.provider_ref)
    done = page.run("-", told["payment_id"], told["client_secret"])
    assert (done["went"], done["shown"]) == (["/checkout/success"], []), done
    intent.refresh_from_db()
    assert intent.status == "succeeded"
