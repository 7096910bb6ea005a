"""Workers killed (SIGKILL) at each commit boundary between paid and accepted, and around payData.

GUARANTEES 5 and 10: whatever dies where, the rows say what is next; one accepted job, one payment announced.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from payments.models import PaymentIntent, WebhookEvent
from payments.services import at_once, machine_payments, sync
from pimpshop.core import sweeper
from pimpshop.core.models import Notification, StaffItem
from tests import factories
from tests.support import shop as shops
from tests.support import workers
from tests.support.shop import Paying, Shop, later, sweep
from tests.support.workers import Point, after, before
from vending.models import PrintJob

_CLIENT = "vending.manufacturer.client:ManufacturerClient"
_STEPS = "vending.services.print_steps"


@pytest.fixture
def shop(transactional_db: None, settings: Any) -> Iterator[Shop]:
    """The shop of this directory, with a manufacturer that a forked worker can reach."""
    with shops.on_a_port() as (books, base):
        settings.MANUFACTURER_API_BASE, settings.MANUFACTURER_ORDER_DELAY_SECONDS = base, 0
        yield shops.make_shop(books)
    shops.assert_invariants()


def walk() -> None:
    """What a worker does: once through everything that is due."""
    for _ in range(3):
        sweeper.walk(everything=True)


def hint(one: Paying) -> None:
    """The manufacturer's post, received by a web process."""
    answer = Client().post(
        "/api/chinese/order/payStatus",
        {"third_id": one.third_id, "status": 3},
        content_type="application/json",
    )
    assert answer.status_code == 200


def restart(*, after_seconds: float = 130) -> None:
    """New workers; every lease of the dead has run out. A second later they look for what an unheard answer said."""
    for seconds in (after_seconds, after_seconds + 3):
        with later(seconds=seconds):
            sweep()


def assert_printed_once(shop: Shop, one: Paying) -> None:
    one.refresh()
    assert (one.intent.status, one.order.status, one.session.status) == (
        "succeeded",
        "paid",
        "payment_completed",
    )
    job = one.job()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert one.session.user_progress == "order_submitted"
    assert list(shop.manufacturer.orders) == [job.third_order_id]
    assert job.earlier_order_ids == []
    assert {body["third_id"] for body in shop.manufacturer.bodies("order/orderData")} == {job.third_order_id}
    assert list(shop.manufacturer.payments) == [one.third_id]
    assert len(shop.manufacturer.bodies("order/payData")) == 1
    assert StaffItem.objects.filter(resolved_at=None).count() == 0
    assert Notification.objects.count() == 0


def test_a_web_process_killed_after_storing_a_post_loses_nothing(shop: Shop) -> None:
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    workers.dies(lambda: hint(one), after("payments.services.inbox:_store"))
    assert WebhookEvent.objects.get().status == "received"
    sweep()
    assert_printed_once(shop, one)


AFTER_PAID = [
    after("payments.services.at_once:take_up"),
    before(f"{_CLIENT}.get_pay_status"),
    after(f"{_CLIENT}.get_pay_status"),
    before("payments.services.at_once:settle"),
    after("payments.services.at_once:settle"),
    after("payments.services.settlement:apply_result"),  # committed, nobody told the print job's worker
    after(f"{_STEPS}:_take"),
    before(f"{_CLIENT}.order_data"),
    after(f"{_CLIENT}.order_data"),  # accepted there, not recorded here
    before(f"{_STEPS}:_accepted"),
    after("vending.services.sessions:mark_order"),  # in the accepting transaction
    after(f"{_STEPS}:_accepted"),
]


#: In the transaction of the plain way, which other gateways and unusual orders take: it must roll back as a whole.
PLAIN_WAY = [
    before("orders.services.fulfilment:settle"),
    after("vending.services.print_jobs:create_job"),
    after("orders.services.fulfilment:settle"),
    before("payments.services.inbox:_end"),  # committed; the event is worked on again
    after("payments.services.inbox:_end"),
]


@pytest.mark.parametrize("point", AFTER_PAID, ids=str)
def test_killed_between_paid_and_accepted(shop: Shop, point: Point) -> None:
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    hint(one)
    workers.dies(walk, point)
    restart()
    assert_printed_once(shop, one)


@pytest.mark.parametrize("point", PLAIN_WAY, ids=str)
def test_killed_on_the_plain_way(shop: Shop, point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_once, "settle", lambda *_, **__: False)
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    hint(one)
    workers.dies(walk, point)
    restart()
    assert_printed_once(shop, one)


