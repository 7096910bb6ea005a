"""A success is taken in at the door while somebody else holds the payment or its order.

The statement (migration payments/0011 and after) reads first and then writes, so it waits between the two: what was
committed meanwhile counts, also where it is no change of the rows that it names.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections, transaction

from credits import selectors as credits
from credits.services import ledger
from payments.gateways import base
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import disputes, inbox, settlement
from tests import factories
from tests.payments.test_at_the_door import SECRET, paid, post, waiting
from tests.support.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_shop_that_has_sold(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    ledger.grant(amount=1, reference="first", user_id=factories.user().pk)


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[Callable[[], None]]:
    """`work` in a thread of its own; yields what waits until it waits for a lock. Its exceptions are raised here."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)

    def until_it_waits() -> None:
        thread.start()
        end = time.monotonic() + 20
        while time.monotonic() < end and thread.is_alive():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT EXISTS (SELECT FROM pg_locks"
                    " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
                )
                if cursor.fetchone()[0]:
                    return
        raise AssertionError("it never waited")

    yield until_it_waits
    thread.join(20)
    if failed:
        raise failed[0]


def test_a_dispute_that_is_written_while_the_success_waits() -> None:
    """The bank's word holds the payment's row, and changes nothing of it: the success must see the dispute all the same."""
    one = waiting(new_buyer=True)
    notice = base.DisputeNotice(
        provider_ref="dp_1", status=base.DisputeStatus.OPENED, amount=one.amount, payment_ref=one.provider_ref
    )
    with meanwhile(lambda: post(paid(one), "evt_paid")) as until_it_waits, transaction.atomic():
        disputes.apply_notice(one, notice, source="webhook")
        until_it_waits()
    event = WebhookEvent.objects.get(event_id="evt_paid")
    one.refresh_from_db()
    assert (one.status, event.status) == ("requires_action", "received")
    assert inbox.process(event.pk)
    one.refresh_from_db()
    assert (one.status, one.settles_order) == ("succeeded", True)
    assert credits.balance(one.order.user_id) == 0  # frozen


def paid_a_second_time(
    first: PaymentIntent, monkeypatch: pytest.MonkeyPatch, when_settled: Callable[[], None]
) -> settlement.Applied:
    """Another attempt of that order pays it, the plain way; `when_settled` is called while its transaction holds the order.
    From there on it waits for nobody, or fails."""
    other = factories.intent(
        first.order, gateway="stripe", method="card", status="requires_action", attempt=2, provider_ref="pi_2"
    )
    settle = settlement.fulfilment.settle

    def settling(*order: Any, **how: Any) -> bool:
        settled = settle(*order, **how)
        when_settled()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
        return settled

    with monkeypatch.context() as patch:
        patch.setattr(settlement.fulfilment, "settle", settling)
        result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, amount=other.amount)
        return settlement.apply_result(other, result, source="poll")


def test_two_attempts_of_an_order_succeed_at_once_online(monkeypatch: pytest.MonkeyPatch) -> None:
    """One waits for the order, and the other must not wait for it: that it is the attempt that settled is free to say."""
    one = waiting(new_buyer=True)
    with meanwhile(lambda: post(paid(one), "evt_paid")) as until_it_waits:
        assert paid_a_second_time(one, monkeypatch, until_it_waits) == "settled"
    event = WebhookEvent.objects.get(event_id="evt_paid")
    assert event.status == "received"
    assert inbox.process(event.pk)
    one.refresh_from_db()
    assert (one.status, one.settles_order, one.is_surplus) == ("succeeded", False, True)
    assert credits.balance(one.order.user_id) == 100


def test_two_attempts_of_an_order_succeed_at_once_at_the_machine(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As online, and the one that waited goes the plain way at once: surplus."""
    one = shop.taken()
    applied: list[object] = []

    def asked() -> None:
        answer = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED)
        applied.append(settlement.apply_result(one.intent, answer, source="poll"))

    PaymentIntent.objects.filter(pk=one.intent.pk).update(last_query_at=None)
    with meanwhile(asked) as until_it_waits:
        assert paid_a_second_time(one.intent, monkeypatch, until_it_waits) == "settled"
    assert applied == ["surplus"]
    one.refresh()
    assert (one.order.status, one.intent.status, one.intent.is_surplus) == ("paid", "succeeded", True)
    assert PaymentEvent.objects.filter(intent=one.intent, to_status="succeeded").count() == 1
