"""What a careful reading of the payments found: nothing that the machine may still take is ever believed to be over.

Lost answers and what a second send is told, our own conclusions, amounts that anybody can post, orders and sessions
that ended before the machine was asked, and what page and screen say meanwhile.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments import checks
from payments.models import PaymentIntent
from payments.services import inbox, intents, machine_payments, progress, sync
from pimpshop.core.models import StaffItem
from tests.support.counters import counted
from tests.support.manufacturer import LOST
from tests.support.shop import Paying, Shop, later, manufacturer, shop, sweep
from vending.services import sessions

__all__ = ["manufacturer", "shop"]  # these two instead of the fixtures of this directory


def only_ended(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manufacturer whose getPayStatus lists no payment that still waits."""
    books = shop.manufacturer

    def ended(body: Any) -> Any:
        return [{"third_id": n, "status": books.payments[n]} for n in body if books.payments.get(n, 0) >= 3]

    monkeypatch.setattr(books, "_order_getPayStatus", ended)


def unheard(shop: Shop) -> PaymentIntent:
    """payData arrived, its answer did not."""
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", LOST)
    with pytest.raises(intents.PaymentUncertain):
        machine_payments.start_machine_payment(one.session, source="api")
    return PaymentIntent.objects.get(order=one.order)


def assert_paid_and_printed(shop: Shop, intent: PaymentIntent) -> None:
    intent.refresh_from_db()
    assert (intent.status, intent.settles_order) == ("succeeded", True)
    assert len(shop.manufacturer.orders) == 1


@pytest.mark.parametrize("refusal", [{"code": 403, "msg": "access"}, {"code": 400, "msg": "参数错误"}])
def test_a_second_send_that_cannot_look_ends_nothing(shop: Shop, refusal: dict[str, Any]) -> None:
    intent = unheard(shop)
    shop.manufacturer.fail("order/getPayStatus", refusal)
    with later(seconds=5):
        sync.check_due(intent.pk)
    intent.refresh_from_db()
    assert intent.status == "created"
    assert intent.next_query_at is not None
    assert set(StaffItem.objects.values_list("kind", flat=True)) == {"gateway_misuse", "payment_uncertain"}
    shop.manufacturer.pays(intent.out_trade_no)
    with later(minutes=1):
        sweep()
    assert_paid_and_printed(shop, intent)


def test_a_second_send_that_is_refused_ends_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    only_ended(shop, monkeypatch)
    intent = unheard(shop)
    shop.manufacturer.fail("order/payData", {"code": 500, "msg": "The device is unavailable"})
    with later(seconds=5):
        sync.check_due(intent.pk)
    intent.refresh_from_db()
    assert (intent.status, intent.error_code) == ("created", "device_unavailable")
    assert [item.kind for item in StaffItem.objects.all()] == ["payment_uncertain"]
    shop.manufacturer.pays(intent.out_trade_no)
    with later(minutes=1):
        sweep()
    assert_paid_and_printed(shop, intent)


def test_duplicate_on_a_second_send_is_our_own_payment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    only_ended(shop, monkeypatch)
    intent = unheard(shop)
    with later(seconds=5):
        sync.check_due(intent.pk)
    intent.refresh_from_db()
    assert (intent.status, intent.error_code) == ("requires_action", "")
    assert len(shop.manufacturer.bodies("order/payData")) == 2
    assert list(shop.manufacturer.payments) == [intent.out_trade_no]
    shop.manufacturer.pays(intent.out_trade_no)
    with later(minutes=1):
        sweep()
    assert_paid_and_printed(shop, intent)


