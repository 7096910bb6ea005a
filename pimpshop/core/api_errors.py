"""How many of the last minutes' answers were errors of ours (5xx): an item when too many were.

What `core.traffic` counts grows for ever, so each look keeps what stood there, for ten minutes, in the shared cache; two
looks together are a window. Without the cache nothing is known, and nothing is said.
"""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from pimpshop.core import cache as numbers
from pimpshop.core import thresholds, traffic

KIND, SUBJECT = "api_errors", "answers"
KEY = "desk:api-errors"
WINDOW_SECONDS = 600


def look() -> int:
    """Compare with what stood there up to ten minutes ago; a sweep round. Answers how many items changed."""
    try:
        traffic.hand_on()
        now, bad, seen = _stand()
        kept = [stand for stand in cache.get(KEY) or [] if 0 < now - stand[0] <= WINDOW_SECONDS]
        cache.set(KEY, [*kept, (now, bad, seen)], timeout=2 * WINDOW_SECONDS)
    except (RedisError, OSError):
        return 0
    if not kept or kept[0][2] > seen:  # the first look, or the counts were forgotten
        return 0
    reading = thresholds.Reading(SUBJECT, bad - kept[0][1], seen - kept[0][2])
    return thresholds.judge(
        kind=KIND, readings=[reading] if reading.all else [], percent=settings.ALERT_API_ERRORS_PERCENT,
        least=settings.ALERT_LEAST, title="{percent} of the answers of the last minutes were errors of ours",
        detail="Look at the log and at the last change.",
    )  # fmt: skip


def _stand() -> tuple[int, int, int]:
    """(now in seconds, answers 5xx, all answers) of every process."""
    counts = {name: value for name, value in numbers.sums(traffic.KEY).items() if name.startswith("c|")}
    bad = sum(value for name, value in counts.items() if name.endswith("|5xx"))
    return int(timezone.now().timestamp()), bad, sum(counts.values())
