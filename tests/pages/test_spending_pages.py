"""The pages on which credits pay: what is offered to whom, and what the buttons do. They speak with no provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from credits.models import Hold
from orders import selectors as orders
from orders.models import Order
from orders.services import credit_parts
from payments.models import PaymentIntent
from pimpshop.core import invariants
from tests.support.spending import attempt, fails, money_comes, order, shopper, stands, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _what_always_holds(db: None) -> Iterator[None]:
    yield
    assert [str(v) for v in invariants.violations()] == []


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def html(client: Client, of: Order) -> str:
    return client.get(orders.pay_path(of)).content.decode()


def press(client: Client, of: Order, do: str, **typed: Any) -> Any:
    path, _question, key = orders.pay_path(of).partition("?")
    return client.post(f"{path}credits/?{key}", {"do": do, **typed})


def test_a_guest_sees_nothing_of_credits_and_can_do_nothing_with_them() -> None:
    alice = shopper()
    bought = order(alice)
    page = html(browser(), bought)
    assert "data-credits" not in page
    assert press(browser(), bought, "part", credits=100)["Location"] == orders.pay_path(bought)
    assert press(browser(), bought, "all")["Location"] == orders.pay_path(bought)
    assert (told(alice), stands(bought), Hold.objects.count()) == ((2000, 0), ("pending", 1999), 0)


def test_without_its_link_there_is_no_such_order() -> None:
    alice = shopper()
    bought = order(alice)
    assert (
        browser(alice).post(f"/orders/{bought.order_no}/pay/credits/?k=x", {"do": "all"}).status_code == 404
    )
    assert told(alice) == (2000, 0)


def test_a_shopper_sees_their_balance_and_the_price_in_credits() -> None:
    alice = shopper()
    page = html(browser(alice), order(alice))
    assert "You can use 2,000 credits." in page
    assert "Pay all of it with credits" in page
    assert "1,500 credits" in page
    assert "£19.99" in page


def test_too_few_for_all_of_it_are_offered_for_a_part() -> None:
    alice = shopper(300)
    page = html(browser(alice), order(alice))
    assert "Pay all of it with credits" not in page
    assert "All of it costs 1,500 credits." in page
    assert 'max="300"' in page
    assert "300 credits at the most: then you pay £4.00 less." in page


def test_without_credits_there_is_nothing_to_use() -> None:
    alice = shopper(0)
    page = html(browser(alice), order(alice))
    assert "You can use 0 credits." in page
    assert "credits-number" not in page


def test_a_part_is_used_and_taken_off_again() -> None:
    alice = shopper()
    bought, client = order(alice), browser(alice)
    assert press(client, bought, "part", credits="750")["Location"] == orders.pay_path(bought)
    assert (told(alice), stands(bought)) == ((1250, 750), ("pending", 999))
    page = html(client, bought)
    for words in ("750 credits are set aside for this order.", "£9.99", "−£10.00", "Do not use credits"):
        assert words in page
    assert "−£10.00" in client.get(orders.status_path(bought)).content.decode()
    press(client, bought, "off")
    assert (told(alice), stands(bought)) == ((2000, 0), ("pending", 1999))


def test_somebody_elses_part_is_told_of_and_stays() -> None:
    alice, bob = shopper(), shopper()
    bought = order(alice)
    press(browser(alice), bought, "part", credits=100)
    page = html(browser(bob), bought)
    assert "Somebody else's credits already pay a part of this order." in page
    assert "data-credits-off" not in page
    press(browser(bob), bought, "off")
    assert told(alice) == (1900, 100)


@pytest.mark.parametrize("typed", ["", "0", "-1", "1e3", "9999999999", "1500", "2001", "x"])
def test_a_number_that_does_not_fit_is_refused_in_words(typed: str) -> None:
    alice = shopper()
    bought = order(alice)
    answer = press(browser(alice), bought, "part", credits=typed)
    assert answer.status_code == 409
    assert "Nothing was taken." in answer.content.decode()
    assert (told(alice), stands(bought)) == ((2000, 0), ("pending", 1999))


def test_all_of_it_is_paid_and_the_page_says_so() -> None:
    alice = shopper()
    bought, client = order(alice), browser(alice)
    answer = press(client, bought, "all")
    paid = PaymentIntent.objects.get(gateway="credits").order
    assert answer["Location"] == orders.status_path(paid)
    assert (told(alice), stands(bought)[0], paid.status) == ((500, 0), "cancelled", "paid")
    assert "1,500 credits" in client.get(answer["Location"]).content.decode()
    again = press(client, bought, "all")
    assert again["Location"] == orders.pay_path(bought)
    assert told(alice) == (500, 0)


def test_an_order_in_credits_is_paid_by_its_button() -> None:
    alice = shopper()
    bought, client = order(alice, "CREDITS"), browser(alice)
    assert 'data-way="credits.credits"' in html(client, bought)
    assert 'data-way="credits.credits"' not in html(browser(), bought)
    answer = client.post(orders.pay_path(bought), {"way": "credits.credits"})
    assert answer["Location"] == orders.status_path(bought)
    assert (stands(bought)[0], told(alice)) == ("paid", (500, 0))


def test_nobody_pays_with_a_way_that_is_not_theirs() -> None:
    alice, poor = shopper(), shopper(10)
    bought = order(alice, "CREDITS")
    for client in (browser(), browser(poor)):
        answer = client.post(orders.pay_path(bought), {"way": "credits.credits"})
        assert answer.status_code == 409
    assert (stands(bought)[0], told(poor)) == ("pending", (10, 0))


def test_what_is_paid_back_is_said_as_it_was() -> None:
    from payments.services import refund_credits

    alice = shopper()
    bought = order(alice)
    intent = attempt(bought)
    money_comes(intent)
    intent.refresh_from_db()
    refund_credits.request_refund(intent=intent, amount_minor=None, actor="finance", reason="jammed")
    page = browser().get(orders.status_path(bought)).content.decode()
    assert "You got credits back" in page
    assert "Instead of £19.99 you got 1,500 credits." in page
    assert "You got back £19.99." not in page


def test_late_money_whose_credits_are_gone_is_told_of_honestly() -> None:
    from credits.services import holds, ledger

    alice = shopper()
    bought = order(alice)
    press(browser(alice), bought, "part", credits=750)
    intent = attempt(bought)
    holds.release(Hold.objects.get(), source="sweeper", reason="its time was over")
    ledger.spend(user_id=alice.pk, amount=2000, reference="elsewhere")
    money_comes(intent)
    page = browser().get(orders.status_path(bought)).content.decode()
    assert "Your payment of £9.99 came too late for this order and is on its way back to you." in page


def test_an_attempt_that_failed_leaves_the_part_where_it_is() -> None:
    alice = shopper()
    bought = order(alice)
    press(browser(alice), bought, "part", credits=750)
    fails(attempt(bought))
    assert (stands(bought), told(alice)) == (("pending", 999), (1250, 750))
    part = credit_parts.current(bought)
    assert part is not None
    assert "£9.99" in html(browser(alice), bought)
