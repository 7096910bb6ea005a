"""/healthz, /readyz and the signs of life they read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from pimpshop.core import heartbeat, tasks
from pimpshop.core.models import Heartbeat
from tests.support import processes


def everybody_lives() -> None:
    for name in heartbeat.EXPECTED:
        heartbeat.beat(name)


@pytest.mark.django_db
def test_a_beat_is_one_row_that_moves_on() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        heartbeat.beat("sweeper")
        clock.shift(timedelta(seconds=12))
        assert heartbeat.ages() == {"sweeper": 12.0, "worker": None, "beat": None}
        heartbeat.beat("sweeper")
        assert heartbeat.ages()["sweeper"] == 0.0
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_beats_task_proves_beat_and_worker() -> None:
    tasks.beat_heartbeat()
    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"beat", "worker"}


@pytest.mark.parametrize(
    ("name", "age", "degraded"),
    [
        ("sweeper", None, True), ("sweeper", 30, False), ("sweeper", 30.1, True),
        ("worker", 90, False), ("worker", 91, True), ("beat", 90, False), ("beat", 91, True),
    ],
)  # fmt: skip
def test_when_a_process_counts_as_gone(name: str, age: float | None, degraded: bool) -> None:
    assert heartbeat.is_degraded(name, age) is degraded


def test_healthz_asks_nobody(client: Client) -> None:
    answer = client.get("/healthz")  # no django_db mark: a query would fail
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_ready_when_all_parts_live(client: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        everybody_lives()
        answer = client.get("/readyz")
    alive = {"status": "ok", "age_seconds": 0.0}
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "ok",
            "parts": {
                "database": {"status": "ok"}, "cache": {"status": "ok"}, "worker": alive, "beat": alive, "sweeper": alive,
            },
        },
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("gone", "seconds"), [("worker", 91), ("beat", 91), ("sweeper", 31)])
def test_a_process_that_went_quiet_is_degraded_but_ready(client: Client, gone: str, seconds: int) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        heartbeat.beat(gone)
        clock.shift(timedelta(seconds=seconds))
        for name in set(heartbeat.EXPECTED) - {gone}:
            heartbeat.beat(name)
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    parts = answer.json()["parts"]
    assert parts[gone] == {"status": "degraded", "age_seconds": float(seconds)}
    assert {name for name, part in parts.items() if part["status"] != "ok"} == {gone}


@pytest.mark.django_db
def test_never_seen_is_degraded_without_an_age(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"]["worker"] == {"status": "degraded", "age_seconds": None}


@pytest.mark.django_db
def test_a_dead_cache_is_degraded_but_ready(client: Client, settings: Any) -> None:
    everybody_lives()
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    answer = client.get("/readyz")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["cache"] == {"status": "degraded"}


_ASK = """
import django, json, time
django.setup()
from django.test import Client
client = Client()
client.get("/readyz")  # the first request also loads all addresses
began = time.monotonic()
answer = client.get("/readyz")
print(json.dumps([answer.status_code, answer.json(), time.monotonic() - began, client.get("/healthz").status_code]))
"""


@pytest.mark.fault
def test_without_the_database_it_is_503_and_the_process_still_lives() -> None:
    dead = processes.python("-c", _ASK, DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    status, body, seconds, health = json.loads(dead.stdout)
    assert (status, body["status"], body["parts"]["database"]) == (503, "down", {"status": "down"})
    assert health == 200
    assert seconds < 8  # a load balancer does not wait ten, as the pool would