def test_killed_again_and_again(shop: Shop) -> None:
    """The same worker dies at each of those points, one restart after the other, on one payment."""
    one = shop.taken()
    PaymentIntent.objects.update(last_query_at=None)
    hint(one)
    for death, point in enumerate(
        [*AFTER_PAID[:5], before(f"{_CLIENT}.order_data"), after(f"{_CLIENT}.order_data")]
    ):
        with later(seconds=100 * death):
            workers.dies(walk, point)
    restart(after_seconds=1000)
    assert_printed_once(shop, one)


PAY_DATA = [
    after("payments.services.machine_payments:_record_attempt"),
    after("payments.services.intents:lease"),
    before(f"{_CLIENT}.pay_data"),
    after(f"{_CLIENT}.pay_data"),
    before("payments.services.settlement:apply_result"),
    after("payments.services.settlement:apply_result"),
]


@pytest.mark.parametrize("paid", [False, True], ids=["unpaid", "paid meanwhile"])
@pytest.mark.parametrize("point", PAY_DATA, ids=str)
def test_killed_around_pay_data(shop: Shop, point: Point, paid: bool) -> None:
    """One payData per PYEN, and the session's next init-payment (or the sweeper) goes on with the same number."""
    one = shop.ordered()
    workers.dies(lambda: machine_payments.start_machine_payment(one.session, source="api"), point)
    one.intent = PaymentIntent.objects.get()
    if paid and one.third_id in shop.manufacturer.payments:
        shop.manufacturer.pays(one.third_id)
    with later(seconds=130):
        sweep()
    assert [body["third_id"] for body in shop.manufacturer.bodies("order/payData")] == [one.third_id]
    if shop.manufacturer.payments[one.third_id] != 3:
        one.refresh()
        assert one.intent.status == "requires_action"
        with later(seconds=131):
            again = machine_payments.start_machine_payment(one.session, source="api")
        assert again.third_id == one.third_id
        shop.manufacturer.pays(one.third_id)
        restart(after_seconds=140)
    assert_printed_once(shop, one)


ONLINE = [
    before(f"{_CLIENT}.pay_data"),
    after(f"{_CLIENT}.pay_data"),
    after(f"{_CLIENT}.pay_status"),
    after(f"{_STEPS}:_done"),
    after(f"{_STEPS}:_done", 2),
]


@pytest.mark.parametrize("point", ONLINE, ids=str)
def test_killed_while_a_job_paid_elsewhere_is_announced(shop: Shop, point: Point) -> None:
    """pay_type 12: payData, payStatus, orderData, each once accepted under its own number."""
    one = paid_elsewhere(shop)
    workers.dies(walk, point)
    with later(seconds=100):
        sweep()
    job = one.job()
    assert job.status == "accepted"
    assert list(shop.manufacturer.payments.items()) == [(job.payment_third_id, 3)]
    assert list(shop.manufacturer.orders) == [job.third_order_id]


def paid_elsewhere(shop: Shop) -> Paying:
    """A case paid by another gateway; the order is settled as its settlement would."""
    from django.db import transaction

    from orders.services import fulfilment
    from pimpshop.core.states import advance

    one = shop.ordered()
    one.intent = factories.intent(one.order, gateway="other", out_trade_no=one.order.order_no)
    with transaction.atomic():
        advance(one.intent, "succeeded", source="test", captured_minor=1999, settles_order=True)
        fulfilment.settle(one.order, payment_third_id="", at_machine=False, source="test")
    assert PrintJob.objects.get().status == "announcing"
    return one


def test_a_worker_that_hangs_costs_its_lease_and_no_second_order(shop: Shop) -> None:
    """It stands still after orderData was sent; another takes the job when the lease of 90 s is over, and asks first."""
    one = shop.taken()
    sync.check_now(intent=one.intent, source="poll")
    job = one.job()
    began = timezone.now()
    workers.dies(walk, after(f"{_CLIENT}.order_data"))
    with later(since=began, seconds=75):
        sweep()
        job.refresh_from_db()
        assert job.status == "submitting"
        assert len(shop.manufacturer.bodies("order/orderData")) == 1
    restart(after_seconds=95)
    assert len(shop.manufacturer.bodies("order/orderData")) == 1
    assert_printed_once(shop, one)
