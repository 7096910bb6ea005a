"""The sixteen mistakes of the first integrators (manufacturer.md, its last part): each a test that its guard keeps green."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.test import Client
from django.urls import get_resolver

from catalog.models import Design
from catalog.services import designs
from orders.models import Order, OrderLine
from payments.models import PaymentIntent, WebhookEvent
from pimpshop.core import sweeper
from pimpshop.core.models import Notification, StaffItem
from tests import factories
from tests.flows.conftest import Shop
from tests.support import seed1
from tests.support.manufacturer import DOWN, LOST, Manufacturer
from tests.support.refusals import assert_refused
from tests.support.seed1 import PAY_STATUS, Phone
from vending.models import PrintJob, StockLevel, VendingSession

ROOT = Path(__file__).resolve().parents[2]
UNAVAILABLE = {"code": 500, "msg": "The current device is unavailable"}


def test_mistake_01_mspy_in_order_data(phone: Phone, manufacturer: Manufacturer) -> None:
    """orderData.third_pay_id is our PYEN number; with MSPY every order fails."""
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    [sent] = manufacturer.bodies("order/orderData")
    assert sent["third_pay_id"] == third_id
    assert sent["third_id"].startswith("OREN")
    assert "MSPY" not in json.dumps({**sent, "pic": ""})  # the picture's address has a random word
    assert PrintJob.objects.get().status == "accepted"


@pytest.mark.parametrize("times", [1, 20])
def test_mistake_02_free_printing_through_the_open_webhook(phone: Phone, manufacturer, times: int) -> None:
    """Anybody posts {third_id, status: 3}: the manufacturer is asked, and it says that nobody paid."""
    third_id = phone.asked_to_pay()
    for _ in range(times):
        phone.post(PAY_STATUS, {"third_id": third_id, "status": 3})
    seed1.work()
    assert manufacturer.bodies("order/getPayStatus") == [[third_id]]
    assert manufacturer.bodies("order/orderData") == []
    assert not PrintJob.objects.exists()
    assert (Order.objects.get().status, PaymentIntent.objects.get().status) == ("pending", "requires_action")
    assert WebhookEvent.objects.count() == 1


def test_mistake_02_while_the_manufacturer_cannot_be_asked(phone: Phone, manufacturer) -> None:
    """No answer is no proof either: the hint stays due until somebody can be asked."""
    third_id = phone.asked_to_pay()
    manufacturer.fail("order/getPayStatus", DOWN, UNAVAILABLE, LOST)
    manufacturer.payments[third_id] = 3
    seed1.hint(third_id)
    for _ in range(3):
        seed1.work()
        assert not PrintJob.objects.exists()
        WebhookEvent.objects.update(due_at=datetime.now(UTC))
    assert WebhookEvent.objects.get().status == "received"
    seed1.work()
    assert (WebhookEvent.objects.get().status, PrintJob.objects.get().status) == ("processed", "accepted")


def test_mistake_02_no_address_confirms_a_payment_for_a_client() -> None:
    """There is no "confirm payment" of the browser: whatever takes posts is on this list. Two names sound like it and are
    not: seed 5's confirm pays with what the caller sends to the provider, and seed 1's success is a nudge to ask it."""
    found = {str(p.pattern) for p in get_resolver().url_patterns if "confirm" in str(p.pattern)}
    inner = {
        str(q.pattern)
        for p in get_resolver().url_patterns
        if hasattr(p, "url_patterns") and str(p.pattern) == ""
        for q in p.url_patterns
    }
    assert "api/chinese/order/payStatus" in inner  # the list is the real one
    sounds = found | {one for one in inner if "confirm" in one or "success" in one}
    assert {re.sub(r"^(api/)?v2/|^api/v1/|/$", "", one) for one in sounds} == {
        "payments/<payment_id:payment_id>/confirm",
        "process-payment-success",
    }


def test_mistake_03_a_late_post_finds_its_expired_session(phone: Phone, manufacturer) -> None:
    """A payment that failed, a session that expired, and the money all the same: acknowledged, found, printed."""
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        third_id = phone.asked_to_pay()
        seed1.paid(third_id, manufacturer, status=4)
        clock.shift(timedelta(hours=2))
        sweeper.walk_until_quiet()
        assert VendingSession.objects.get().status == "expired"
        clock.shift(timedelta(days=3))
        for _ in range(3):
            seed1.paid(third_id, manufacturer)
    assert VendingSession.objects.get().status == "payment_completed"
    assert (Order.objects.count(), PrintJob.objects.count()) == (1, 1)
    [sent] = manufacturer.bodies("order/orderData")
    line = OrderLine.objects.get()
    assert sent["mobile_model_id"] == line.snapshot["mobile_model_id"] == phone.model_id
    assert sent["mobile_shell_id"] == line.snapshot["mobile_shell_id"] == phone.shell_id


def test_mistake_03_a_post_about_nobody_makes_no_phantom_order(shop: Shop, nothing_changes) -> None:
    nothing_changes()
    seed1.hint("PYEN250830540573")


def test_mistake_04_a_second_init_payment_keeps_the_first_number(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    for _ in range(3):
        assert phone.init()[1]["third_id"] == third_id
    assert VendingSession.objects.get().third_id == third_id
    assert [intent.out_trade_no for intent in PaymentIntent.objects.all()] == [third_id]


def test_mistake_04_every_attempt_is_a_row(phone: Phone, manufacturer) -> None:
    numbers = []
    for _ in range(3):
        numbers.append(phone.init()[1]["third_id"] if numbers else phone.asked_to_pay())
        seed1.paid(numbers[-1], manufacturer, status=4)
    assert list(PaymentIntent.objects.order_by("attempt").values_list("out_trade_no", flat=True)) == numbers
    assert len(set(numbers)) == 3
    seed1.paid(numbers[0], manufacturer)  # the payment on the first is not orphaned
    assert Order.objects.get().status == "paid"
    assert manufacturer.bodies("order/orderData")[0]["third_pay_id"] == numbers[0]


def test_mistake_05_a_second_summary_and_a_rescan_after_completion(phone: Phone, manufacturer) -> None:
    seed1.paid(phone.asked_to_pay(), manufacturer)
    status, body = phone.summary()
    assert (status, body["status"]) == (200, "payment_completed")
    status, body = phone.register()
    assert (status, body["user_progress"]) == (200, "order_submitted")
    page = phone.client.get(f"/?qr=true&machine_id={phone.machine_id}&session_id={phone.session_id}")
    assert page.status_code == 200
    assert phone.init()[0] == 200
    assert (Order.objects.count(), PrintJob.objects.count()) == (1, 1)


def test_mistake_06_no_json_column_is_changed_in_place() -> None:
    """What may change is a column of its own, written by one UPDATE: no code assigns into a JSON column."""
    columns = {
        "summary", "layout", "snapshot", "payload", "data", "next_action", "metadata", "earlier_order_ids", "cutouts", "spec",
    }  # fmt: skip
    changed = []
    for app in ("vending", "orders", "payments", "catalog"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
                for target in targets if isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)) else []:
                    inside = isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute)
                    if inside and target.value.attr in columns:
                        changed.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert changed == []


def test_mistake_06_what_was_written_is_what_is_read(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    session = VendingSession.objects.get()
    intent = PaymentIntent.objects.get()
    assert (session.third_id, session.provider_payment_id) == (third_id, "MSPY10000000000000001")
    assert session.summary["shell_id"] == phone.shell_id
    assert intent.next_action["machine_id"] == phone.machine_id
    assert OrderLine.objects.get().snapshot["third_order_id"].startswith("OREN")


def test_mistake_07_out_of_stock_is_not_sold(shop: Shop, phone: Phone, manufacturer) -> None:
    phone.ordered()
    StockLevel.objects.update(count=0)
    answer = phone.client.post(f"{phone.base}/init-payment")
    assert_refused(answer, 409, "out_of_stock", "nothing was charged")
    assert manufacturer.bodies("order/payData") == []
    assert not PaymentIntent.objects.exists()
    assert VendingSession.objects.get().status == "designing"
    StockLevel.objects.update(count=1)
    assert phone.init()[0] == 200


def test_mistake_07_stale_stock_is_read_before_anybody_pays(shop: Shop, phone: Phone, manufacturer) -> None:
    phone.ordered()
    StockLevel.objects.update(seen_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert_refused(phone.client.post(f"{phone.base}/init-payment"), 409, "out_of_stock")
    assert len(manufacturer.bodies("stock/list")) == 1
    manufacturer.stock = [
        {"mobile_model_id": phone.model_id, "mobile_shell_id": phone.shell_id, "mobile_model_name": "iPhone 15 Pro",
         "width": "73.24", "height": "149.27", "stock": 2}
    ]  # fmt: skip
    StockLevel.objects.update(seen_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert phone.init()[0] == 200


def test_mistake_07_nothing_about_stock_can_fail_after_pay_data(
    shop: Shop, phone: Phone, manufacturer
) -> None:
    third_id = phone.asked_to_pay()
    StockLevel.objects.update(seen_at=datetime(2025, 1, 1, tzinfo=UTC))
    StockLevel.objects.update(count=0)
    manufacturer.fail("stock/list", DOWN, DOWN, DOWN)
    status, body = phone.init()
    assert (status, body["third_id"]) == (200, third_id)
    seed1.paid(third_id, manufacturer)
    assert PrintJob.objects.get().status == "accepted"
    assert manufacturer.bodies("stock/list") == []


def test_mistake_08_the_shell_is_found_by_its_ids(shop: Shop, phone: Phone, manufacturer) -> None:
    """Two shells of one model, one of them empty: the stock of the other says nothing about it."""
    twin = factories.shell(model=shop.shell.model, manufacturer_id="MS102503270004")
    factories.stock(shop.machine, twin, count=9)
    StockLevel.objects.filter(shell=shop.shell).update(count=0)
    phone.ordered()
    assert phone.init()[0] == 409
    other = shop.phone(shell_id="MS102503270004")
    third_id = other.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    [sent] = manufacturer.bodies("order/orderData")
    assert sent["mobile_shell_id"] == "MS102503270004"
    wrong = shop.phone()
    wrong.create()
    answer = wrong.summary(model=shop.shell.model.name, chinese_model_id="MM000000000000000")
    assert (answer[0], answer[1]["code"]) == (400, "shell_unknown")


def test_mistake_09_real_ids_are_no_test_values(shop: Shop, manufacturer) -> None:
    """The seed's own ids, and machines that are called TEST."""
    machine = factories.machine(
        machine_id="VM_TEST_MANUFACTURER", stock_synced_at=shop.machine.stock_synced_at
    )
    factories.stock(machine, shop.shell, count=1)
    phone = shop.phone(machine_id=machine.machine_id)
    assert (phone.model_id, phone.shell_id) == ("MM020250224000010", "MS102503270003")
    seed1.paid(phone.asked_to_pay(), manufacturer)
    assert phone.status()[1]["status"] == "payment_completed"
    assert manufacturer.bodies("order/orderData")[0]["device_id"] == "VM_TEST_MANUFACTURER"


