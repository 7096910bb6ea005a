"""Shares above a threshold are an item once; it closes at half the threshold, and nothing flaps in between."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from pimpshop.core import api_errors, thresholds, traffic
from pimpshop.core.models import StaffItem

pytestmark = pytest.mark.django_db


def judge(*readings: tuple[str, int, int], percent: int = 10, least: int = 5) -> int:
    return thresholds.judge(
        kind="payments_failing", readings=[thresholds.Reading(*reading) for reading in readings],
        percent=percent, least=least, title="{percent} of {subject} failed",
    )  # fmt: skip


def opened() -> list[tuple[str, str]]:
    return list(StaffItem.objects.filter(resolved_at=None).values_list("subject", "title"))


def test_one_item_for_each_share_above_the_threshold_told_once() -> None:
    assert judge(("stripe", 11, 100), ("alipay", 10, 100)) == 1
    assert judge(("stripe", 12, 100), ("alipay", 10, 100)) == 0
    assert opened() == [("stripe", "11.0 % of stripe failed")]
    assert StaffItem.objects.get().data == {"bad": 11, "all": 100}


def test_it_closes_at_half_the_threshold_and_not_before() -> None:
    judge(("stripe", 20, 100))
    for bad in (9, 11, 6):  # up and down around the threshold: nothing moves
        assert judge(("stripe", bad, 100)) == 0
    assert judge(("stripe", 5, 100)) == 1
    row = StaffItem.objects.get()
    assert (row.resolved_by, row.resolution) == ("system", "the figure is good again")
    assert judge(("stripe", 10, 100)) == 0  # and it opens above the threshold only
    assert judge(("stripe", 11, 100)) == 1
    assert StaffItem.objects.count() == 2


def test_a_window_without_anything_in_it_closes_it() -> None:
    judge(("stripe", 20, 100))
    assert (judge(), opened()) == (1, [])


@pytest.mark.parametrize(("bad", "seen", "percent"), [(4, 4, 10), (5, 50, 10), (50, 50, 0)])
def test_few_ones_a_share_at_the_threshold_and_a_threshold_of_nought_are_no_alert(
    bad: int, seen: int, percent: int
) -> None:
    assert (judge(("stripe", bad, seen), percent=percent), opened()) == (0, [])


def test_a_threshold_that_is_taken_away_closes_what_it_had_opened() -> None:
    judge(("stripe", 20, 100))
    assert (judge(("stripe", 20, 100), percent=0), opened()) == (1, [])


# --- answers with errors of ours
@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What traffic has counted so far."""
    told: dict[str, int] = {}
    monkeypatch.setattr(api_errors.numbers, "sums", lambda key: told if key == traffic.KEY else {})
    cache.delete(api_errors.KEY)
    return told


def test_errors_of_ours_are_an_item_until_the_answers_are_good_again(
    counts: dict[str, int], time_machine
) -> None:
    time_machine.move_to("2026-03-01T12:00:00+00:00", tick=False)
    counts |= {"c|2|2xx": 1000, "c|2|5xx": 500, "b|2|1": 7}
    assert api_errors.look() == 0  # the first look only remembers: the 500 may be of last year
    time_machine.shift(60)
    counts |= {"c|2|2xx": 1090, "c|5|5xx": 10}
    assert api_errors.look() == 1
    assert opened() == [("answers", "10.0 % of the answers of the last minutes were errors of ours")]
    time_machine.shift(60)
    assert api_errors.look() == 0
    time_machine.shift(600)  # what was bad is out of the window
    counts |= {"c|2|2xx": 1200}
    api_errors.look()
    assert opened() == []


def test_counts_that_were_forgotten_are_no_errors(counts: dict[str, int], time_machine) -> None:
    time_machine.move_to("2026-03-01T12:00:00+00:00", tick=False)
    counts |= {"c|2|2xx": 1000}
    api_errors.look()
    time_machine.shift(60)
    counts |= {"c|2|2xx": 10, "c|2|5xx": 9}
    assert (api_errors.look(), opened()) == (0, [])
