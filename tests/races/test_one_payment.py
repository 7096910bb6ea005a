"""One paid payment, everybody at once: webhook, poll, status read, sweeper and staff. One settlement, one job, one mail.

GUARANTEES 1, 9, 24 and the limit of one question per three seconds and order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orders.models import Order, OrderEvent
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import inbox, schedule, sync
from pimpshop.core import sweeper
from tests.support.shop import Paying, Shop, assert_invariants, sweep
from tests.support.threads import together
from vending.models import PrintJob, PrintJobEvent, SessionEvent

ROUNDS = 12


def moves(events: object, **of: object) -> list[tuple[str, str]]:
    """(from, to) of the events that moved a row, oldest first."""
    rows = events.objects.filter(**of).order_by("id").values_list("from_status", "to_status", "data")  # type: ignore[attr-defined]
    return [(a, b) for a, b, data in rows if a != b and not data.get("column")]


def post(third_id: str, status: int = 3) -> None:
    answer = Client().post(
        "/api/chinese/order/payStatus",
        {"third_id": third_id, "status": status},
        content_type="application/json",
    )
    assert (answer.status_code, answer.json()["data"]) == (200, "success")


def doors(one: Paying) -> list[Callable[[], object]]:
    """The ways in which a payment may be confirmed."""
    session = one.session.session_id

    def worker() -> None:
        for pk in WebhookEvent.objects.filter(subject=one.third_id).values_list("pk", flat=True):
            inbox.process(pk)

    return [
        lambda: post(one.third_id),
        worker,
        lambda: Client().get(f"/api/vending/session/{session}/status"),
        lambda: Client().get(f"/api/chinese/payment/{one.third_id}/status"),
        lambda: sync.check_due(one.intent.pk),
        lambda: sync.check_now(
            intent=PaymentIntent.objects.get(pk=one.intent.pk), source="admin", actor="ada"
        ),
        lambda: sweeper.walk(everything=True),
        lambda: sync.refresh_if_stale(Order.objects.get(pk=one.order.pk)),
    ]


def assert_settled_once(shop: Shop, one: Paying) -> None:
    one.refresh()
    assert (one.intent.status, one.order.status, one.session.status) == (
        "succeeded",
        "paid",
        "payment_completed",
    )
    assert one.intent.settles_order
    assert moves(PaymentEvent, intent=one.intent) == [
        ("created", "requires_action"),
        ("requires_action", "succeeded"),
    ]
    assert moves(OrderEvent, order=one.order) == [("pending", "paid")]
    assert moves(SessionEvent, session=one.session)[-1] == ("payment_pending", "payment_completed")
    job = one.job()
    assert job.status == "accepted"
    assert moves(PrintJobEvent, print_job=job) == [("submitting", "accepted")]
    assert [b["third_id"] for b in shop.manufacturer.bodies("order/orderData")].count(job.third_order_id) == 1


def test_everybody_confirms_one_payment_together(shop: Shop) -> None:
    """The gap of three seconds is off here, so that all eight doors really bring the answer at once."""
    shop.manufacturer.delay = 0.004
    for number in range(ROUNDS):
        one = shop.taken(content=f"round {number}")
        PaymentIntent.objects.filter(pk=one.intent.pk).update(next_query_at="2025-01-01T00:00Z")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sync, "_may_ask", lambda intent: True)
            ways = doors(one)
            together(len(ways), lambda n, ways=ways: ways[n]())
            sweep()
        assert_settled_once(shop, one)
    assert Order.objects.filter(status="paid").count() == PrintJob.objects.count() == ROUNDS


@pytest.fixture
def long_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three seconds are longer here: twenty threads on a busy machine may take more than three."""
    monkeypatch.setattr(schedule, "MIN_GAP", timedelta(minutes=10))


def test_twenty_readers_ask_once_in_three_seconds(shop: Shop, long_gap: None) -> None:
    one = shop.paying()
    shop.manufacturer.delay = 0.02
    answers = together(
        20, lambda n: Client().get(f"/api/vending/session/{one.session.session_id}/status").json()["status"]
    )
    assert answers == ["payment_pending"] * 20
    assert shop.manufacturer.asked() == 1


def test_two_attempts_of_one_order_share_the_three_seconds(shop: Shop, long_gap: None) -> None:
    """A hint about the failed first attempt and a poll of the second one are one question."""
    first = shop.paying()
    shop.manufacturer.payments[first.third_id] = 4
    sync.check_now(intent=first.intent, source="poll")
    second = shop.paying(session=first.session)
    assert second.third_id != first.third_id
    PaymentIntent.objects.update(last_query_at=None)
    before = shop.manufacturer.asked()
    both = PaymentIntent.objects.order_by("attempt")
    asked = together(8, lambda n: sync.check_now(intent=both[n % 2], source="poll").asked)
    assert sorted(asked) == [False] * 7 + [True]
    assert shop.manufacturer.asked() - before == 1


# No shrinking: an example costs half a second, and is short enough to be read.
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.permutations([1, 2, 3, 3, 4, 5]), paid_after=st.integers(0, 5))
def test_whatever_is_said_in_whatever_order_the_provider_decides(
    shop: Shop, said: list[int], paid_after: int
) -> None:
    """GUARANTEES 9: posts 1-5 in any order, the money arriving anywhere between them; the history only goes forward."""
    one = shop.paying(content=f"{said}{paid_after}")
    for number, status in enumerate(said):
        if number == paid_after:
            shop.manufacturer.pays(one.third_id)
        PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None)
        post(one.third_id, status)
        sweeper.walk(everything=True)
    PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None)
    WebhookEvent.objects.filter(status="received").update(due_at="2025-01-01T00:00Z", leased_until=None)
    sweep()
    assert_settled_once(shop, one)
    assert WebhookEvent.objects.filter(subject=one.third_id).count() == 5
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    ranks = {"created": 0, "requires_action": 1, "processing": 2, "succeeded": 3}
    history = [ranks[to] for _, to in moves(PaymentEvent, intent=one.intent)]
    assert history == sorted(history)
    assert_invariants()


@pytest.mark.parametrize("words", list(itertools.permutations(["waiting", "failed", "paid"])))
def test_answers_that_overtake_each_other(shop: Shop, words: tuple[str, ...]) -> None:
    """Three answers of the provider, read at different moments, applied in any order: paid is never undone."""
    from payments.gateways import base
    from payments.services import settlement

    one = shop.paying()
    results = {
        "waiting": base.PaymentResult(status=base.PaymentStatus.REQUIRES_ACTION, provider_status="1"),
        "failed": base.PaymentResult(status=base.PaymentStatus.FAILED, provider_status="4"),
        "paid": base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, provider_status="3"),
    }
    shop.manufacturer.pays(one.third_id)
    for word in words:
        settlement.apply_result(one.intent, results[word], source="poll")
        one.intent.refresh_from_db()
    sweep()
    one.refresh()
    assert (one.intent.status, one.order.status, one.session.status) == (
        "succeeded",
        "paid",
        "payment_completed",
    )
    assert PrintJob.objects.count() == 1
