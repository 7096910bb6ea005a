"""The shop's counters of a day in tests, also when the day has changed since the test began."""

from __future__ import annotations

from datetime import timedelta


def counted(name: str) -> int:
    """How often `name` ("webhook_rejected", …) was counted in this test: yesterday's counter is only there when it was
    midnight since."""
    from django.core.cache import cache
    from django.utils import timezone

    now = timezone.now()
    days = (now - timedelta(days=1), now)
    return sum(cache.get(f"count:{name}:{day:%Y%m%d}") or 0 for day in days)
