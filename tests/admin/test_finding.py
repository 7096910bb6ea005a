"""One box for any number: a provider's, a guest's address, the last digits of a card; and the story behind it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from credits.services import ledger
from payments.models import OutboundEvent, PaymentEvent, PaymentIntent
from pimpshop.core.admin import timeline
from tests import factories

pytestmark = pytest.mark.django_db
FIND = "/admin/core/staffitem/find/"


def find(desk: Any, number: str) -> Any:
    return desk.client.get(FIND, {"q": number})


def shown(answer: Any) -> list[tuple[str, list[str]]]:
    return [
        (str(group["title"]), [row["text"] for row in group["rows"]]) for group in answer.context["groups"]
    ]


def paid(last_four: str = "", **more: Any) -> PaymentIntent:
    intent = factories.intent(factories.order(), status="succeeded", captured_minor=1999)
    details = {"method_type": "card", "last_four": last_four} if last_four else {}
    PaymentIntent.objects.filter(pk=intent.pk).update(method_details=details, **more)
    return intent


def page_of(intent: PaymentIntent) -> str:
    return f"/admin/payments/paymentintent/{intent.pk}/change/"


@pytest.mark.parametrize(
    ("column", "number"),
    [
        ("provider_ref", "pi_3QZabcDEF"),
        ("provider_ref", "cs_test_a1B2"),
        ("transaction_ref", "4200002487202511281234567890"),
    ],
)
def test_a_providers_number_finds_the_payment(admin: Any, column: str, number: str) -> None:
    paid()
    wanted = paid(**{column: number})
    assert find(admin, number)["Location"] == page_of(wanted)


def test_four_digits_list_the_payments_by_that_card_newest_first(admin: Any) -> None:
    first, other, second = paid("4242"), paid("5555"), paid("4242")
    assert shown(find(admin, "4242")) == [
        ("Payments by a card that ends so", [second.out_trade_no, first.out_trade_no])
    ]
    assert find(admin, "5555")["Location"] == page_of(other)
    assert find(admin, "0000")["Location"] == "/admin/"


def test_a_guests_address_lists_the_orders_without_an_account(admin: Any) -> None:
    first, second = (factories.order(email="Guest@Example.com") for _ in range(2))
    factories.order(email="guest@example.com", user=factories.user())
    assert shown(find(admin, "guest@example.com")) == [
        ("Orders of this guest", [second.order_no, first.order_no])
    ]


@pytest.mark.parametrize("number", ["SR²", "SR٣", "SR", "SR-1", "SR9999999999999999"])
def test_what_only_looks_like_the_number_of_a_request_is_not_found(admin: Any, number: str) -> None:
    assert find(admin, number)["Location"] == "/admin/"


def test_what_somebody_may_not_see_is_not_found(viewer: Any) -> None:
    desk = viewer("vending.view_machine")
    paid("4242"), paid("4242")
    factories.order(email="guest@example.com")
    for number in ("4242", "guest@example.com"):
        assert find(desk, number)["Location"] == "/admin/"


@pytest.mark.parametrize(
    ("number", "index"), [("4242", "intent_last_four"), ("guest@example.com", "order_guest_email")]
)
def test_each_look_has_its_index(number: str, index: str) -> None:
    from django.test.utils import CaptureQueriesContext

    from orders import admin as orders
    from payments.admin import stories

    look = orders._orders_of_guest if "@" in number else stories._by_last_four
    with CaptureQueriesContext(connection) as asked:
        list(look(number))
    [query] = asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + query["sql"])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan


def test_the_story_tells_postings_and_what_merchants_heard(admin: Any) -> None:
    user = factories.user()
    order = factories.order(user=user)
    intent = factories.intent(order, status="succeeded", captured_minor=1999)
    PaymentEvent.objects.create(
        intent=intent, from_status="processing", to_status="succeeded", source="webhook"
    )
    ledger.grant(user_id=user.pk, amount=500, reference=order.order_no, payment_reference=order.order_no)
    OutboundEvent.objects.create(
        sequence=7, type="payment.succeeded", api_version="2025-01-01", payload={}, intent=intent,
        occurred_at=order.created_at, source="payment", change_id=1,
    )  # fmt: skip
    told = timeline.tell(timeline.Story(order_no=order.order_no))
    found = {(entry.lane, str(entry.title)) for entry in told.entries}
    assert ("credits", "bought · 500") in found
    assert ("outgoing", "payment.succeeded") in found