def test_mistake_10_a_poll_never_expires_what_was_paid(shop: Shop, phone: Phone, manufacturer) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        seed1.paid(phone.asked_to_pay(), manufacturer)
        for step in (timedelta(hours=1), timedelta(days=30)):
            clock.shift(step)
            sweeper.walk_until_quiet()
            assert phone.status()[1]["status"] == "payment_completed"
        for _ in range(
            5
        ):  # nothing of the old session counts: the limit is a query, not a counter that drifts
            assert shop.phone().create()[0] == 200
        assert shop.phone().create()[0] == 429


def test_mistake_11_the_picture_link_survives_what_clients_do_to_it(phone: Phone, manufacturer) -> None:
    """No query to strip or to double; no session, no address, not single-use, for 48 hours and more."""
    seed1.paid(phone.asked_to_pay(), manufacturer)
    pic = manufacturer.bodies("order/orderData")[0]["pic"]
    assert pic.startswith("http://127.0.0.1:8000/pictures/")
    assert pic.endswith(".png")
    assert "?" not in pic
    path = pic.removeprefix("http://127.0.0.1:8000")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=49), tick=False):
        for n, query in enumerate(["", "", "?token=a", "?token=a&token=b"]):
            answer = Client().get(path + query, REMOTE_ADDR=f"203.0.113.{n}", headers={"User-Agent": ""})
            assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
            assert b"".join(answer.streaming_content)[:8] == b"\x89PNG\r\n\x1a\n"


