"""Numbers that people and providers see."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from pimpshop.core import ids
from pimpshop.core.models import DailySequence
from tests.support import threads


# --- third_id ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["PYEN", "OREN"])
def test_a_third_id_has_the_manufacturers_format(prefix: str) -> None:
    with time_machine.travel(datetime(2025, 8, 30, 12, tzinfo=UTC), tick=False):
        number = ids.next_third_id(prefix)
    assert re.fullmatch(prefix + r"250830\d{6}", number)
    assert ids.THIRD_ID.match(number)


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["MSPY", "pyen", "", "PYEN "])
def test_other_prefixes_are_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="PYEN or OREN"):
        ids.next_third_id(prefix)
    assert DailySequence.objects.count() == 0


@pytest.mark.django_db
def test_the_day_counts_on_from_a_random_start_and_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(ids.secrets, "randbelow", lambda limit: asked.append(limit) or 999_998)
    with time_machine.travel(datetime(2025, 8, 30, 12, tzinfo=UTC), tick=False):
        numbers = [ids.next_third_id("PYEN") for _ in range(3)]
        assert ids.next_third_id("OREN") == "OREN250830999999"  # a counter of its own
    assert numbers == ["PYEN250830999999", "PYEN250830000000", "PYEN250830000001"]
    assert set(asked) == {1_000_000}


@pytest.mark.django_db
def test_two_databases_rarely_start_at_the_same_point() -> None:
    starts = set()
    for day in range(1, 29):
        with time_machine.travel(datetime(2025, 8, day, 12, tzinfo=UTC), tick=False):
            starts.add(ids.next_third_id("PYEN")[-6:])
    assert len(starts) > 20


@pytest.mark.django_db
def test_a_million_numbers_a_day_are_all_there_are() -> None:
    with time_machine.travel(datetime(2025, 8, 30, 12, tzinfo=UTC), tick=False):
        DailySequence.objects.create(name="PYEN", day=date(2025, 8, 30), start=7, value=999_999)
        assert ids.next_third_id("PYEN") == "PYEN250830000007"  # the last one, the start itself
        with pytest.raises(ids.SequenceExhausted):
            ids.next_third_id("PYEN")
        with pytest.raises(ids.SequenceExhausted):
            ids.next_third_id("PYEN")
    with time_machine.travel(datetime(2025, 8, 31, 0, 0, 1, tzinfo=UTC), tick=False):
        assert ids.next_third_id("PYEN").startswith("PYEN250831")


@pytest.mark.tz
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), "251231"),
        (datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC), "260101"),
        (datetime(2026, 1, 1, 15, 59, tzinfo=UTC), "260101"),  # already the 2nd in Shanghai a minute later
        (datetime(2026, 1, 1, 16, 1, tzinfo=UTC), "260101"),
        (datetime(2026, 3, 1, 7, 30, tzinfo=UTC), "260301"),  # still February in Los Angeles
    ],
)
@pytest.mark.parametrize("active", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
def test_the_day_is_utcs_wherever_the_process_runs(moment: datetime, day: str, active: str) -> None:
    with timezone.override(active), time_machine.travel(moment, tick=False):
        assert ids.next_third_id("PYEN")[4:10] == day
        assert ids.new_order_no()[1:9] == f"20{day}"
        assert ids.new_session_id("M1").split("_")[1] == f"20{day}"
    assert DailySequence.objects.get().day == moment.date()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_get_different_numbers() -> None:
    with time_machine.travel(datetime(2025, 8, 30, 12, tzinfo=UTC), tick=False):  # one day for all
        numbers = threads.together(20, lambda _: [ids.next_third_id("PYEN") for _ in range(10)])
    taken = [number for some in numbers for number in some]
    assert len(set(taken)) == 200
    assert DailySequence.objects.get(name="PYEN").value == 200


@pytest.mark.django_db
def test_taking_a_number_is_one_statement(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1, connection=connection):  # type: ignore[operator]
        ids.next_third_id("OREN")


# --- Order numbers and attempts ---------------------------------------------------------------------------------------
def test_an_order_number_is_seed_4s() -> None:
    moment = datetime(2025, 8, 30, 7, 53, 29, tzinfo=UTC)
    assert re.fullmatch(r"P20250830075329[0-9a-f]{8}", ids.new_order_no(moment))
    assert ids.new_order_no(moment) != ids.new_order_no(moment)


@pytest.mark.tz
def test_an_order_number_is_written_in_utc() -> None:
    shanghai = timezone.get_fixed_timezone(480)
    assert ids.new_order_no(datetime(2026, 1, 1, 7, 0, tzinfo=shanghai)).startswith("P20251231230000")


def test_attempts_have_numbers_of_their_own() -> None:
    assert [ids.out_trade_no("P1", attempt) for attempt in (1, 2, 13)] == ["P1", "P1_2", "P1_13"]
    assert len(ids.out_trade_no(ids.new_order_no(), 99)) <= 32  # WeChat's limit
    for attempt in (0, -1):
        with pytest.raises(ValueError, match="from 1"):
            ids.out_trade_no("P1", attempt)


# --- Session ids ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "machine", ["CXYLOGD8OQUK", "VM_TEST_MANUFACTURER", "M_20250101_000000_ABCDEF01", "9"]
)
def test_a_session_id_can_be_taken_apart_again(machine: str) -> None:
    made = ids.new_session_id(machine, datetime(2025, 8, 30, 7, 53, 29, tzinfo=UTC))
    match = ids.SESSION_ID.match(made)
    assert match is not None
    assert match.groupdict() == {"machine": machine, "day": "20250830", "time": "075329"}
    assert len(made) <= 90


@pytest.mark.parametrize(
    "wrong",
    [
        "CXYLOGD8OQUK_20250830_075329_A2440143?lang=en",
        "CXYLOGD8OQUK_20250830_075329_A2440143&machine_id=X",
        "CXYLOGD8OQUK_20250830_075329_a2440143",
        "CXYLOGD8OQUK-20250830-075329-A2440143",
        "CXYLOGD8OQUK_2025083_075329_A2440143",
        "CXYLOGD8OQUK_20250830_075329_A244014",
        "CXYLOGD8OQUK_20250830_075329_A24401433",
        "CXYLOGD8OQUK_20250830_075329_A2440143\n",
        "_20250830_075329_A2440143",
        "CXYL OGD_20250830_075329_A2440143",
        "CXYLOGD8OQUK_٢٠٢٥٠٨٣٠_075329_A2440143",
        "A" * 61 + "_20250830_075329_A2440143",
        "",
    ],
)
def test_what_partners_get_wrong_is_no_session_id(wrong: str) -> None:
    assert ids.SESSION_ID.match(wrong) is None


@pytest.mark.parametrize(
    "wrong",
    [
        "PYEN25083054057",
        "PYEN2508305405731",
        "pyen250830540573",
        "PYEN250830540573\n",
        "MSPY250830540573",
        "PYEN25083054057٣",
        "",
    ],
)
def test_what_is_no_third_id(wrong: str) -> None:
    assert ids.THIRD_ID.match(wrong) is None


# --- Tokens and links -------------------------------------------------------------------------------------------------
def test_tokens_are_long_and_stored_as_hashes() -> None:
    token = ids.new_token()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token != ids.new_token()
    assert ids.hash_token("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_link_key_is_bound_to_purpose_and_subject() -> None:
    key = ids.link_key("order", "P1")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", key)
    assert ids.link_key_matches("order", "P1", key) is True
    for purpose, subject, given in [
        ("order", "P2", key), ("refund", "P1", key), ("order", "P1", key[:-1]), ("order", "P1", key + "A"),
        ("order", "P1", ""), ("order", "P1", "ключ"), ("order", "P1", None),
    ]:  # fmt: skip
        assert ids.link_key_matches(purpose, subject, given) is False  # type: ignore[arg-type]


def test_a_link_key_needs_our_secret(settings: object) -> None:
    key = ids.link_key("order", "P1")
    settings.SECRET_KEY = "another-" * 8  # type: ignore[attr-defined]
    assert ids.link_key_matches("order", "P1", key) is False


def test_a_fingerprint_does_not_confuse_where_parts_end() -> None:
    assert ids.keyed_fingerprint(b"ab", b"c") != ids.keyed_fingerprint(b"a", b"bc")
    assert ids.keyed_fingerprint(b"a") != ids.keyed_fingerprint(b"a", b"")
    assert ids.keyed_fingerprint(b"a") == ids.keyed_fingerprint(b"a")
