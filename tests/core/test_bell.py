"""The bell: enqueued after the commit, never raises, and the sweeper hears when the broker is dead."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
import structlog
from celery import Celery, Task
from django.conf import settings
from django.db import connection, transaction

from pimpshop.core import bell

pytestmark = pytest.mark.django_db(transaction=True)
QUEUE = "test-bell"


def task_on(broker: str) -> Task:
    app = Celery("bell", broker=broker, set_as_current=False)
    app.conf.update(
        # A busy machine may take longer than the shop would wait; a refused connection fails at once all the same.
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS
        | {"socket_timeout": 30, "socket_connect_timeout": 30},
        task_default_queue=QUEUE,
        task_ignore_result=True,
    )

    @app.task(name="test.work")
    def work(*args: Any) -> None: ...

    return work


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(QUEUE, "unacked")
    yield client
    client.delete(QUEUE, f"_kombu.binding.{QUEUE}")
    client.close()


@pytest.fixture
def ears() -> Iterator[psycopg.Connection[Any]]:
    params = connection.get_connection_params()
    listening = psycopg.connect(
        **{k: v for k, v in params.items() if k in ("dbname", "user", "password", "host", "port")},
        autocommit=True,
    )
    listening.execute(f"LISTEN {bell.CHANNEL}")
    yield listening
    listening.close()


@pytest.fixture(autouse=True)
def _rested_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_broker_rests_until", 0.0)


def heard(ears: psycopg.Connection[Any], count: int = 0) -> int:
    """How often it rang: waits for `count` as long as it takes, and a moment more for what should not have come."""
    first = list(ears.notifies(timeout=30, stop_after=count)) if count else []
    return len(first) + len(list(ears.notifies(timeout=0.3)))


def test_outside_a_transaction_it_is_enqueued_at_once(queue: redis.Redis) -> None:
    bell.ring(task_on(settings.CELERY_BROKER_URL), 7)
    assert queue.llen(QUEUE) == 1


def test_in_a_transaction_it_waits_for_the_commit(queue: redis.Redis) -> None:
    work = task_on(settings.CELERY_BROKER_URL)
    with transaction.atomic():
        bell.ring(work, 7)
        assert queue.llen(QUEUE) == 0
    assert queue.llen(QUEUE) == 1


def test_a_rollback_enqueues_nothing(queue: redis.Redis, ears: psycopg.Connection[Any]) -> None:
    with transaction.atomic():
        bell.ring(task_on(settings.CELERY_BROKER_URL), 7)
        transaction.set_rollback(True)
    assert queue.llen(QUEUE) == 0
    assert heard(ears) == 0


def test_a_dead_broker_is_not_waited_for_and_the_sweeper_is_woken(
    ears: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = task_on("redis://127.0.0.1:1/0")
    tries: list[Any] = []
    real = work.apply_async
    monkeypatch.setattr(work, "apply_async", lambda **more: tries.append(more) or real(**more))
    began = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        with transaction.atomic():
            bell.ring(work, 7)
            assert heard(ears) == 0
        assert heard(ears, 1) == 1
        monkeypatch.setattr(
            bell, "_broker_rests_until", float("inf")
        )  # it rests, however slow this machine is
        for _ in range(10):  # these do not even try
            bell.ring(work, 7)
    assert (heard(ears, 10), len(tries)) == (10, 1)
    assert time.monotonic() - began < 30
    assert [(line["event"], line["task"]) for line in lines] == [("broker_down", "test.work")]


def test_after_its_rest_the_broker_is_tried_again(
    queue: redis.Redis, ears: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bell.ring(task_on("redis://127.0.0.1:1/0"), 7)
    assert bell._broker_rests_until > time.monotonic()
    monkeypatch.setattr(bell, "_broker_rests_until", float("inf"))
    alive = task_on(settings.CELERY_BROKER_URL)
    bell.ring(alive, 7)
    assert queue.llen(QUEUE) == 0
    monkeypatch.setattr(bell, "_broker_rests_until", time.monotonic() - 1)
    bell.ring(alive, 7)
    assert queue.llen(QUEUE) == 1
    assert heard(ears, 2) == 2


def test_one_bell_that_breaks_does_not_silence_the_next(ears: psycopg.Connection[Any]) -> None:
    class Broken:
        name = "broken"

        def apply_async(self, **_: Any) -> None:
            raise RuntimeError("a mistake in the task's routing")

    with transaction.atomic():
        bell.ring(Broken())  # type: ignore[arg-type]
        transaction.on_commit(bell.wake_sweeper)
    assert heard(ears, 1) >= 1
