"""The receipt: opened by the order's link alone, kept by nobody, and its numbers add up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from orders import selectors
from orders.models import Order
from payments.models import PaymentIntent
from payments.services import receipts
from pimpshop.core.money import Money
from tests import factories
from tests.support import spending
from tests.support.bought import ask, bank_says, bought, end, pay

pytestmark = pytest.mark.django_db


def page(order: Order, **headers: str) -> Any:
    return Client().get(selectors.receipt_path(order), headers=headers)


def shown(order: Order, what: str) -> list[str]:
    """The amounts of the cells or rows marked `what`."""
    found = re.findall(rf"data-{what}>(.*?)</t[dr]>", page(order).content.decode(), re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in found]


def paid(**more: Any) -> PaymentIntent:
    intent = bought(user=factories.user(), **more)
    pay(intent)
    intent.refresh_from_db()
    intent.order.refresh_from_db()
    return intent


def adds_up(order: Order) -> receipts.Receipt:
    made = receipts.receipt(order)
    assert sum(line["sum"].amount_minor for line in made.lines) == made.total.amount_minor
    settled = [entry for entry in made.payments if not entry.second]
    assert made.total == made.covered + settled[0].amount
    got = sum(entry.amount.amount_minor for entry in made.payments)
    back = sum(entry.amount.amount_minor for entry in made.refunds if entry.done)
    assert (made.given_back.amount_minor, made.left.amount_minor) == (back, got - back)
    assert all(type(entry.amount.amount_minor) is int for entry in [*made.payments, *made.refunds])
    return made


def test_what_it_says(settings: Any) -> None:
    settings.RECEIPT_SHOP = ["Pimp & Co", "1 High Street, London", "VAT GB123"]
    order = paid().order
    answer = page(order)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert "Pimp &amp; Co<br>1 High Street, London<br>VAT GB123" in text
    assert order.order_no in text
    assert shown(order, "total") == ["CN¥39.90"]
    assert shown(order, "left") == ["CN¥39.90"]
    assert (shown(order, "back"), shown(order, "refund"), shown(order, "covered")) == ([], [], [])
    assert "Alipay" in shown(order, "payment")[0]
    adds_up(order)


def test_in_chinese() -> None:
    text = page(paid().order, **{"Accept-Language": "zh-CN"}).content.decode()
    assert '<html lang="zh-hans">' in text
    assert "¥39.90" in text
    assert "CN¥" not in text
    assert "支付宝" in text


def test_refunds_and_what_is_left() -> None:
    intent = paid()
    end(ask(intent, 1000), "succeeded")
    ask(intent, 500)
    assert shown(intent.order, "back") == ["−CN¥10.00"]
    assert shown(intent.order, "left") == ["CN¥29.90"]
    made = adds_up(intent.order)
    assert {(entry.amount, entry.done) for entry in made.refunds} == {
        (Money(1000, "CNY"), True), (Money(500, "CNY"), False),
    }  # fmt: skip
    assert any("on its way, not counted yet" in row for row in shown(intent.order, "refund"))
    end(intent.refunds.get(amount_minor=500), "failed")
    assert len(adds_up(intent.order).refunds) == 1


def test_all_of_it_back_leaves_nothing() -> None:
    intent = paid()
    end(ask(intent), "succeeded")
    intent.order.refresh_from_db()
    assert shown(intent.order, "left") == ["CN¥0.00"]
    adds_up(intent.order)


def test_a_second_payment_and_its_return_are_shown() -> None:
    intent = paid()
    second = factories.created(
        factories.intent(
            intent.order, gateway="alipay", method="precreate", attempt=2, account="2021000000000001",
            out_trade_no=f"{intent.order.order_no}_2",
        )
    )  # fmt: skip
    assert pay(second) == "surplus"
    assert [entry.second for entry in adds_up(intent.order).payments] == [False, True]
    end(second.refunds.get(), "succeeded")
    made = adds_up(intent.order)
    assert (made.given_back, made.left) == (Money(3990, "CNY"), Money(3990, "CNY"))


def test_what_a_bank_took_is_given_back_by_the_bank() -> None:
    intent = paid()
    bank_says(intent, "opened", "lost")
    made = adds_up(intent.order)
    assert [(entry.text, entry.amount) for entry in made.refunds] == [
        ("Given back by your bank", Money(3990, "CNY"))
    ]
    assert made.left == Money(0, "CNY")


def test_credits_that_paid_a_part_and_those_that_paid_all() -> None:
    from orders.services import credit_parts

    alice = spending.shopper()
    order = spending.order(alice)
    credit_parts.hold(order, user_id=alice.pk, credits=300, least_due=1, source="page")
    spending.money_comes(spending.attempt(order))
    order.refresh_from_db()
    made = adds_up(order)
    assert (made.credits, made.covered) == (Money(300, "CREDITS"), Money(400, "GBP"))
    assert shown(order, "covered") == ["−£4.00"]
    assert shown(order, "left") == ["£15.99"]
    whole = spending.order(alice, currency="CREDITS")
    spending.pay_all(whole, alice)
    whole.refresh_from_db()
    made = adds_up(whole)
    assert (made.total, made.covered, made.payments[0].text) == (
        Money(1500, "CREDITS"), Money(0, "CREDITS"), "Your credits",
    )  # fmt: skip


def test_the_card_is_named_by_its_last_digits() -> None:
    intent = paid()
    PaymentIntent.objects.filter(pk=intent.pk).update(
        gateway="stripe", method_details={"card_brand": "visa", "last_four": "4242"}
    )
    assert receipts.receipt(intent.order).payments[0].text == "Card (visa •••• 4242)"


@pytest.mark.parametrize("key", ["", "?k=", "?k=AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_wrong_link_finds_nothing(key: str) -> None:
    order = paid().order
    answer = Client().get(f"/orders/{order.order_no}/receipt/{key}")
    assert answer.status_code == 404
    assert "receipt-table" not in answer.content.decode()


def test_an_unpaid_order_has_none_and_its_page_offers_none() -> None:
    order = bought(user=factories.user()).order
    assert page(order).status_code == 404
    assert "data-receipt" not in Client().get(selectors.status_path(order)).content.decode()


def test_a_paid_order_leads_to_it() -> None:
    order = paid().order
    text = Client().get(selectors.status_path(order)).content.decode()
    assert f'href="{selectors.receipt_path(order)}"' in text
