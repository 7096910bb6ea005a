"""Money that goes back at the very moment when what it bought is given, or when it goes back elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from credits import selectors as credits
from orders.models import EarlyTakeBack, Order
from orders.services import granting
from payments import registry
from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import refund_notices, refund_steps
from pimpshop.core import invariants
from pimpshop.core.money import Money
from tests import factories
from tests.support import threads
from tests.support.bought import ask, bought, pay

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("_round", range(6))
def test_a_grant_and_a_refund_together_give_the_rest(_round: int) -> None:
    intent = bought()
    pay(intent)  # a guest without an address: nobody to give it to yet
    bob = factories.user()
    Order.objects.filter(pk=intent.order_id).update(user=bob)

    def work(number: int) -> Any:
        if number % 2:
            return granting.grant_again(intent.order_id)
        return ask(PaymentIntent.objects.get(pk=intent.pk), 1330)

    threads.together(4, work)
    assert credits.balance(bob.pk) == 500 - 333
    assert EarlyTakeBack.objects.count() == 0
    assert [str(v) for v in invariants.violations()] == []


class Provider:
    """Takes every refund; counts them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def create_refund(self, request: base.RefundRequest) -> base.RefundResult:
        self.sent.append(request.out_refund_no)
        return base.RefundResult(status=base.RefundStatus.PENDING, provider_ref=f"re_{len(self.sent)}")


@pytest.mark.parametrize("_round", range(6))
def test_ours_is_either_sent_or_steps_back(_round: int, monkeypatch: pytest.MonkeyPatch) -> None:
    intent = bought(user=factories.user())
    pay(intent)
    ours, provider = ask(intent, 1000), Provider()
    monkeypatch.setattr(registry, "get", lambda _key: provider)

    def work(number: int) -> Any:
        if number % 2:
            return refund_steps.send(ours.pk)
        return refund_notices.note_total(intent, Money(2000, "CNY"), source="webhook")

    threads.together(4, work)
    ours.refresh_from_db()
    assert (ours.status, len(provider.sent)) in {("failed", 0), ("pending", 1)}
    external = Refund.objects.get(origin="provider")
    assert external.amount_minor == (2000 if ours.status == "failed" else 1000)
    intent.refresh_from_db()
    assert intent.refund_reserved_minor == 2000
    assert [str(v) for v in invariants.violations()] == []
