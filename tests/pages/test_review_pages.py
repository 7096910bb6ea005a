"""What a second reading of the pages found: what is shown of credits that were taken back, and of what has no price."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders import selectors as orders
from orders.models import Order
from payments.services import progress_words
from tests import factories as make
from tests.support import bought, goods


def page(order: Any) -> str:
    return Client().get(orders.status_path(order)).content.decode()


def test_a_pack_without_a_price_in_that_currency(db: None) -> None:
    goods.pack(prices={"EUR": 300})
    pack = goods.pack(prices={"USD": 200})
    answer = Client().get(f"/credits/{pack.sku}/?currency=EUR")
    assert answer.status_code == 200
    assert "$2.00" in answer.content.decode()
    ordered = Client().post(f"/credits/{pack.sku}/?currency=EUR", {"email": "a@example.com"})
    assert (ordered.status_code, Order.objects.count()) == (
        409,
        0,
    )  # never in another currency than was shown


def test_a_remembered_order_at_an_old_price_is_not_offered(db: None) -> None:
    pack, guest = goods.pack(prices={"USD": 200}), Client()
    address, email = f"/credits/{pack.sku}/?currency=USD", {"email": "a@example.com"}
    before = guest.post(address, email)["Location"]
    make.reprice(300)
    after = guest.post(address, email)["Location"]
    assert after != before
    assert list(Order.objects.order_by("pk").values_list("total_minor", flat=True)) == [200, 300]


def test_credits_that_went_back_are_not_shown(db: None) -> None:
    alice = make.user("alice@example.com")
    intent = bought.bought(user=alice)
    bought.pay(intent)
    order = intent.order
    order.refresh_from_db()
    assert "<b>500 credits</b>" in page(order)
    intent.refresh_from_db()
    bought.end(bought.ask(intent, 1995), "succeeded")
    assert "<b>250 credits</b>" in page(order)


@pytest.mark.parametrize(
    ("words", "told", "left"),
    [
        (("opened",), "Your bank is asking for CN¥39.90 of this payment back.", "Nothing of it is left"),
        (("opened", "lost"), "Your bank gave you back CN¥39.90 of this payment.", "Nothing of it is left"),
        (("opened", "won"), "", "<b>500 credits</b>"),
    ],
)
@pytest.mark.parametrize("guest", [True, False])
def test_a_dispute_is_told(db: None, words: tuple[str, ...], told: str, left: str, guest: bool) -> None:
    intent = bought.bought(user=None if guest else make.user("alice@example.com"))
    bought.pay(intent, payer_email="guest@example.com")
    bought.bank_says(intent, *words)
    intent.order.refresh_from_db()
    shown = page(intent.order)
    assert told in shown
    assert left in shown
    assert ("Your bank" in shown) == bool(told)


def test_an_inquiry_of_a_bank_takes_nothing(db: None) -> None:
    intent = bought.bought(user=make.user("alice@example.com"))
    bought.pay(intent)
    bought.bank_says(intent, "opened", money_moved=False)
    intent.order.refresh_from_db()
    shown = page(intent.order)
    assert "Your bank" not in shown
    assert "<b>500 credits</b>" in shown


def test_only_what_is_paid_reads_paid(db: None) -> None:
    """The step that is going on is a payment; and of what went back with the money nothing waits."""
    intent = bought.bought()
    order = intent.order

    def steps(state: str, *, ended: bool = False) -> list[str]:
        return [step["text"] for step in progress_words.steps(order, state, None, None, ended=ended)]

    assert steps("scan") == ["Ordered", "Payment", "Waits for you"]
    bought.pay(intent, payer_email="guest@example.com")
    order.refresh_from_db()
    assert steps("kept") == ["Ordered", "Paid", "Waits for you"]
    assert steps("refunded", ended=True) == ["Ordered", "Paid"]


@pytest.mark.parametrize("status", ["paid", "completed"])
def test_another_shops_order_promises_no_print(db: None, status: str) -> None:
    """Paid is all there is to it here: the other shop is told, and the page has nothing more to ask for."""
    order = make.order(
        kind="merchant", lines=0, status=status, paid_at=timezone.now(), email="guest@example.com"
    )
    shown = page(order)
    assert "Thank you, it is paid" in shown
    assert "printer" not in shown
    assert ("hx-get" in shown) == (status == "paid")
