"""The shop's own day: it begins at midnight of SHOP_TIME_ZONE, whatever zone servers and readers are in. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def zone() -> ZoneInfo:
    return ZoneInfo(settings.SHOP_TIME_ZONE)


def today() -> date:
    return timezone.now().astimezone(zone()).date()


def begins(day: date) -> datetime:
    """The first moment of a day of the shop's."""
    return datetime(day.year, day.month, day.day, tzinfo=zone())


def midnight() -> datetime:
    """When today began."""
    return begins(today())


def last(days: int) -> list[date]:
    """The last `days` days, oldest first, today included."""
    end = today()
    return [end - timedelta(days=back) for back in reversed(range(days))]
