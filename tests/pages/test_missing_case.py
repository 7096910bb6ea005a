"""“I did not get my case”: who may say so, what staff get, and that one item is enough however often it is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders import selectors
from orders.models import CaseReport, Order
from orders.services import forgetting, missing_cases
from pimpshop.core import staff_items
from pimpshop.core.models import OutboundCall, StaffItem
from pimpshop.core.states import advance
from tests import factories as make
from vending.models import PrintJob

pytestmark = pytest.mark.django_db
SAID = {"what": "empty", "words": "Card 4242 4242 4242 4242, nothing there", "contact": "ada@example.com"}


def case(printing: str = "printed", *, accepted: bool = True, **order: Any) -> tuple[Order, PrintJob]:
    """A paid case and its print job, five minutes after the machine took it."""
    row = make.order(**{"status": "paid", "paid_at": timezone.now(), **order})
    job = make.print_job(
        reference=f"{row.order_no}/1", order_no=row.order_no, status=printing, queue_no="9578",
        accepted_at=timezone.now() - timedelta(minutes=5) if accepted else None, due_at=None,
    )  # fmt: skip
    return row, job


def form_of(order: Order) -> str:
    return selectors.status_path(order).replace("?k=", "missing/?k=")


def send(order: Order, client: Client | None = None, **more: str) -> Any:
    return (client or Client()).post(form_of(order), {**SAID, **more})


def told_nobody() -> bool:
    return not StaffItem.objects.exists() and not CaseReport.objects.exists()


def test_staff_get_one_item_with_the_log_of_the_machine() -> None:
    order, job = case("accepted")
    assert advance(job, "printing", source="poll", data={"status": "11"})
    OutboundCall.objects.create(
        provider="manufacturer", name="order/getOrderStatus", subject=order.order_no, method="POST", url="https://m",
        status=200, code="200", response={"data": [{"third_id": job.third_order_id, "status": "11"}], "token": "t0psecret"},
    )  # fmt: skip
    answer = send(order)
    assert (answer.status_code, answer["Location"]) == (302, selectors.status_path(order))
    [item] = StaffItem.objects.all()
    assert (item.kind, item.subject, item.data["what"]) == ("case_not_received", job.reference, "empty")
    assert item.data["path"] == f"/admin/orders/order/{order.pk}/change/"
    log = item.data["log"]
    assert [(move["from"], move["to"], move["by"]) for move in log["moves"]] == [
        ("accepted", "printing", "poll")
    ]
    assert log["answers"][0]["answer"]["data"][0]["status"] == "11"
    assert (log["queue"]["number"], log["queue"]["printed_at"]) == ("9578", None)
    assert "" < log["queue"]["accepted_at"] < log["queue"]["printing_at"]
    assert log["machine"]["verdict"] == "ready"


def test_the_item_holds_nothing_of_the_person() -> None:
    order, _ = case()
    send(order)
    kept = json.dumps(StaffItem.objects.values().get(), default=str)
    assert [
        word for word in ("ada@", "42424242", "4242 4242", "nothing there", "t0psecret") if word in kept
    ] == []
    [row] = CaseReport.objects.all()
    assert (row.what, row.contact) == ("empty", "ada@example.com")
    assert row.words == "Card [card], nothing there"


def test_the_page_says_that_the_message_is_there_and_offers_it_no_more() -> None:
    order, _ = case()
    client = Client()
    page = client.get(selectors.status_path(order)).content.decode()
    assert 'data-missing="offer"' in page
    assert "I did not get my case" in page
    send(order, client)
    page = client.get(selectors.status_path(order)).content.decode()
    assert "We have your message." in page
    assert "You do not need to pay again." in page
    assert 'data-missing="offer"' not in page
    assert client.get(form_of(order)).status_code == 302


def test_sent_twice_it_is_one_item() -> None:
    order, _ = case()
    send(order)
    assert send(order, what="stuck").status_code == 302
    assert missing_cases.report(order, what="other", words="", contact="x") is False
    assert StaffItem.objects.count() == 1
    assert [row.what for row in CaseReport.objects.all()] == ["empty"]


def test_when_staff_have_resolved_it_the_buyer_may_write_again() -> None:
    order, _ = case()
    send(order)
    assert staff_items.resolve(StaffItem.objects.get(), actor="ada", resolution="handed out")
    assert missing_cases.standing(order, selectors.case_state(order).job) == "offer"
    send(order, what="other")
    assert StaffItem.objects.filter(resolved_at=None).count() == 1
    assert [row.what for row in CaseReport.objects.order_by("pk")] == ["empty", "other"]


@pytest.mark.parametrize("status", sorted(missing_cases.REPORTABLE))
def test_every_case_that_the_machine_took_may_be_missed(status: str) -> None:
    order, _ = case(status)
    assert Client().get(form_of(order)).status_code == 200
    assert send(order).status_code == 302
    assert StaffItem.objects.count() == 1


@pytest.mark.parametrize(
    ("job", "order"),
    [
        ({"printing": "submitting", "accepted": False}, {}),
        ({"printing": "waiting", "accepted": False}, {}),
        ({"printing": "gave_up", "accepted": False}, {}),
        ({"printing": "canceled"}, {}),
        ({"printing": "printed"}, {"status": "refunded"}),
        ({"printing": "printed"}, {"status": "pending", "paid_at": None}),
    ],
)
def test_others_have_nothing_to_report(job: dict[str, Any], order: dict[str, Any]) -> None:
    row, _ = case(**job, **order)
    client = Client()
    assert "data-missing" not in client.get(selectors.status_path(row)).content.decode()
    for answer in (client.get(form_of(row)), send(row, client)):
        assert (answer.status_code, answer["Location"]) == (302, selectors.status_path(row))
    with pytest.raises(missing_cases.NothingToReport):
        missing_cases.report(row, what="other", words="", contact="x")
    assert told_nobody()


def test_what_was_bought_without_a_case_has_nothing_to_report() -> None:
    order = make.order(kind=Order.Kind.CREDITS, status="completed", paid_at=timezone.now())
    assert send(order).status_code == 302
    with pytest.raises(missing_cases.NothingToReport):
        missing_cases.report(order, what="other", words="", contact="x")
    assert told_nobody()


def test_the_link_is_the_key() -> None:
    order, _ = case()
    other, _ = case()
    key = form_of(other).partition("?k=")[2]
    for wrong in ("", "wrong", key):
        address = f"/orders/{order.order_no}/missing/?k={wrong}"
        assert [Client().get(address).status_code, Client().post(address, SAID).status_code] == [404, 404]
    assert told_nobody()


@pytest.mark.parametrize(
    ("field", "value"), [("what", ""), ("what", "everything"), ("contact", " "), ("contact", "x" * 121), ("words", "x" * 1001)]
)  # fmt: skip
def test_a_mistake_is_told_beside_its_field_and_nobody_is_told(field: str, value: str) -> None:
    order, _ = case()
    answer = send(order, **{field: value})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "Nothing was sent yet." in page
    assert page.count("text-error") == 1
    assert told_nobody()


def test_five_tries_an_hour_are_enough() -> None:
    order, _ = case()
    codes = [send(order, what="").status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]
    assert send(order).status_code == 429
    assert told_nobody()


def test_a_whole_mall_has_thirty(settings: Any) -> None:
    rows = [case()[0] for _ in range(7)]
    codes = [send(row, what="").status_code for row in rows for _ in range(5)]
    assert codes.count(429) == 5
    assert told_nobody()


def test_what_somebody_wrote_goes_with_them() -> None:
    person = make.user()
    order, _ = case(user=person)
    send(order)
    forgetting.erase_person(person, actor="test")
    assert CaseReport.objects.values_list("what", "words", "contact").get() == ("empty", "", "")
