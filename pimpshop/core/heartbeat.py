"""Signs of life of the background processes, as rows, read by /readyz."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from pimpshop.core.models import Heartbeat

#: name -> the age in seconds after which it counts as gone.
EXPECTED = {"worker": 90, "beat": 90, "sweeper": 30}


def beat(name: str) -> None:
    """Note that `name` lives. One statement."""
    params: list[Any] = [name, timezone.now(), Jsonb({"pid": os.getpid()})]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO core_heartbeat (name, at, info) VALUES (%s, %s, %s)
               ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, info = EXCLUDED.info""",
            params,
        )


def ages() -> dict[str, float | None]:
    """Seconds since each expected process was last seen; None for never."""
    seen = dict(Heartbeat.objects.filter(name__in=EXPECTED).values_list("name", "at"))
    now = timezone.now()
    return {name: (now - seen[name]) / timedelta(seconds=1) if name in seen else None for name in EXPECTED}


def is_degraded(name: str, age: float | None) -> bool:
    return age is None or age > EXPECTED[name]
