"""Posts that are forged, foreign or a flood: nothing moves, nothing is printed, the manufacturer is not pestered.

GUARANTEES 6. payStatus is unsigned, so a known number leaves one row per word; everything else leaves none.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Order
from payments.gateways import base
from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
from payments.services import settlement, sync
from pimpshop.core.models import StaffItem
from tests.support.counters import counted
from tests.support.shop import Paying, Shop, later, sweep
from tests.support.threads import together
from vending.models import PrintJob

PATH = "/api/chinese/order/payStatus"


def post(body: Any, path: str = PATH, **headers: Any) -> int:
    data = body if isinstance(body, str) else json.dumps(body)
    return Client().post(path, data, content_type="application/json", **headers).status_code


def sign(body: str, values: str, key: str = "TESTFIXEDKEY") -> str:
    """The manufacturer's signature over the concatenated values."""
    return hashlib.md5(f"{values}mobileShell{key}".encode()).hexdigest()


def assert_nothing_moved(shop: Shop, one: Paying) -> None:
    one.refresh()
    assert (one.intent.status, one.order.status, one.session.status) == (
        "requires_action",
        "pending",
        "payment_pending",
    )
    assert PrintJob.objects.count() == 0
    assert shop.manufacturer.orders == {}


def test_an_unknown_number_leaves_no_row(shop: Shop) -> None:
    one = shop.paying()
    for third_id in ("PYEN251120999999", one.order.order_no, "OREN251120000001", "x" * 500, "' OR 1=1 --"):
        assert post({"third_id": third_id, "status": 3}) == 200
    sweep()
    assert WebhookEvent.objects.count() == 0
    assert counted("webhook_unknown_id") == 5
    assert_nothing_moved(shop, one)


def test_the_secret_path(shop: Shop, settings: Any) -> None:
    one = shop.paying()
    body = {"third_id": one.third_id, "status": 3}
    assert post(body, f"{PATH}/anything") == 403  # no secret is set: the extra address is closed
    settings.MANUFACTURER_WEBHOOK_SECRET_PATH = "correct-secret"
    assert post(body, f"{PATH}/wrong-secret") == 403
    assert post(body, f"{PATH}/correct-secret%00") == 403
    assert WebhookEvent.objects.count() == 0
    assert post(body, f"{PATH}/correct-secret") == 200
    assert WebhookEvent.objects.count() == 1


def test_the_address_list(shop: Shop, settings: Any) -> None:
    one = shop.paying()
    body = {"third_id": one.third_id, "status": 3}
    settings.MANUFACTURER_WEBHOOK_ALLOWED_IPS = ["203.0.113.0/24"]
    assert post(body, REMOTE_ADDR="198.51.100.7") == 403
    assert (
        post(body, REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_FOR="203.0.113.9") == 403
    )  # nobody trusts that
    assert WebhookEvent.objects.count() == 0
    assert post(body, REMOTE_ADDR="203.0.113.9") == 200
    assert WebhookEvent.objects.count() == 1


def test_signed_mode(shop: Shop, settings: Any) -> None:
    one = shop.paying()
    settings.MANUFACTURER_WEBHOOK_SIGNED = True
    body = json.dumps({"third_id": one.third_id, "status": 3})
    right = sign(body, f"3{one.third_id}")
    other = sign(body, "3PYEN251120000001")
    for wrong in ("", "0" * 32, other, sign(body, f"3{one.third_id}", key=""), right.upper() + "x"):
        assert post(body, HTTP_SIGN=wrong) == 401, wrong
    assert post(body) == 401
    assert WebhookEvent.objects.count() == 0
    settings.MANUFACTURER_SIGN_KEY = ""
    assert post(body, HTTP_SIGN=sign(body, f"3{one.third_id}", key="")) == 401  # an empty key opens nothing
    settings.MANUFACTURER_SIGN_KEY = "TESTFIXEDKEY"
    assert post(body, HTTP_SIGN=right) == 200
    assert WebhookEvent.objects.count() == 1
    sweep()
    assert_nothing_moved(shop, one)


SUCCESS = base.PaymentResult(
    status=base.PaymentStatus.SUCCEEDED, provider_status="3", account="pimpshop", live=False
)