def test_mistake_12_a_queue_number_is_theirs_or_none(phone: Phone, manufacturer) -> None:
    manufacturer.fail("order/orderData", LOST)
    manufacturer.fail("order/printList", DOWN, DOWN, DOWN)
    seed1.paid(phone.asked_to_pay(), manufacturer)
    assert phone.status()[1]["queue_number"] is None
    PrintJob.objects.update(due_at=datetime.now(UTC))
    seed1.work()
    assert PrintJob.objects.get().status == "accepted"  # asked before it was sent again
    assert phone.status()[1]["queue_number"] is None
    for _ in range(4):
        seed1.work(looks=True)
    job = PrintJob.objects.get()
    assert phone.status()[1]["queue_number"] == job.queue_no == manufacturer.queue[job.third_order_id] != ""
    assert len(manufacturer.bodies("order/orderData")) == 1


@pytest.mark.parametrize("price", [0, 0.01, -19.99, 1999, "0"])
def test_mistake_13_the_price_is_never_the_clients(phone: Phone, price, nothing_changes) -> None:
    phone.create()
    nothing_changes()
    assert phone.summary(price=price)[0] == 409


@pytest.mark.parametrize(
    ("amount_minor", "literal"),
    [(29, "0.29"), (1999, "19.99"), (1005, "10.05"), (110, "1.1"), (100000, "1000")],
)
def test_mistake_13_every_amount_is_exact(
    phone: Phone, manufacturer, amount_minor: int, literal: str
) -> None:
    """0.29 x 100 is 28.999…: minor units in rows, the same literal signed and sent."""
    factories.reprice(amount_minor)
    whole = amount_minor / 100
    third_id = phone.asked_to_pay(price=whole)
    assert PaymentIntent.objects.get().amount_minor == amount_minor
    request = next(
        call.request for call in manufacturer.mock.calls if call.request.url.endswith("order/payData")
    )
    assert f'"pay_amount":{literal},' in request.body.decode()
    seed1.paid(third_id, manufacturer)
    assert phone.status()[1]["payment_amount"] == whole


