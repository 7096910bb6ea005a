"""init-payment from many sides at once, slow answers and lost ones: one payData and one PYEN per attempt.

GUARANTEES 10 and 22.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from django.test import Client

from payments.models import PaymentIntent
from payments.services import intents, sync
from tests.support.manufacturer import LOST
from tests.support.shop import Shop, later, sweep
from tests.support.threads import together
from vending.models import PrintJob, SessionEvent


def init_payment(session_id: str) -> tuple[int, dict]:
    answer = Client().post(
        f"/api/vending/session/{session_id}/init-payment", {}, content_type="application/json"
    )
    return answer.status_code, {**answer.json(), "retry_after": answer.headers.get("Retry-After")}


def test_eight_clicks_are_one_payment(shop: Shop) -> None:
    shop.manufacturer.slow["order/payData"] = 0.5
    one = shop.ordered()
    answers = together(8, lambda n: init_payment(one.session.session_id))
    intent = PaymentIntent.objects.get()
    assert [status for status, _ in answers] == [200] * 8
    assert {body["third_id"] for _, body in answers} == {intent.out_trade_no}
    assert len({str(body) for _, body in answers}) == 1
    assert [body["third_id"] for body in shop.manufacturer.bodies("order/payData")] == [intent.out_trade_no]
    assert intent.status == "requires_action"
    pending = SessionEvent.objects.filter(
        session=one.session, to_status="payment_pending", from_status="designing"
    )
    assert pending.count() == 1


def test_a_slow_answer_is_waited_for_and_never_sent_twice(shop: Shop) -> None:
    """payData takes its time while pages, polls and sweepers ask about a number that is not known there yet."""
    one = shop.ordered()
    shop.manufacturer.slow["order/payData"] = 1.2
    first = threading.Thread(target=lambda: together(1, lambda n: init_payment(one.session.session_id)))
    first.start()
    while first.is_alive() and not PaymentIntent.objects.filter(leased_until__isnull=False).exists():
        time.sleep(0.02)

    def ask(n: int) -> None:
        for _ in range(3):
            PaymentIntent.objects.update(last_query_at=None)
            sync.check_now(intent=PaymentIntent.objects.get(), source="poll")

    together(3, ask)
    first.join()
    assert init_payment(one.session.session_id)[0] == 200
    assert Counter(b["third_id"] for b in shop.manufacturer.bodies("order/payData")).most_common() == [
        (PaymentIntent.objects.get().out_trade_no, 1)
    ]


def test_a_second_request_that_read_the_row_before_asks_first_too(shop: Shop) -> None:
    """The first request's answer was lost and its lease given back; the second one still holds the row as it was."""
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", LOST)
    assert init_payment(one.session.session_id)[0] == 503
    stale = PaymentIntent.objects.get()
    stale.query_count = 0  # as the second request read it, before the first one began
    assert intents.lease(stale)
    intents.create(stale, one.order, source="api")
    intent = PaymentIntent.objects.get()
    assert (intent.status, intent.error_code) == ("requires_action", "")
    assert [name for name, _ in shop.manufacturer.calls if "login" not in name] == [
        "order/payData", "order/getPayStatus",
    ]  # fmt: skip


def test_a_lost_answer_keeps_its_number_and_is_asked_about_first(shop: Shop) -> None:
    """payData was accepted, its answer never came, and the manufacturer goes silent: 503, the same PYEN, one payData."""
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", LOST)
    status, body = init_payment(one.session.session_id)
    assert (status, body["code"], body["retry_after"]) == (503, "payment_uncertain", "3")
    shop.manufacturer.down = True
    answers = together(4, lambda n: init_payment(one.session.session_id))
    assert {(status, body["code"], body["retry_after"]) for status, body in answers} == {
        (503, "payment_uncertain", "3")
    }
    third_id = PaymentIntent.objects.get().out_trade_no
    shop.manufacturer.down = False
    shop.manufacturer.pays(third_id)
    with later(seconds=40):
        sweep()
    one.intent = PaymentIntent.objects.get()
    assert (one.intent.status, one.third_id) == ("succeeded", third_id)
    assert [b["third_id"] for b in shop.manufacturer.bodies("order/payData")] == [third_id]
    assert PrintJob.objects.get().payment_third_id == third_id


def test_a_refused_payment_takes_a_new_number_next_time(shop: Shop) -> None:
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", {"code": 500, "msg": "The device is unavailable"})
    status, body = init_payment(one.session.session_id)
    assert (status, body["code"]) == (502, "payment_not_started")
    first = PaymentIntent.objects.get()
    assert (first.status, first.attempt) == ("failed", 1)
    answers = together(8, lambda n: init_payment(one.session.session_id))
    second = PaymentIntent.objects.get(attempt=2)
    assert PaymentIntent.objects.count() == 2
    assert {(status, body["third_id"]) for status, body in answers} == {(200, second.out_trade_no)}
    assert second.out_trade_no != first.out_trade_no
    assert [b["third_id"] for b in shop.manufacturer.bodies("order/payData")] == [
        first.out_trade_no, second.out_trade_no,
    ]  # fmt: skip


def test_a_failed_payment_is_followed_by_one_new_attempt_and_both_may_be_paid(shop: Shop) -> None:
    """The first turns out to be paid after all while the second waits: one settles, the other is surplus for staff."""
    from payments.models import Refund

    first = shop.paying()
    shop.manufacturer.payments[first.third_id] = 4
    assert sync.check_now(intent=first.intent, source="poll").applied == "moved"
    second = shop.paying(session=first.session)
    for one in (first, second):
        shop.manufacturer.pays(one.third_id)

    def settle(n: int) -> object:
        from payments.gateways import base
        from payments.services import settlement

        result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, provider_status="3")
        return settlement.apply_result((first, second)[n % 2].intent, result, source="poll")

    applied = Counter(together(8, settle))
    assert applied == {"settled": 1, "surplus": 1, "unchanged": 6}
    sweep()
    assert PrintJob.objects.count() == 1
    assert len(shop.manufacturer.orders) == 1
    surplus = PaymentIntent.objects.get(is_surplus=True)
    refund = Refund.objects.get()
    assert (refund.intent_id, refund.amount_minor, refund.kind) == (surplus.pk, 1999, "manual")


def test_a_payment_that_never_reached_the_machine_is_not_asked_for_hours_later(shop: Shop) -> None:
    """The manufacturer was down; the customer has left. Nobody at the machine must be asked for that money then."""
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", LOST)
    init_payment(one.session.session_id)
    shop.manufacturer.payments.clear()  # it was not accepted either
    shop.manufacturer.down = True
    with later(minutes=5):
        sweep()
    shop.manufacturer.down = False
    with later(minutes=11):
        sweep()
    intent = PaymentIntent.objects.get()
    assert intent.status == "expired"
    assert intent.next_query_at is not None  # nobody but us said so: we go on asking
    one.session.refresh_from_db()
    assert one.session.status == "payment_failed"
    assert shop.manufacturer.payments == {}
    assert len(shop.manufacturer.bodies("order/payData")) == 1
