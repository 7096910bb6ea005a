"""Idempotency keys: one claim, one answer, replayed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from pimpshop.core import idempotency
from pimpshop.core.idempotency import BadKey, Claim, KeyReused, Replay, StillRunning
from pimpshop.core.models import IdempotencyRecord
from tests.support import threads

pytestmark = pytest.mark.django_db
BODY = idempotency.fingerprint("POST /api/v1/payments", {"amount": "19.99"})
OTHER = idempotency.fingerprint("POST /api/v1/payments", {"amount": "29.99"})


def begin(fingerprint: str = BODY, *, owner: str = "key:1", key: str = "k-1") -> Claim | Replay:
    return idempotency.begin(owner=owner, key=key, fingerprint=fingerprint)


def claim(**more: Any) -> Claim:
    got = begin(**more)
    assert isinstance(got, Claim)
    return got


def test_a_new_key_is_claimed() -> None:
    before = timezone.now()
    got = claim()
    row = IdempotencyRecord.objects.get()
    assert (row.owner, row.key, row.fingerprint, row.lease_until) == ("key:1", "k-1", BODY, got.lease_until)
    assert (row.response_status, row.response_body) == (None, None)
    assert before + idempotency.LEASE <= got.lease_until <= timezone.now() + idempotency.LEASE


def test_a_finished_answer_is_replayed() -> None:
    assert idempotency.finish(claim(), status=201, body={"id": "pay_1", "名": ["x"]}) is True
    assert begin() == Replay(201, {"id": "pay_1", "名": ["x"]})
    assert begin() == Replay(201, {"id": "pay_1", "名": ["x"]})
    assert IdempotencyRecord.objects.get().lease_until is None


def test_a_falsy_answer_is_an_answer() -> None:
    idempotency.finish(claim(), status=204, body=None)
    assert begin() == Replay(204, None)


def test_another_body_under_the_same_key_is_refused() -> None:
    got = claim()
    with pytest.raises(KeyReused) as refused:
        begin(OTHER)
    assert (refused.value.status, refused.value.code) == (409, "IDEMPOTENCY_KEY_REUSED")
    idempotency.finish(got, status=200, body={})
    with pytest.raises(KeyReused):
        begin(OTHER)
    assert begin() == Replay(200, {})


def test_while_the_first_is_running_the_second_is_told_to_come_back() -> None:
    claim()
    with pytest.raises(StillRunning) as refused:
        begin()
    assert (refused.value.status, refused.value.retry_after) == (409, 2)


def test_owners_do_not_see_each_others_keys() -> None:
    idempotency.finish(claim(owner="key:1"), status=200, body={"secret": 1})
    assert isinstance(begin(owner="key:2"), Claim)
    assert IdempotencyRecord.objects.count() == 2


def test_a_lapsed_lease_is_claimed_again_but_only_for_the_same_body() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = claim()
        clock.shift(idempotency.LEASE)
        with pytest.raises(StillRunning):
            begin()
        clock.shift(timedelta(seconds=1))
        with pytest.raises(KeyReused):
            begin(OTHER)
        second = claim()
    assert second.lease_until > first.lease_until
    assert IdempotencyRecord.objects.count() == 1


def test_who_lost_the_claim_neither_answers_nor_gives_the_key_away() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        first = claim()
        clock.shift(idempotency.LEASE + timedelta(seconds=1))
        second = claim()
        assert idempotency.release(first) is False
        assert idempotency.finish(first, status=200, body={"by": "first"}) is False
        assert idempotency.finish(second, status=200, body={"by": "second"}) is True
        assert idempotency.finish(second, status=500, body={"by": "second again"}) is False
        assert begin() == Replay(200, {"by": "second"})


def test_a_released_key_is_free_for_any_body() -> None:
    assert idempotency.release(claim()) is True
    assert IdempotencyRecord.objects.count() == 0
    assert isinstance(begin(OTHER), Claim)


def test_a_finished_key_is_not_released() -> None:
    got = claim()
    idempotency.finish(got, status=200, body={})
    assert idempotency.release(got) is False
    assert begin() == Replay(200, {})


def test_after_three_days_a_key_is_new() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        idempotency.finish(claim(), status=200, body={"old": True})
        clock.shift(idempotency.KEEP)
        assert begin() == Replay(200, {"old": True})
        clock.shift(timedelta(seconds=1))
        assert isinstance(begin(OTHER), Claim)
        row = IdempotencyRecord.objects.get()
        assert (row.fingerprint, row.response_status, row.response_body) == (OTHER, None, None)


def test_old_answers_are_forgotten_and_young_ones_kept() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        claim(key="old")
        clock.shift(idempotency.KEEP - timedelta(seconds=1))
        claim(key="young")
        assert idempotency.forget_old() == 0
        clock.shift(timedelta(seconds=2))
        assert idempotency.forget_old() == 1
    assert [row.key for row in IdempotencyRecord.objects.all()] == ["young"]


@pytest.mark.parametrize("key", ["", "a" * 256, "a\x00b", "a\nb", "\u200f"])
def test_a_bad_key_is_refused_and_stores_nothing(key: str) -> None:
    with pytest.raises(BadKey) as refused:
        begin(key=key)
    assert refused.value.status == 400
    assert IdempotencyRecord.objects.count() == 0


@pytest.mark.parametrize("owner", ["", "o" * 121])
def test_nobody_has_no_keys(owner: str) -> None:
    with pytest.raises(BadKey):
        begin(owner=owner)
    assert IdempotencyRecord.objects.count() == 0


def test_the_longest_key_is_taken() -> None:
    assert isinstance(begin(key="键" * 255, owner="o" * 120), Claim)


def test_the_fingerprint_sees_route_and_content_but_not_the_order_of_keys() -> None:
    one = idempotency.fingerprint("POST /a", {"x": 1, "y": [1, 2]})
    assert one == idempotency.fingerprint("POST /a", {"y": [1, 2], "x": 1})
    assert one != idempotency.fingerprint("POST /b", {"x": 1, "y": [1, 2]})
    assert one != idempotency.fingerprint("POST /a", {"x": 1, "y": [2, 1]})
    assert one != idempotency.fingerprint("POST /a", {"x": "1", "y": [1, 2]})


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_with_one_key_are_one_claim() -> None:
    def ask(_: int) -> str:
        try:
            return type(begin()).__name__
        except StillRunning:
            return "StillRunning"

    assert sorted(threads.together(20, ask)) == ["Claim", *["StillRunning"] * 19]
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_take_over_a_lapsed_lease_once() -> None:
    claim()
    IdempotencyRecord.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    def ask(_: int) -> str:
        try:
            return type(begin()).__name__
        except StillRunning:
            return "StillRunning"

    assert sorted(threads.together(20, ask)) == ["Claim", *["StillRunning"] * 19]
