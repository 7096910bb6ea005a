"""Credits in front of a machine: bought, used for all of a case or a part of it, printed, and back when it cannot be."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Design
from orders.models import Order
from orders.services import credit_parts
from payments.models import PaymentIntent, Refund
from payments.services import refund_credits, refund_steps, refunds
from tests import factories
from tests.flows.conftest import Shop
from tests.support import bought, seed1
from tests.support.manufacturer import Manufacturer
from tests.support.shop import PRINT
from tests.support.spending import WHOLE, shopper, told
from vending.models import PrintJob, VendingSession
from vending.services import screens, sessions

pytestmark = pytest.mark.django_db


def a_design(shop: Shop) -> Design:
    return factories.frozen_design(
        shop.shell, print_bytes=PRINT, print_sha256=hashlib.sha256(PRINT).hexdigest()
    )


class Visitor:
    """Somebody with a phone in front of the machine, who has designed a case."""

    def __init__(self, shop: Shop, user: User | None = None) -> None:
        if not shop.shell.model.product.prices.filter(currency="CREDITS").exists():
            factories.price(shop.shell.model.product, amount_minor=WHOLE, currency="CREDITS")
        self.client = Client()
        if user is not None:
            self.client.force_login(user)
        self.session = factories.created(factories.session(shop.machine))
        token = sessions.claim(self.session, needs_token=True, source="page")
        self.client.cookies[sessions.claim_cookie(self.session.session_id)] = token
        sessions.attach_design(self.session, a_design(shop))

    @property
    def base(self) -> str:
        return f"/studio/s/{self.session.session_id}/summary/"

    def look(self) -> str:
        return str(self.client.get(self.base).content.decode())

    def post(self, rest: str = "", **typed: Any) -> Any:
        return self.client.post(f"{self.base}{rest}", typed)

    def order(self) -> Order:
        return Order.objects.filter(session_id=self.session.session_id).latest("pk")

    def state(self) -> str:
        return VendingSession.objects.get(pk=self.session.pk).status


def test_credits_that_were_bought_pay_a_case_and_it_is_printed(
    shop: Shop, manufacturer: Manufacturer
) -> None:
    alice = shopper(0)
    for _pack in range(4):
        bought.pay(bought.bought(user=alice))
    assert told(alice) == (2000, 0)
    visitor = Visitor(shop, alice)
    page = visitor.look()
    assert 'value="CREDITS.credits.credits"' in page
    assert "1,500 credits" in page
    answer = visitor.post("online/", way="CREDITS.credits.credits")
    assert answer.status_code in (302, 303)
    order = visitor.order()
    assert (order.status, order.currency, visitor.state()) == ("paid", "CREDITS", "payment_completed")
    assert told(alice) == (500, 0)
    seed1.work()
    job = PrintJob.objects.get()
    assert (job.status, job.queue_no) == ("accepted", manufacturer.queue[job.third_order_id])
    assert {body["pay_amount"] for body in manufacturer.bodies("order/payData")} == {19.99}
    assert visitor.client.get(answer["Location"]).status_code == 200


def test_a_part_with_credits_and_the_rest_at_the_machine(shop: Shop, manufacturer: Manufacturer) -> None:
    alice = shopper(750)
    visitor = Visitor(shop, alice)
    page = visitor.look()
    assert 'value="CREDITS.credits.credits"' not in page
    assert "You can use 750 credits." in page
    assert visitor.post("credits/", credits="750")["Location"] == visitor.base
    page = visitor.look()
    assert "£19.99, less £10.00 for 750 credits" in page
    assert "£9.99" in page
    visitor.post()
    intent = PaymentIntent.objects.get()
    assert (intent.amount_minor, intent.gateway) == (999, "machine")
    assert screens.show(shop.machine).amount == intent.amount
    assert [body["pay_amount"] for body in manufacturer.bodies("order/payData")] == [9.99]
    seed1.paid(intent.out_trade_no, manufacturer)
    assert (visitor.order().status, told(alice)) == ("paid", (0, 0))
    assert PrintJob.objects.get().status == "accepted"


def test_another_design_lets_the_credits_go_and_taking_them_off_as_well(
    shop: Shop, manufacturer: Manufacturer
) -> None:
    alice = shopper()
    visitor = Visitor(shop, alice)
    visitor.post("credits/", credits="750")
    visitor.post("credits/", do="off")
    assert told(alice) == (2000, 0)
    visitor.post("credits/", credits="300")
    assert told(alice) == (1700, 300)
    sessions.attach_design(VendingSession.objects.get(pk=visitor.session.pk), a_design(shop))
    visitor.post()
    assert told(alice) == (2000, 0)
    assert sorted(Order.objects.values_list("status", flat=True)) == ["cancelled", "pending"]
    assert [body["pay_amount"] for body in manufacturer.bodies("order/payData")] == [19.99]


def test_a_guest_at_the_machine_sees_only_money(shop: Shop, manufacturer: Manufacturer) -> None:
    visitor = Visitor(shop)
    page = visitor.look()
    assert "data-credits" not in page
    assert "CREDITS." not in page
    assert visitor.post("credits/", credits="100").status_code == 302
    assert not Order.objects.exists()


def test_what_does_not_fit_is_said_and_nothing_is_taken(shop: Shop, manufacturer: Manufacturer) -> None:
    alice = shopper(100)
    visitor = Visitor(shop, alice)
    answer = visitor.post("credits/", credits="101")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "The credits could not be used" in page
    assert told(alice) == (100, 0)


def test_two_phones_spend_the_same_balance_once(shop: Shop, manufacturer: Manufacturer) -> None:
    alice = shopper(1600)
    first, second = Visitor(shop, alice), Visitor(shop, alice)
    first.look()
    second.look()
    for visitor in (first, second):
        visitor.post("online/", way="CREDITS.credits.credits")
    assert told(alice) == (100, 0)
    assert Order.objects.filter(status="paid").count() == 1


def test_the_print_fails_for_good_and_the_credits_are_back(shop: Shop, manufacturer: Manufacturer) -> None:
    alice = shopper()
    visitor = Visitor(shop, alice)
    visitor.post("online/", way="CREDITS.credits.credits")
    intent = PaymentIntent.objects.get()
    refund = refunds.request_refund(
        intent=intent, origin="staff", actor="finance", reason="the printer is broken", source="admin"
    )
    refund_steps.send(refund.pk)
    assert (visitor.order().status, told(alice)) == ("refunded", (2000, 0))
    seed1.work()
    assert PrintJob.objects.get().status == "canceled"
    assert manufacturer.bodies("order/orderData") == []


def test_paid_at_the_machine_and_paid_back_as_credits(shop: Shop, manufacturer: Manufacturer) -> None:
    """The machine cannot pay back; what credits had paid comes back with it."""
    alice = shopper(750)
    visitor = Visitor(shop, alice)
    visitor.post("credits/", credits="750")
    visitor.post()
    intent = PaymentIntent.objects.get()
    manufacturer.payments[intent.out_trade_no] = 3
    seed1.hint(intent.out_trade_no)
    from payments.services import sync

    seed1.let_time_pass()
    sync.check_now(intent=intent, source="poll")
    intent.refresh_from_db()
    assert intent.status == "succeeded"
    refund_credits.request_refund(
        intent=intent, amount_minor=None, actor="finance", reason="jammed", email=str(alice.email)
    )
    assert told(alice) == (750 + 750, 0)
    assert (visitor.order().status, Refund.objects.get().kind) == ("refunded", "credits")
    assert intent.captured_minor == 999


def test_all_of_the_price_comes_late_at_the_machine_and_the_part_is_free_again(
    shop: Shop, manufacturer: Manufacturer
) -> None:
    """By the quick path: one attempt, over all of the order. The sweeper lets go what nobody needs any more."""
    alice = shopper(750)
    visitor = Visitor(shop, alice)
    visitor.post()
    first = PaymentIntent.objects.get()
    manufacturer.payments[first.out_trade_no] = 4
    seed1.hint(first.out_trade_no, 4)
    seed1.work()
    visitor.post("credits/", credits="750")
    assert told(alice) == (0, 750)
    manufacturer.payments[first.out_trade_no] = 3
    seed1.hint(first.out_trade_no)
    seed1.work()
    first.refresh_from_db()
    assert (first.status, first.captured_minor, visitor.order().status) == ("succeeded", 1999, "paid")
    assert credit_parts.let_go_ended() in (0, 1)
    assert told(alice) == (750, 0)


@pytest.mark.parametrize("rest", ["", "online/", "credits/"])
def test_a_case_of_somebody_who_is_logged_in_stands_in_their_account(
    shop: Shop, manufacturer: Manufacturer, rest: str
) -> None:
    """Whichever button orders it. Who comes later to the same order does not take it over."""
    alice = shopper()
    visitor = Visitor(shop, alice)
    visitor.post(rest, way="CREDITS.credits.credits", credits="300")
    order = visitor.order()
    assert (order.user, order.email) == (alice, alice.email)
    assert order.order_no in visitor.client.get("/account/orders/").content.decode()
    visitor.client.force_login(factories.user("mallory@example.com"))
    visitor.post()
    assert Order.objects.get(pk=order.pk).user == alice
