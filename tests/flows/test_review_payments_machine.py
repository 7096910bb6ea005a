"""Begun on the phone, paid at the machine: the first way is closed before the machine asks for the money."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from payments.gateways import base
from payments.models import PaymentIntent, Refund
from payments.services import intents, machine_payments, online_payments
from tests.support.shop import Paying, Shop, SteadyManufacturer, assert_invariants, make_shop
from tests.support.stripe_books import StripeBooks

pytestmark = pytest.mark.django_db
THREE_DS = base.Token(value="pm_card_threeDSecure2Required")


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def stripe_books(wire: responses.RequestsMock) -> StripeBooks:
    return StripeBooks(wire)


@pytest.fixture
def shop(db: None, wire: responses.RequestsMock) -> Iterator[Shop]:
    yield make_shop(SteadyManufacturer(wire))
    assert_invariants()


@pytest.fixture
def begun(shop: Shop, stripe_books: StripeBooks) -> Paying:
    """The bank waits for the shopper's word on the phone."""
    one = shop.ordered()
    choice = online_payments.Choice(gateway="stripe", method="token", return_url="https://shop.example/done")
    one.intent = online_payments.start_payment(one.order, choice, instrument=THREE_DS, source="page")
    one.refresh()
    assert (one.intent.status, one.session.status) == ("requires_action", "payment_pending")
    return one


def attempts() -> list[tuple[str, str]]:
    return list(PaymentIntent.objects.order_by("attempt").values_list("gateway", "status"))


def test_the_way_on_the_phone_is_closed_first(begun: Paying, shop: Shop, stripe_books: StripeBooks) -> None:
    paying = machine_payments.start_machine_payment(begun.session, source="api")
    assert attempts() == [("stripe", "canceled"), ("machine", "requires_action")]
    assert [one["status"] for one in stripe_books.intents.values()] == ["canceled"]
    assert [body["third_id"] for body in shop.manufacturer.bodies("order/payData")] == [paying.third_id]
    begun.refresh()
    assert (begun.session.status, begun.session.third_id) == ("payment_pending", paying.third_id)


def test_money_that_was_faster_on_the_phone_is_not_asked_for_again(
    begun: Paying, shop: Shop, stripe_books: StripeBooks
) -> None:
    stripe_books.passes(begun.intent.provider_ref)
    paying = machine_payments.start_machine_payment(begun.session, source="api")
    assert (paying.is_paid, attempts()) == (True, [("stripe", "succeeded")])
    assert (shop.manufacturer.bodies("order/payData"), Refund.objects.count()) == ([], 0)


def test_without_an_answer_the_machine_is_not_asked(
    begun: Paying, shop: Shop, stripe_books: StripeBooks
) -> None:
    stripe_books.fail("cancel", "down")
    with pytest.raises(intents.PaymentUncertain):
        machine_payments.start_machine_payment(begun.session, source="api")
    assert (attempts(), shop.manufacturer.bodies("order/payData")) == ([("stripe", "expiring")], [])
