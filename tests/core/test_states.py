"""advance(): one statement, one winner, one event row."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order, OrderEvent
from payments.models import PaymentEvent, PaymentIntent
from pimpshop.core import states
from pimpshop.core.states import advance
from tests import factories
from tests.support import threads
from vending.models import PrintJob, SessionEvent, VendingSession


def changes(order: Order) -> list[tuple[str, str]]:
    return list(OrderEvent.objects.filter(order=order).values_list("from_status", "to_status"))


# --- One caller -------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_move_writes_row_and_event_in_one_statement() -> None:
    order = factories.order()
    paid_at = timezone.now() - timedelta(minutes=5)
    before = timezone.now()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        moved = advance(
            order,
            "paid",
            source="webhook",
            actor="alice",
            reason="it was paid",
            data={"a": 1},
            paid_at=paid_at,
        )
    assert moved is True
    assert len(queries) == 1
    assert (order.status, order.paid_at) == ("paid", paid_at)
    stored = Order.objects.get(pk=order.pk)
    assert (stored.status, stored.paid_at, stored.updated_at) == ("paid", paid_at, order.updated_at)
    assert stored.updated_at >= before
    event = OrderEvent.objects.get()
    assert (event.order_id, event.from_status, event.to_status) == (order.pk, "pending", "paid")
    assert (event.source, event.actor, event.reason, event.data) == (
        "webhook",
        "alice",
        "it was paid",
        {"a": 1},
    )
    assert event.at == order.updated_at


@pytest.mark.django_db
def test_a_move_that_the_table_does_not_have_changes_nothing() -> None:
    order = factories.order()
    assert advance(order, "completed", source="api", remark="x") is False
    assert (order.status, order.remark) == ("pending", "")
    stored = Order.objects.get(pk=order.pk)
    assert (stored.status, stored.remark, stored.updated_at) == ("pending", "", order.updated_at)
    assert changes(order) == []


@pytest.mark.django_db
def test_the_row_decides_not_the_object_in_memory() -> None:
    order = factories.order()
    stale = Order.objects.get(pk=order.pk)
    assert advance(order, "paid", source="api") is True
    assert advance(stale, "paid", source="poll") is False
    assert stale.status == "pending"
    assert advance(stale, "completed", source="system") is True
    assert changes(order) == [("pending", "paid"), ("paid", "completed")]


@pytest.mark.django_db
def test_only_from_narrows_and_never_widens() -> None:
    order = factories.order(status="cancelled")
    assert advance(order, "paid", source="api", only_from=["pending"]) is False
    assert advance(order, "completed", source="api", only_from=["cancelled"]) is False
    assert advance(order, "paid", source="api", only_from=[]) is False
    assert changes(order) == []
    assert advance(order, "paid", source="api", only_from=("pending", "cancelled")) is True
    assert changes(order) == [("cancelled", "paid")]


@pytest.mark.django_db
def test_an_unknown_state_is_a_mistake_of_ours() -> None:
    order = factories.order()
    with pytest.raises(KeyError):
        advance(order, "payed", source="api")
    assert changes(order) == []


@pytest.mark.django_db
def test_a_second_state_column_moves_by_its_own_table() -> None:
    session = factories.session()
    assert (
        advance(session, "qr_scanned", column="user_progress", source="api", claimed_at=session.created_at)
        is True
    )
    assert advance(session, "started", column="user_progress", source="api") is False
    stored = VendingSession.objects.get(pk=session.pk)
    assert (stored.status, stored.user_progress, stored.claimed_at) == (
        "active",
        "qr_scanned",
        session.created_at,
    )
    event = SessionEvent.objects.get()
    assert (event.from_status, event.to_status, event.data) == (
        "started",
        "qr_scanned",
        {"column": "user_progress"},
    )
    with pytest.raises(KeyError):
        advance(session, "designing", column="location", source="api")


@pytest.mark.django_db
def test_other_columns_are_written_as_their_fields_want_them() -> None:
    job = factories.print_job(status="waiting", machine=None)
    machine = factories.machine()
    assert (
        advance(job, "announcing", source="page", machine=machine, earlier_order_ids=["OREN1"], due_at=None)
        is True
    )
    stored = PrintJob.objects.get(pk=job.pk)
    assert (stored.machine, stored.earlier_order_ids, stored.due_at) == (machine, ["OREN1"], None)
    assert job.machine == machine
    other = factories.machine()
    assert advance(job, "confirming", source="page", machine_id=other.pk) is True
    assert PrintJob.objects.get(pk=job.pk).machine == other


@pytest.mark.django_db
def test_long_texts_are_cut_to_the_columns() -> None:
    order = factories.order()
    assert advance(order, "paid", source="s" * 99, actor="a" * 999, reason="r" * 999) is True
    event = OrderEvent.objects.get()
    assert (event.source, event.actor, event.reason) == ("s" * 32, "a" * 120, "r" * 500)


@pytest.mark.django_db
def test_a_remark_is_an_event_without_a_move() -> None:
    order = factories.order()
    states.remark(order, source="admin", actor="carol", reason="called the shopper", data={"n": 2})
    event = OrderEvent.objects.get()
    assert (event.from_status, event.to_status, event.reason, event.data) == (
        "pending", "pending", "called the shopper", {"n": 2},
    )  # fmt: skip


# --- save() -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("how", [{}, {"update_fields": ["status"]}, {"update_fields": ["remark", "status"]}])
def test_save_never_writes_a_state(how: dict[str, Any]) -> None:
    order = factories.order()
    order.status = "paid"
    with pytest.raises(RuntimeError, match="advance"):
        order.save(**how)
    assert Order.objects.get(pk=order.pk).status == "pending"


@pytest.mark.django_db
def test_save_of_other_columns_is_allowed() -> None:
    session = factories.session()
    session.location = "Hall 3"
    session.status = "cancelled"
    session.save(update_fields=["location"])
    stored = VendingSession.objects.get(pk=session.pk)
    assert (stored.location, stored.status) == ("Hall 3", "active")
    with pytest.raises(RuntimeError, match="advance"):
        session.save(update_fields=["user_progress"])


# --- Transactions -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_row_and_event_back() -> None:
    order = factories.order()
    with transaction.atomic():
        assert advance(order, "paid", source="api") is True
        assert changes(order) == [("pending", "paid")]
        transaction.set_rollback(True)
    assert Order.objects.get(pk=order.pk).status == "pending"
    assert changes(order) == []


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_have_one_winner_and_one_event() -> None:
    intent = factories.intent(status="processing")

    def settle(number: int) -> bool:
        mine = PaymentIntent.objects.get(pk=intent.pk)
        return advance(mine, "succeeded", source="webhook", actor=str(number), captured_minor=1999)

    won = threads.together(20, settle)
    assert sorted(won) == [False] * 19 + [True]
    event = PaymentEvent.objects.get()
    assert (event.from_status, event.to_status, event.actor) == (
        "processing",
        "succeeded",
        str(won.index(True)),
    )
    assert PaymentIntent.objects.get(pk=intent.pk).captured_minor == 1999


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_threads_with_different_aims_leave_a_history_without_a_gap() -> None:
    intent = factories.intent()
    aims = [
        "requires_action",
        "processing",
        "authorized",
        "expiring",
        "succeeded",
        "failed",
        "canceled",
        "expired",
    ]

    def move(number: int) -> bool:
        return advance(PaymentIntent.objects.get(pk=intent.pk), aims[number % len(aims)], source="api")

    won = threads.together(24, move)
    history = list(PaymentEvent.objects.order_by("id").values_list("from_status", "to_status"))
    assert len(history) == sum(won) > 0
    at = "created"
    for from_status, to_status in history:
        assert from_status == at
        assert PaymentIntent.STATES.allows(from_status, to_status)
        at = to_status
    assert PaymentIntent.objects.get(pk=intent.pk).status == at


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("first", "second", "second_moves", "history"),
    [
        ("processing", "succeeded", True, [("created", "processing"), ("processing", "succeeded")]),
        ("succeeded", "processing", False, [("created", "succeeded")]),
    ],
)
def test_who_waited_for_the_row_sees_it_as_it_is_now(
    first: str, second: str, second_moves: bool, history: list[tuple[str, str]]
) -> None:
    intent = factories.intent()
    outcome: list[bool] = []

    def later() -> None:
        try:
            outcome.append(advance(PaymentIntent.objects.get(pk=intent.pk), second, source="poll"))
        finally:
            connections.close_all()

    with transaction.atomic():
        assert advance(intent, first, source="webhook") is True
        waiting = threading.Thread(target=later)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()  # it waits for our row
    waiting.join(60)
    assert outcome == [second_moves]
    assert list(PaymentEvent.objects.order_by("id").values_list("from_status", "to_status")) == history


# --- Tables -----------------------------------------------------------------------------------------------------------
def test_a_table_with_a_loose_end_is_refused() -> None:
    with pytest.raises(ValueError, match="gone"):
        states.table("t", "new", {"new": "gone"})
    with pytest.raises(ValueError, match="old"):
        states.table("t", "old", {"new": ""})


def test_what_a_table_tells() -> None:
    table = states.table(
        "t", "new", {"new": "busy done", "busy": {"done"}, "done": ""}, labels={"new": "fresh"}
    )
    assert table.statuses == ("new", "busy", "done")
    assert table.final == {"done"}
    assert table.sources("done") == ["new", "busy"]
    assert table.sources("new") == []
    assert (table.allows("new", "busy"), table.allows("busy", "new")) == (True, False)
    assert table.choices() == [("new", "fresh"), ("busy", "busy"), ("done", "done")]
