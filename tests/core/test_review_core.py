"""What a careful stranger found in the kernel: each a small hole that is closed now."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
from django.test import Client

from pimpshop.core import checks, throttles, tokens
from vending import manufacturer

HUGE = [b'{"third_id":"PYEN250830540573","status":1e300000000}', b'[{"third_id":"X","status":1e-300000000}]']


@pytest.mark.parametrize("body", HUGE)
def test_a_number_that_would_fill_the_memory_is_no_message(body: bytes) -> None:
    with pytest.raises(manufacturer.BadMessage):
        manufacturer.posts.payment_posts(body)
    with pytest.raises(manufacturer.BadMessage):
        manufacturer.posts.order_posts(body)


def test_a_huge_number_in_an_answer_is_not_written_out() -> None:
    assert manufacturer.messages.text(Decimal("1e300000000")) == "1E+300000000"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/chinese/order/payStatus", "/api/chinese/order-status-update"])
def test_half_a_surrogate_pair_is_harmless(client: Client, path: str) -> None:
    body = b'{"third_id":"PYEN250830540573\\ud800","order_id":"x\\ud800","status":"3\\ud800"}'
    answer = client.post(path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (200, 200)


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://shop.example.com", True),
        ("https://1.1.1.1", True),
        ("http://127.0.0.1:8000", False),
        ("http://localhost:8000", False),
        ("http://192.168.1.20:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_the_sandbox_never_runs_under_a_public_name(settings, url: str, refused: bool) -> None:
    settings.SANDBOX, settings.DEBUG, settings.PUBLIC_BASE_URL = True, False, url
    assert [found.id for found in checks.check_sandbox(None)] == (["shop.E005"] if refused else [])


def test_a_household_counts_as_one_ipv6_caller() -> None:
    limit = throttles.Limit("review", 2, 60)
    assert throttles.hit(limit, "2001:db8:1:2::1", now=60.0) == 0
    assert throttles.hit(limit, "2001:db8:1:2:ffff::9", now=60.0) == 0
    assert throttles.hit(limit, "2001:db8:1:2::3", now=60.0) == 60
    assert throttles.hit(limit, "2001:db8:1:3::3", now=60.0) == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_nobody_queues_behind_a_log_in_that_hangs(monkeypatch) -> None:
    from django.db import connection

    monkeypatch.setattr(tokens, "WAIT_SECONDS", 0.2)
    store = tokens.SharedTokenStore("manufacturer")
    begun, go_on = threading.Event(), threading.Event()

    def hanging() -> str:
        begun.set()
        go_on.wait(60)
        return "token-1"

    def first() -> None:
        store.single_flight(hanging, None)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(30)
        with pytest.raises(TimeoutError):
            store.single_flight(lambda: "token-2", None)
    finally:
        go_on.set()
        thread.join()
    assert store.get() == "token-1"