def test_mistake_14_pay_data_is_sent_once(phone: Phone, manufacturer) -> None:
    """Lost after it was accepted: asked, not sent again. The browser's retry is the same attempt."""
    phone.ordered()
    manufacturer.fail("order/payData", LOST)
    first = phone.init()
    assert (first[0], first[1]["code"]) == (503, "payment_uncertain")
    seed1.let_time_pass()
    status, body = phone.init()
    assert (status, body["status"]) == (200, "awaiting_payment")
    assert len(manufacturer.bodies("order/payData")) == 1
    assert list(manufacturer.payments) == [body["third_id"]]


def test_mistake_15_open_endpoints_hand_out_nothing_and_a_get_changes_nothing(
    shop: Shop, phone: Phone, manufacturer: Manufacturer
) -> None:
    """Every address that a stranger can GET: no link of staff, no signed link, and every row stays as it is."""
    third_id = phone.asked_to_pay()
    design = Design.objects.get()
    job_link = designs.print_link(design).rpartition("/")[2]
    order_page = f"/orders/{Order.objects.get().order_no}"
    stranger = Client()
    seed1.let_time_pass()
    phone.status()  # what may be asked was asked
    before = seed1.rows()
    for path in (
        f"{phone.base}/status", f"{phone.base}/order-info", f"{phone.base}/health", phone.base, f"{phone.base}/order-summary",
        f"/api/chinese/payment/{third_id}/status", PAY_STATUS, "/api/chinese/order-status-update", "/healthz", "/readyz",
        "/api/chinese/test-connection", f"/api/chinese/debug/session-validation/{phone.session_id}", "/m/CXYLOGD8OQUK/live/",
        f"/?qr=true&machine_id=CXYLOGD8OQUK&session_id={phone.session_id}", "/api/schema/", "/admin/",
        "/reset", "/reset-database", "/api/admin/reset", "/init-database", "/drop", "/debug",
    ):  # fmt: skip
        answer = stranger.get(path)
        text = b"".join(answer) if answer.streaming else answer.content
        for secret in (order_page.encode(), job_link.encode(), b"/pictures/", b"?k="):
            assert secret not in text, path
    assert seed1.rows() == before


def test_mistake_16_an_order_that_fails_after_the_payment_is_retried(phone: Phone, manufacturer) -> None:
    """The money was taken: the same third_id for hours, then staff and one word to the customer, never payment_failed."""
    third_id = phone.asked_to_pay()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        manufacturer.fail("order/orderData", *[UNAVAILABLE] * 500)
        seed1.paid(third_id, manufacturer)
        for _ in range(40):
            assert phone.status()[1]["status"] == "payment_completed"
            clock.shift(timedelta(minutes=11))
            sweeper.walk_until_quiet()
        job = PrintJob.objects.get()
        assert job.status == "gave_up"
        sent = manufacturer.bodies("order/orderData")
        assert {body["third_id"] for body in sent} == {job.third_order_id}
        assert 20 < len(sent) < 60
        status = phone.status()[1]
        assert (status["status"], status["user_progress"]) == ("payment_completed", "order_failed")
        assert [item.kind for item in StaffItem.objects.filter(resolved_at=None)] == ["print_stuck"]
        assert [note.kind for note in Notification.objects.all()] == ["case_delayed"]
        assert PaymentIntent.objects.get().status == "succeeded"
        assert Order.objects.get().status == "paid"


def test_mistake_16_the_machine_comes_back_after_four_hours(phone: Phone, manufacturer) -> None:
    third_id = phone.asked_to_pay()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        manufacturer.fail("order/orderData", DOWN)
        seed1.paid(third_id, manufacturer)
        manufacturer.down = True
        for _ in range(24):
            clock.shift(timedelta(minutes=10))
            sweeper.walk_until_quiet()
        manufacturer.down = False
        for _ in range(2):
            clock.shift(timedelta(minutes=15))
            sweeper.walk_until_quiet()
    assert PrintJob.objects.get().status == "accepted"
    assert len(manufacturer.orders) == 1
    assert list(StaffItem.objects.values_list("kind", "resolved_by")) == [("machine_offline", "system")]
