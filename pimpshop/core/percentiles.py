"""Medians and percentiles of spans of time, counted by PostgreSQL: an aggregate for query sets."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate, Expression, FloatField, Func


class Seconds(Func):
    """A span of time as seconds."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)::float8"
    output_field = FloatField()


class Percentile(Aggregate):
    """`Percentile(span, 0.95)`: the span, in seconds, below which so large a part of the rows is. None for no rows."""

    template = "PERCENTILE_CONT(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, span: Expression, fraction: float, **extra: Any) -> None:
        super().__init__(Seconds(span), fraction=fraction, **extra)
