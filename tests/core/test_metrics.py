"""/metrics: who may read it, what it tells of requests, and that a broken part silences no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import RedisError

from pimpshop.core import cache, heartbeat, metrics, staff_items, traffic
from pimpshop.core.models import Heartbeat

TOKEN = "a-token-for-tests"
AUTH = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def _forget() -> Any:
    traffic.forget()
    yield
    traffic.forget()


@pytest.fixture
def figures(db: None, settings: Any, client: Client) -> Any:
    """A function that reads /metrics: {(sample, values of its labels by name): value}."""
    settings.METRICS_TOKEN = TOKEN

    def read() -> dict[tuple[str, ...], float]:
        answer = client.get("/metrics", **AUTH)
        assert (answer.status_code, answer["Content-Type"]) == (200, metrics.CONTENT_TYPE)
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def test_without_a_token_there_is_nothing(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", **AUTH).status_code == 404
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer ").status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer 拒"]
)
def test_only_the_token_opens_it(client: Client, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert b"shop_" not in answer.content
    assert client.post("/metrics", **AUTH).status_code == 405


def test_requests_count_by_seed_and_class(figures: Any, client: Client) -> None:
    client.get("/api/vending/session/nonsense/status")
    client.get("/api/v1/payments/pay_00000000-0000-4000-8000-000000000000")
    client.get("/api/v1/webhook-endpoints")
    client.get("/no/such/page")
    client.get("/healthz")
    told = figures()
    responses = {key[1:]: value for key, value in told.items() if key[0] == "shop_http_responses_total"}
    assert sum(responses.values()) == 4
    assert responses["4xx", "page"] == 1
    assert responses["4xx", "5"] == 2
    assert told["shop_http_seconds_count", "page"] == 1
    assert told["shop_http_seconds_bucket", "+Inf", "5"] == 2


def test_the_histogram_is_exact(figures: Any) -> None:
    for seconds in (0.01, 0.011, 0.3, 99.0):
        traffic.note("3", 200, seconds)
    traffic.note("3", 503, 0.0)
    told = figures()
    buckets = {
        key[1]: value for key, value in told.items() if (key[0], key[-1]) == ("shop_http_seconds_bucket", "3")
    }
    assert buckets == {
        "0.01": 2, "0.025": 3, "0.05": 3, "0.1": 3, "0.25": 3, "0.5": 4, "1.0": 4, "2.5": 4, "5.0": 4, "10.0": 4,
        "+Inf": 5,
    }  # fmt: skip
    assert told["shop_http_seconds_sum", "3"] == pytest.approx(99.321)
    assert told["shop_http_responses_total", "2xx", "3"] == 4
    assert told["shop_http_responses_total", "5xx", "3"] == 1


def test_processes_add_up_in_the_cache(figures: Any) -> None:
    cache.add_up(traffic.KEY, {"c|1|2xx": 5, "b|1|0": 5, "s|1": 1_000_000})  # another process
    traffic.note("1", 200, 0.001)
    told = figures()
    assert told["shop_http_responses_total", "2xx", "1"] == 6
    assert told["shop_http_seconds_count", "1"] == 6


@pytest.mark.fault
def test_a_dead_cache_loses_no_count_and_is_not_asked_each_time(figures: Any, monkeypatch: Any) -> None:
    asked = []

    def dead(*args: Any) -> None:
        asked.append(args)
        raise RedisError

    with monkeypatch.context() as patch:
        patch.setattr(cache, "add_up", dead)
        for _ in range(5):
            traffic.note("2", 200, 0.001)
    assert len(asked) == 1
    assert figures()["shop_http_responses_total", "2xx", "2"] == 5


@pytest.mark.fault
def test_a_part_that_fails_silences_no_other(figures: Any, monkeypatch: Any) -> None:
    def broken() -> Any:
        raise DatabaseError

    monkeypatch.setitem(metrics._collectors, "refunds", broken)
    told = figures()
    assert told["shop_figures_ok", "refunds"] == 0
    assert told["shop_figures_ok", "payments"] == told["shop_figures_ok", "http"] == 1
    assert ("shop_process_up", "worker") in told


def test_processes_and_what_waits_for_a_person(figures: Any) -> None:
    heartbeat.beat("worker")
    Heartbeat.objects.create(name="sweeper", at=timezone.now() - timedelta(seconds=100))
    for subject in ("a", "b"):
        staff_items.open_item(kind="surplus", subject=subject, title="Somebody paid twice")
    told = figures()
    assert told["shop_process_up", "worker"] == 1
    assert told["shop_process_up", "sweeper"] == told["shop_process_up", "beat"] == 0
    assert told["shop_heartbeat_age_seconds", "sweeper"] == pytest.approx(100, abs=60)
    assert ("shop_heartbeat_age_seconds", "beat") not in told
    assert told["shop_staff_items_open", "surplus"] == 2


def test_without_a_token_nothing_is_counted(client: Client, settings: Any, db: None) -> None:
    settings.METRICS_TOKEN = ""
    client.get("/no/such/page")
    assert not traffic._held
    assert cache.sums(traffic.KEY) == {}