@pytest.mark.parametrize(
    "foreign",
    [
        {"account": "somebody-else"},
        {"live": True},
        {"out_trade_no": "PYEN251120000001"},
        {"amount": "another"},
    ],
    ids=lambda foreign: next(iter(foreign)),
)
def test_a_result_that_is_about_something_else_moves_nothing(shop: Shop, foreign: dict[str, Any]) -> None:
    from pimpshop.core.money import Money

    one = shop.paying()
    if "amount" in foreign:
        foreign = {"amount": Money(1998, "GBP")}
    applied = together(
        4, lambda n: settlement.apply_result(one.intent, replace(SUCCESS, **foreign), source="poll")
    )
    assert applied == ["refused"] * 4
    sweep()
    assert_nothing_moved(shop, one)
    [item] = StaffItem.objects.filter(resolved_at=None)
    assert (item.kind, item.subject) == ("payment_mismatch", one.third_id)
    assert PaymentEvent.objects.filter(reason__startswith="refused").count() == 1


def test_the_same_currency_is_not_enough(shop: Shop) -> None:
    from pimpshop.core.money import Money

    one = shop.paying()
    wrong = replace(SUCCESS, amount=Money(1999, "EUR"))
    assert settlement.apply_result(one.intent, wrong, source="poll") == "refused"
    assert_nothing_moved(shop, one)


def test_a_test_payment_does_not_count_after_going_live(shop: Shop, settings: Any) -> None:
    """It was made against the simulator; the real account's answer about that number is no answer about it."""
    one = shop.taken()
    settings.SANDBOX = False
    assert sync.check_now(intent=one.intent, source="poll").applied == "refused"
    assert_nothing_moved(shop, one)


def test_a_post_with_another_amount_prints_nothing_and_is_counted(shop: Shop) -> None:
    one = shop.paying()
    PaymentIntent.objects.update(last_query_at=None)
    assert post([{"third_id": one.third_id, "status": 3, "pay_amount": 0.01, "pay_type": 5}]) == 200
    sweep()
    assert_nothing_moved(shop, one)
    assert StaffItem.objects.count() == 0  # anybody can post it
    assert counted("webhook_amount") == 1


def test_a_flood_of_forged_posts_prints_nothing_and_asks_rarely(shop: Shop) -> None:
    """200 posts in 8 threads, workers and sweepers at it all the time: one row, one question per three seconds."""
    one = shop.paying()
    PaymentIntent.objects.update(last_query_at=None)

    def flood(n: int) -> set[int]:
        codes = set()
        for number in range(25):
            codes.add(post({"third_id": one.third_id, "status": 3}))
            if number % 8 == 0:
                sweep()
        return codes

    start = timezone.now()
    assert together(8, flood) == [{200}] * 8
    seconds = (timezone.now() - start).total_seconds()
    row = WebhookEvent.objects.get()
    assert (row.event_id, row.payload) == (
        f"{one.third_id}:payment_status:3", {"third_id": one.third_id, "status": "3"},
    )  # fmt: skip
    assert 1 <= shop.manufacturer.asked() <= seconds // 3 + 1
    assert PaymentEvent.objects.filter(intent=one.intent).count() == 2  # created, and asked of the machine
    assert_nothing_moved(shop, one)
    for seconds in (10, 20, 50, 120, 240, 400):
        with later(seconds=seconds):
            sweep()
    assert WebhookEvent.objects.get().status == "processed"
    assert_nothing_moved(shop, one)


def test_made_up_words_leave_one_row(shop: Shop) -> None:
    one = shop.paying()
    for word in ("hacked", "3.0", "33", "PAID", "成功", "9" * 300, -3, 0):
        assert post({"third_id": one.third_id, "status": word}) in (200, 400)
    for word in (1, 2, 3, 4, 5):
        assert post({"third_id": one.third_id, "status": word}) == 200
    assert set(WebhookEvent.objects.values_list("event_id", flat=True)) == {
        f"{one.third_id}:payment_status:{word}" for word in ("1", "2", "3", "4", "5", "unknown")
    }
    sweep()
    assert_nothing_moved(shop, one)


def test_order_status_posts_move_nothing_by_themselves(shop: Shop) -> None:
    """The manufacturer's other door: a forged "printed" or "dispensed" is only a reason to look."""
    one = shop.paid()
    sweep()
    job = one.job()
    asked = len(shop.manufacturer.bodies("order/getOrderStatus"))
    for status in (12, 16, 13, 2, 7):
        for number in (job.third_order_id, job.manufacturer_order_id, one.order.order_no):
            body = json.dumps({"order_id": number, "status": status, "queue_no": "666"})
            answer = Client().post("/api/chinese/order-status-update", body, content_type="application/json")
            assert answer.status_code == 200
    sweep()
    job.refresh_from_db()
    assert (job.status, job.queue_no) == ("accepted", shop.manufacturer.queue[job.third_order_id])
    assert len(shop.manufacturer.bodies("order/getOrderStatus")) - asked <= 1
    assert Order.objects.get().status == "paid"
    assert StaffItem.objects.count() == 0