def test_nobody_sends_while_a_slow_send_may_still_be_on_its_way(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_ended(shop, monkeypatch)
    one = shop.ordered()
    sent = shop.manufacturer._order_payData

    def slow(body: Any) -> Any:
        answer = sent(body)
        with later(seconds=100):  # a log-in, a call, and both again after a refused token
            sweep()
        return answer

    monkeypatch.setattr(shop.manufacturer, "_order_payData", slow)
    assert (
        machine_payments.start_machine_payment(one.session, source="api").intent.status == "requires_action"
    )
    assert len(shop.manufacturer.bodies("order/payData")) == 1


def test_a_payment_that_we_gave_up_is_noticed_without_any_post(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop was blind for ten minutes; the money came after we had concluded that it never would."""
    only_ended(shop, monkeypatch)
    intent = unheard(shop)
    with later(minutes=11):
        sweep()
    intent.refresh_from_db()
    assert intent.status == "expired"
    assert intent.next_query_at is not None
    shop.manufacturer.pays(intent.out_trade_no)
    with later(minutes=30):
        sweep()
    assert_paid_and_printed(shop, intent)


def test_the_providers_own_word_ends_the_questions(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    only_ended(shop, monkeypatch)
    intent = unheard(shop)
    with later(minutes=11):
        sweep()
    shop.manufacturer.payments[intent.out_trade_no] = 4
    with later(minutes=30):
        sweep()
    intent.refresh_from_db()
    assert (intent.status, intent.next_query_at) == ("expired", None)
    asked = shop.manufacturer.asked()
    with later(hours=5):
        sweep()
    assert shop.manufacturer.asked() == asked


def test_a_refused_first_send_is_not_asked_about(shop: Shop) -> None:
    one = shop.ordered()
    shop.manufacturer.fail("order/payData", {"code": 500, "msg": "The device is unavailable"})
    with pytest.raises(intents.PaymentNotStarted):
        machine_payments.start_machine_payment(one.session, source="api")
    intent = PaymentIntent.objects.get()
    assert (intent.status, intent.next_query_at) == ("failed", None)


def test_after_three_days_it_is_over_for_everybody_to_see(shop: Shop) -> None:
    one = shop.paying()
    with later(hours=71):
        sweep()
        one.refresh()
        assert one.intent.status == "requires_action"
    with later(hours=73):
        sweep()
    one.refresh()
    assert (one.intent.status, one.intent.next_query_at) == ("expired", None)
    assert one.session.status == "payment_pending"  # only the provider or a person ends it
    again = machine_payments.start_machine_payment(one.session, source="api")
    assert (again.third_id, PaymentIntent.objects.count()) == (one.third_id, 1)
    shop.manufacturer.pays(one.third_id)
    with later(hours=80):
        assert sync.check_now(intent=one.intent).applied == "settled"


def test_an_outage_at_the_end_of_the_three_days_hides_no_payment(shop: Shop) -> None:
    one = shop.taken()
    PaymentIntent.objects.update(next_query_at=timezone.now() + timedelta(hours=73))
    shop.manufacturer.down = True
    with later(hours=73, minutes=1):
        sweep()
        one.refresh()
        assert one.intent.status == "requires_action"
    shop.manufacturer.down = False
    with later(hours=74, minutes=5):
        sweep()
    assert_paid_and_printed(shop, one.intent)


def test_without_any_answer_it_ends_after_four_days(shop: Shop) -> None:
    one = shop.paying()
    shop.manufacturer.down = True
    for hours in (73, 97):
        with later(hours=hours):
            sweep()
    one.refresh()
    assert (one.intent.status, one.intent.next_query_at) == ("expired", None)


def post_amount(one: Paying, amount: float) -> None:
    body = {"third_id": one.third_id, "status": 3, "pay_amount": amount}
    answer = Client().post("/api/chinese/order/payStatus", body, content_type="application/json")
    assert answer.status_code == 200
    PaymentIntent.objects.update(last_query_at=None)
    for pk in inbox.due():
        inbox.process(pk)


@pytest.mark.parametrize("state", ["paying", "paid"])
def test_a_made_up_amount_is_counted_and_troubles_nobody(shop: Shop, state: str) -> None:
    one = getattr(shop, state)()
    post_amount(one, 0.01)
    assert StaffItem.objects.count() == 0
    assert counted("webhook_amount") == (state == "paying")  # of a settled one not even that


def test_another_amount_in_the_post_that_led_to_the_money_is_for_staff(shop: Shop) -> None:
    one = shop.taken()
    post_amount(one, 0.01)
    one.refresh()
    assert one.order.status == "paid"
    assert [(item.kind, item.subject) for item in StaffItem.objects.all()] == [
        ("webhook_amount", one.third_id)
    ]
    assert counted("webhook_amount") == 0


def test_an_order_that_nobody_pays_does_not_ask_for_money_for_days(shop: Shop) -> None:
    one = shop.paying()
    assert progress.order_progress(one.order)["state"] == "waiting"
    with later(minutes=11):
        shown = progress.order_progress(one.order)
    assert (shown["state"], shown["final"], shown["poll_ms"]) == ("expired", False, 15000)
    shop.manufacturer.pays(one.third_id)
    with later(minutes=12):
        sweep()
    one.refresh()
    assert progress.order_progress(one.order)["state"] == "queued"


def test_page_and_screen_say_that_the_machine_takes_the_money(shop: Shop) -> None:
    one = shop.paying()
    live = f"/m/{shop.machine.machine_id}/live/"
    assert 'data-state="pay"' in Client().get(live).content.decode()
    shop.manufacturer.payments[one.third_id] = 2
    sync.check_now(intent=one.intent)
    one.refresh()
    assert one.intent.status == "processing"
    assert 'data-state="confirming"' in Client().get(live).content.decode()
    assert progress.order_progress(one.order)["state"] == "confirming"


def test_a_replaced_order_is_not_called_paid(shop: Shop) -> None:
    """A request that read the session before its order was replaced."""
    one = shop.ordered()
    shop.ordered(content="two", session=type(one.session).objects.get(pk=one.session.pk))
    one.session.order_no = one.order.order_no
    assert Order.objects.get(pk=one.order.pk).status == "cancelled"
    with pytest.raises(intents.SessionMoved):
        machine_payments.start_machine_payment(one.session, source="api")
    assert PaymentIntent.objects.count() == 0
    assert shop.manufacturer.calls == []


def test_a_session_that_ends_before_the_machine_is_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shop.ordered()
    lease = intents.lease

    def cancelled_meanwhile(intent: PaymentIntent) -> bool:
        sessions.cancel_session(session=one.session, source="api")
        return lease(intent)

    monkeypatch.setattr(intents, "lease", cancelled_meanwhile)
    with pytest.raises(intents.SessionMoved):
        machine_payments.start_machine_payment(one.session, source="api")
    intent = PaymentIntent.objects.get()
    assert (intent.status, intent.next_query_at) == ("canceled", None)
    assert shop.manufacturer.bodies("order/payData") == []


def test_a_session_that_ended_is_not_announced_a_second_time(shop: Shop) -> None:
    intent = unheard(shop)
    shop.manufacturer.payments.clear()  # it never arrived
    sessions.cancel_session(session=sessions.find(intent.order.session_id), source="api")
    with later(seconds=5):
        sweep()
    intent.refresh_from_db()
    assert intent.status == "expired"
    assert len(shop.manufacturer.bodies("order/payData")) == 1
    assert shop.manufacturer.payments == {}


def test_the_checks_see_a_forgotten_payment_and_an_untold_state(shop: Shop) -> None:
    one = shop.paying()
    PaymentIntent.objects.filter(pk=one.intent.pk).update(next_query_at=None)
    assert list(checks.invariants._undecided_is_asked_about()) == [
        f"payment {one.third_id} is requires_action and nobody will ask about it"
    ]
    PaymentIntent.objects.filter(pk=one.intent.pk).update(
        status="created"
    )  # its oldest event says so, not its newest
    assert list(checks.invariants._events_tell()) == [
        f"payment {one.third_id} is created without an event that says so"
    ]
    PaymentIntent.objects.filter(pk=one.intent.pk).update(
        status="requires_action", next_query_at=timezone.now()
    )
    assert list(checks.invariants._events_tell()) == []
