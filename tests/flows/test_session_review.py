"""What a careful reading found about sessions: the last piece, two payers, an ended session, full machines, cookies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalog.models import Design, Photo
from orders.models import Order
from payments.models import PaymentIntent
from tests import factories
from tests.flows.conftest import Shop
from tests.support import images, seed1
from tests.support.manufacturer import DOWN, LOST, Manufacturer
from tests.support.refusals import assert_refused
from tests.support.seed1 import Phone
from vending.models import StockLevel, VendingSession
from vending.services import machines, screens, sessions

CREATE = "/api/vending/create-session"


def init(phone: Phone):
    return phone.client.post(f"{phone.base}/init-payment", content_type=seed1.JSON)


def stock(phone: Phone, pieces: int) -> list[dict[str, object]]:
    return [
        {"mobile_model_id": phone.model_id, "mobile_shell_id": phone.shell_id, "mobile_model_name": "iPhone 15 Pro",
         "width": "73.24", "height": "149.27", "stock": pieces}
    ]  # fmt: skip


# --- the last piece ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("read_again", [False, True], ids=["just read", "read again"])
def test_the_last_piece_is_sold_once(
    shop: Shop, phone: Phone, manufacturer: Manufacturer, read_again: bool
) -> None:
    """The machine counts a blank until it prints it, so neither the old nor a new number may be believed alone."""
    StockLevel.objects.update(count=1)
    manufacturer.stock = stock(phone, 1)
    seed1.paid(phone.asked_to_pay(), manufacturer)
    second = shop.phone().ordered()
    if read_again:
        StockLevel.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    asked = len(manufacturer.bodies("order/payData"))
    assert_refused(init(second), 409, "out_of_stock", "nothing was charged")
    assert len(manufacturer.bodies("order/payData")) == asked
    assert PaymentIntent.objects.count() == 1
    assert len(manufacturer.bodies("stock/list")) == read_again


def test_the_last_piece_is_not_asked_money_for_while_a_cancelled_payment_may_come(
    shop: Shop, phone: Phone, manufacturer: Manufacturer
) -> None:
    StockLevel.objects.update(count=1)
    phone.asked_to_pay()
    assert phone.post(f"{phone.base}/cancel")[0] == 200
    second = shop.phone().ordered()
    assert_refused(init(second), 409, "out_of_stock")
    StockLevel.objects.update(count=2)
    assert init(second).status_code == 200


def test_few_pieces_are_counted_again_before_each_payment(
    shop: Shop, phone: Phone, manufacturer: Manufacturer
) -> None:
    StockLevel.objects.update(count=2, seen_at=timezone.now() - timedelta(minutes=1))
    manufacturer.stock = stock(phone, 0)
    phone.ordered()
    assert_refused(init(phone), 409, "out_of_stock")
    assert manufacturer.bodies("order/payData") == []


def test_many_pieces_are_not_counted_again_for_ten_minutes(phone: Phone, manufacturer) -> None:
    StockLevel.objects.update(seen_at=timezone.now() - timedelta(minutes=9))
    phone.asked_to_pay()
    assert manufacturer.bodies("stock/list") == []


def test_the_count_is_made_once_more_with_the_machine_held(shop: Shop, phone: Phone, manufacturer) -> None:
    """Between the check and the payment somebody else may have paid."""
    phone.ordered()
    session = sessions.find(phone.session_id)
    StockLevel.objects.update(count=0)
    with pytest.raises(machines.OutOfStock):
        sessions.begin_payment(
            session, order_no=session.order_no, third_id="PYEN251120000001", source="api"
        )  # fmt: skip
    assert sessions.find(phone.session_id).status == "designing"


def test_only_the_brand_of_the_shell_is_read(shop: Shop, phone: Phone, manufacturer) -> None:
    other = factories.sellable_shell()
    factories.stock(shop.machine, other, count=7)
    long_ago = timezone.now() - timedelta(hours=1)
    StockLevel.objects.update(seen_at=long_ago)
    manufacturer.stock = stock(phone, 4)
    phone.asked_to_pay()
    [body] = manufacturer.bodies("stock/list")
    assert body["brand_id"] == "BR20250111000002"
    assert StockLevel.objects.get(shell=shop.shell).count == 4
    untouched = StockLevel.objects.get(shell=other)
    assert (untouched.count, untouched.seen_at) == (7, long_ago)


def test_a_repeat_that_was_faster_does_not_refuse_the_other(shop: Shop, phone: Phone, manufacturer) -> None:
    """Two requests of one session, and the last piece: what the first one holds counts for both."""
    StockLevel.objects.update(count=1)
    phone.asked_to_pay()
    session = sessions.find(phone.session_id)
    machines.ensure_ready(session.machine, shop.shell, session=session)  # raises nothing
    with pytest.raises(machines.MachineBusy):
        machines.ensure_ready(
            session.machine, shop.shell, session=sessions.find(shop.phone().ordered().session_id)
        )


# --- two payers -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answer", ["given", "lost"])
def test_one_payment_at_a_time_at_a_machine(
    shop: Shop, phone: Phone, manufacturer: Manufacturer, answer: str
) -> None:
    phone.ordered()
    if answer == "lost":
        manufacturer.fail("order/payData", LOST)
    first = init(phone)
    second = shop.phone().ordered()
    refused = init(second)
    assert_refused(refused, 503, "machine_busy", "nothing was charged")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert len(manufacturer.bodies("order/payData")) == PaymentIntent.objects.count() == 1
    assert VendingSession.objects.get(session_id=second.session_id).status == "designing"
    again = init(phone).json()  # its own repeat
    assert again == first.json() if answer == "given" else again.get("code") != "machine_busy"


@pytest.mark.parametrize("end", ["paid", "failed", "cancelled", "left"])
def test_the_next_one_may_pay_when_the_first_is_done(
    shop: Shop, phone: Phone, manufacturer: Manufacturer, end: str
) -> None:
    third_id = phone.asked_to_pay()
    second = shop.phone().ordered()
    if end == "cancelled":
        phone.post(f"{phone.base}/cancel")
    elif end == "left":
        VendingSession.objects.filter(session_id=phone.session_id).update(
            payment_started_at=timezone.now() - timedelta(minutes=10)
        )
    else:
        seed1.paid(third_id, manufacturer, status=3 if end == "paid" else 4)
    assert init(second).status_code == 200
    assert len(manufacturer.bodies("order/payData")) == 2


def test_another_machine_is_not_busy(shop: Shop, phone: Phone, manufacturer: Manufacturer) -> None:
    other = factories.machine(machine_id="VM_OTHER", stock_synced_at=timezone.now())
    factories.stock(other, shop.shell, count=5)
    phone.asked_to_pay()
    shop.phone(machine_id="VM_OTHER").asked_to_pay()
    assert len(manufacturer.bodies("order/payData")) == 2


# --- ended after its payment had started ------------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_session_that_may_have_been_paid_never_says_that_nothing_was_charged(
    phone: Phone, manufacturer: Manufacturer, how: str
) -> None:
    third_id = phone.asked_to_pay()
    manufacturer.pays(third_id) if hasattr(manufacturer, "pays") else manufacturer.payments.update(
        {third_id: 3}
    )
    manufacturer.fail("order/getPayStatus", DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, DOWN)
    ended = phone.client.delete(phone.base) if how == "delete" else phone.client.post(f"{phone.base}/cancel")
    assert ended.status_code == 200
    status, body = phone.status()
    assert (status, body["status"], body["third_id"]) == (200, "cancelled", third_id)
    assert "nothing was charged" not in body["instructions"].lower()
    assert "scan" not in body["instructions"].lower()
    for tail in ("/order-info", "/health"):
        assert phone.get(phone.base + tail)[1]["status"] == "cancelled"
    for method, tail in (
        ("post", "/init-payment"),
        ("post", "/order-summary"),
        ("post", "/cancel"),
        ("delete", ""),
    ):
        answer = getattr(phone.client, method)(phone.base + tail, content_type=seed1.JSON)
        assert "nothing was charged" not in assert_refused(answer, 409, "session_ended")["detail"].lower()
    assert (PaymentIntent.objects.count(), len(manufacturer.bodies("order/payData"))) == (1, 1)
    manufacturer.faults.clear()
    seed1.paid(third_id, manufacturer)
    assert phone.status()[1]["status"] == "payment_completed"


# --- full machines ----------------------------------------------------------------------------------------------------
def taken(shop: Shop, many: int) -> list[Phone]:
    phones = [shop.phone() for _ in range(many)]
    for phone in phones:
        assert (phone.create(session_timeout_minutes=60)[0], phone.register()[0]) == (200, 200)
    return phones


def test_a_machine_whose_sessions_are_all_taken_still_shows_a_code(shop: Shop) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        taken(shop, 5)
        clock.shift(screens.CONNECTED_FOR)
        shown = screens.show(shop.machine)
        assert (shown.state, VendingSession.objects.count()) == ("scan", 6)
        assert (
            Client().post(CREATE, {"machine_id": "CXYLOGD8OQUK"}, content_type=seed1.JSON).status_code == 429
        )


def test_a_session_that_was_scanned_and_left_gives_way_after_three_minutes(shop: Shop) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        phones = taken(shop, 5)
        sessions.note_progress(sessions.find(phones[0].session_id), "designing")
        clock.shift(timedelta(minutes=3))
        assert shop.phone().create()[0] == 429
        clock.shift(timedelta(seconds=1))
        assert shop.phone().create()[0] == 200
        assert VendingSession.objects.filter(status="expired").count() == 1
        assert VendingSession.objects.get(session_id=phones[0].session_id).status == "designing"


def test_a_session_with_a_design_does_not_give_way(shop: Shop) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        taken(shop, 5)
        VendingSession.objects.update(design=factories.design(shell=shop.shell))
        clock.shift(timedelta(minutes=20))
        assert shop.phone().create()[0] == 429


# --- two sessions on one phone ----------------------------------------------------------------------------------------
def test_a_second_scan_takes_nothing_from_the_first(shop: Shop) -> None:
    browser = Client()
    made = [sessions.create_session(machine=shop.machine, source="screen").session_id for _ in range(2)]
    for session_id in made:
        assert browser.post(f"/start/{session_id}/").status_code == 302
    assert len(browser.cookies) == 2
    for session_id in made:
        assert browser.get(f"/studio/s/{session_id}/").status_code == 200
        assert browser.get(f"/api/vending/session/{session_id}/order-info").status_code == 200
        assert Client().get(f"/studio/s/{session_id}/").status_code == 403


# --- refused pictures -------------------------------------------------------------------------------------------------
def test_a_blank_picture_leaves_nothing_behind(phone: Phone, tmp_path: Path, settings) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    phone.create()
    blank = images.data_url(images.encode(Image.new("RGB", (600, 1200), "#ffffff")))
    for _ in range(2):
        status, body = phone.summary(designImage=blank)
        assert (status, body["code"]) == (400, "design_empty")
        assert (Design.objects.count(), Photo.objects.count(), Order.objects.count()) == (0, 0, 0)
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
