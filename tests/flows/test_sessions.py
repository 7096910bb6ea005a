"""Sessions at a machine: five at once, one phone each, their end by time, and the end that never comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments.models import PaymentIntent
from pimpshop.core import sweeper
from tests import factories
from tests.flows.conftest import Shop
from tests.support import seed1
from tests.support.manufacturer import Manufacturer
from tests.support.refusals import assert_refused
from tests.support.seed1 import Phone
from vending.models import Machine, PrintJob, SessionEvent, VendingSession
from vending.services import machines, screens, sessions

CREATE = "/api/vending/create-session"


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(datetime.now(UTC), tick=False) as coordinates:
        yield coordinates


def full(shop: Shop, **more: object) -> list[Phone]:
    """Five phones with a session each, all of them at work."""
    phones = [shop.phone() for _ in range(5)]
    for phone in phones:
        assert phone.create(**more)[0] == 200
        assert phone.register()[0] == 200
        assert sessions.note_progress(sessions.find(phone.session_id), "designing")
    return phones


def sixth(shop: Shop) -> object:
    return Client().post(CREATE, {"machine_id": shop.machine.machine_id}, content_type=seed1.JSON)


def live(shop: Shop) -> int:
    return VendingSession.objects.filter(sessions.live_filter(), machine=shop.machine).count()


# --- five at once -----------------------------------------------------------------------------------------------------
def test_the_sixth_session_of_a_machine_waits(shop: Shop, clock, nothing_changes) -> None:
    phones = full(shop)
    clock.shift(timedelta(minutes=29))
    phones[0].status()  # the machine was heard of just now
    nothing_changes()
    answer = sixth(shop)
    assert_refused(answer, 429, "too_many_sessions")
    assert answer["Retry-After"] == "61"  # the first one ends in a minute


def test_retry_after_is_never_longer_than_two_minutes(shop: Shop, clock) -> None:
    full(shop)
    assert sixth(shop)["Retry-After"] == "120"


def test_the_sixth_comes_in_when_one_has_expired(shop: Shop, clock) -> None:
    full(shop)
    VendingSession.objects.filter(pk=VendingSession.objects.first().pk).update(expires_at=timezone.now())
    assert sixth(shop).status_code == 200
    assert live(shop) == 5


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_the_sixth_comes_in_when_one_is_cancelled(shop: Shop, clock, how: str) -> None:
    phones = full(shop)
    phones[2].client.delete(phones[2].base) if how == "delete" else phones[2].post(f"{phones[2].base}/cancel")
    assert sixth(shop).status_code == 200
    assert sixth(shop).status_code == 429


def test_other_machines_have_five_of_their_own(shop: Shop) -> None:
    full(shop)
    other = factories.machine(machine_id="VM_TEST_MANUFACTURER")
    assert shop.phone(machine_id=other.machine_id).create()[0] == 200


def test_an_unclaimed_session_gives_way_after_two_minutes(shop: Shop, clock) -> None:
    """create-session is anonymous: nobody blocks a machine with five requests."""
    for _ in range(5):
        shop.phone().create()
        clock.shift(timedelta(seconds=1))
    assert sixth(shop).status_code == 429
    clock.shift(timedelta(minutes=2))
    assert sixth(shop).status_code == 200
    oldest = VendingSession.objects.order_by("created_at").first()
    assert oldest.status == "expired"
    assert SessionEvent.objects.filter(session=oldest).last().reason == "gave way to a new session"
    assert live(shop) == 5


def test_a_session_with_somebody_at_work_never_gives_way(shop: Shop, clock) -> None:
    full(shop)
    clock.shift(timedelta(minutes=5))
    assert sixth(shop).status_code == 429
    assert live(shop) == 5


def test_a_session_that_was_ordered_without_being_registered_does_not_give_way(shop: Shop, clock) -> None:
    phones = [shop.phone() for _ in range(5)]
    for phone in phones:
        phone.create()
        phone.summary()
    clock.shift(timedelta(minutes=5))
    assert sixth(shop).status_code == 429


# --- waiting for money ------------------------------------------------------------------------------------------------
def test_waiting_for_money_leaves_count_and_screen_after_ten_minutes(
    shop: Shop, clock, manufacturer: Manufacturer
) -> None:
    phones = full(shop)
    phones[0].summary()
    third_id = phones[0].init()[1]["third_id"]
    clock.shift(timedelta(minutes=9, seconds=59))
    assert sixth(shop).status_code == 429
    assert screens.show(shop.machine).state == "pay"
    clock.shift(timedelta(seconds=2))
    assert sixth(shop).status_code == 200
    assert screens.show(shop.machine).state == "scan"
    session = VendingSession.objects.get(third_id=third_id)
    assert session.status == "payment_pending"  # it left the screen, not the books
    seed1.paid(third_id, manufacturer)
    session.refresh_from_db()
    assert (session.status, session.user_progress) == ("payment_completed", "order_submitted")


def test_a_session_whose_payment_started_never_expires(
    shop: Shop, phone: Phone, clock, manufacturer: Manufacturer
) -> None:
    """GUARANTEES 25: the payStatus that comes three days late finds its order."""
    third_id = phone.asked_to_pay()
    for step in (timedelta(minutes=31), timedelta(hours=5), timedelta(days=2), timedelta(days=1)):
        clock.shift(step)
        sweeper.walk_until_quiet()
        status, body = phone.status()
        assert (status, body["status"]) == (200, "payment_pending")
    assert phone.init()[1]["third_id"] == third_id
    seed1.paid(third_id, manufacturer)
    assert phone.status()[1]["status"] == "payment_completed"
    assert PrintJob.objects.get().status == "accepted"
    assert len(manufacturer.bodies("order/payData")) == 1


def test_we_go_on_asking_for_three_days_and_then_stop(phone: Phone, clock, manufacturer) -> None:
    phone.asked_to_pay()
    clock.shift(timedelta(days=2, hours=23))
    sweeper.walk_until_quiet()
    assert PaymentIntent.objects.get().next_query_at is not None
    clock.shift(timedelta(hours=2))
    sweeper.walk_until_quiet()
    assert PaymentIntent.objects.get().next_query_at is None
    asked = len(manufacturer.bodies("order/getPayStatus"))
    clock.shift(timedelta(days=1))
    sweeper.walk_until_quiet()
    assert len(manufacturer.bodies("order/getPayStatus")) == asked


def test_a_payment_is_found_without_a_post_and_without_anybody_looking(phone, clock, manufacturer) -> None:
    """GUARANTEES 2: the post is lost, the phone is in a pocket; the sweeper settles within two minutes."""
    third_id = phone.asked_to_pay()
    manufacturer.payments[third_id] = 3
    clock.shift(timedelta(seconds=5))
    sweeper.walk_until_quiet()
    assert Order.objects.get().status == "paid"
    assert PrintJob.objects.get().status == "accepted"


def test_a_cancelled_session_honours_money_that_was_asked_for(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    assert phone.post(f"{phone.base}/cancel")[0] == 200
    assert (phone.status()[0], phone.status()[1]["status"]) == (200, "cancelled")
    seed1.paid(third_id, manufacturer)
    assert phone.status()[1]["status"] == "payment_completed"
    assert PrintJob.objects.get().status == "accepted"


def test_a_paid_session_cannot_be_cancelled(phone: Phone, manufacturer, nothing_changes) -> None:
    seed1.paid(phone.asked_to_pay(), manufacturer)
    seed1.let_time_pass()
    nothing_changes()
    assert_refused(phone.client.post(f"{phone.base}/cancel"), 409, "cannot_cancel")
    assert_refused(phone.client.delete(phone.base), 409, "cannot_cancel")


# --- the end by time --------------------------------------------------------------------------------------------------
DOORS = [
    ("post", "/register-user"), ("post", "/order-summary"), ("post", "/init-payment"), ("get", "/status"),
    ("get", "/order-info"), ("get", "/health"), ("post", "/cancel"), ("delete", ""),
]  # fmt: skip


@pytest.mark.parametrize("swept", [False, True], ids=["first look", "after the sweeper"])
def test_an_expired_session_answers_410_everywhere(phone: Phone, clock, swept: bool) -> None:
    phone.ordered()
    clock.shift(timedelta(minutes=30))
    if swept:
        sweeper.walk_until_quiet()
    told = {"machine_id": phone.machine_id, "session_id": phone.session_id}
    for method, tail in DOORS:
        kwargs = {"data": told, "content_type": seed1.JSON} if method == "post" else {}
        answer = getattr(phone.client, method)(phone.base + tail, **kwargs)
        assert_refused(answer, 410, "session_expired", "nothing was charged")
    assert VendingSession.objects.get().status == "expired"
    assert SessionEvent.objects.filter(to_status="expired").count() == 1
    assert not PaymentIntent.objects.exists()


def test_a_session_lives_until_its_last_second(phone: Phone, clock) -> None:
    phone.create(session_timeout_minutes=5)
    clock.shift(timedelta(minutes=4, seconds=59))
    assert phone.status()[0] == 200
    clock.shift(timedelta(seconds=1))
    assert phone.status()[0] == 410


# --- two phones -------------------------------------------------------------------------------------------------------
def test_one_phone_takes_a_session_and_the_second_does_not(shop: Shop, phone: Phone) -> None:
    phone.create()
    assert phone.register()[0] == 200
    second = shop.phone(session_id=phone.session_id)
    status, body = second.register()
    assert (status, body["code"]) == (409, "session_taken")
    assert phone.register()[0] == 200  # the first one comes again as often as it likes


def test_two_phones_at_one_machine_never_see_each_others_design(shop: Shop, manufacturer) -> None:
    """GUARANTEES 25. The picture of one appears in no answer that another can ask for."""
    first, second = shop.phone(), shop.phone()
    first.ordered()
    second.ordered(designImage=seed1.picture(700, 1300))
    session = VendingSession.objects.get(session_id=first.session_id)
    third_id = first.init()[1]["third_id"]
    design, order = session.design, Order.objects.get(session_id=first.session_id)
    secrets = (
        "/pictures/", "data:image", str(design.pk), design.print_sha256, str(design.print_file), session.claim_hash,
        str(order.public_id), f"/orders/{order.order_no}",
    )  # fmt: skip
    for stage in ("waiting", "paid"):
        if stage == "paid":
            seed1.paid(third_id, manufacturer)
        for path in (
            f"{first.base}/status", f"{first.base}/order-info", f"{first.base}/health", "/m/CXYLOGD8OQUK/",
            "/m/CXYLOGD8OQUK/live/", f"/api/chinese/payment/{third_id}/status", f"{second.base}/status",
            f"{second.base}/order-info",
        ):  # fmt: skip
            answer = second.client.get(path)
            assert answer.status_code == 200, path
            for secret in secrets:
                assert secret not in answer.content.decode(), (path, secret)
    assert second.status()[1]["status"] == "designing"
    assert second.client.get(f"/studio/s/{first.session_id}/").status_code == 403
    assert second.client.get(f"/studio/s/{first.session_id}/preview.png").status_code == 403
    assert second.client.get(f"/orders/{order.order_no}/").status_code == 404


# --- a machine that cannot print takes no money -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"maintenance": True}, "maintenance"),
        ({"printer": "out"}, "printer_out"),
        ({"last_contact_at": datetime(2025, 1, 1, tzinfo=UTC)}, "silent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_machine_that_cannot_print_asks_for_no_money(
    shop: Shop, phone: Phone, manufacturer: Manufacturer, change: dict, reason: str
) -> None:
    phone.ordered()
    Machine.objects.update(**change, printer_at=timezone.now())
    manufacturer.down = True
    answer = phone.client.post(f"{phone.base}/init-payment")
    told = assert_refused(answer, 503, "machine_not_ready", "nothing was charged")
    assert told["fields"] == {"reason": reason}
    assert answer["Retry-After"] == "60"
    assert not PaymentIntent.objects.exists()
    assert manufacturer.bodies("order/payData") == []
    Machine.objects.update(
        maintenance=False, printer="ok", last_contact_at=timezone.now(), stock_synced_at=timezone.now()
    )
    manufacturer.down = False
    assert phone.init()[0] == 200


def test_want_of_data_refuses_nobody(shop: Shop, phone: Phone, manufacturer: Manufacturer) -> None:
    phone.ordered()
    Machine.objects.update(last_contact_at=None, stock_synced_at=None)
    manufacturer.fail("stock/list", {"code": 500, "msg": "down for a while"})
    assert machines.readiness(Machine.objects.get())
    assert phone.init()[0] == 200
