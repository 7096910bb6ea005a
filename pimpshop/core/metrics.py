"""What /metrics tells, in Prometheus' form: apps register collectors, `render` asks all of them.

Figures come from rows and from the shared cache, so every process of every server tells the same; there is no figure
per process to add up. A collector answers families (prometheus_client.core), reads indexed or capped windows, and
writes nothing. One that fails is said to (`shop_figures_ok 0`) and silences no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator

import structlog
from django.db import DatabaseError
from django.db.models import Model
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Collector = Callable[[], Iterable[Metric]]
#: A longer queue is told as this long.
MOST_COUNTED = 1000
_queues: dict[str, tuple[type[Model], str]] = {}
_collectors: dict[str, Collector] = {"queues": lambda: _waiting()}


def collector(name: str) -> Callable[[Collector], Collector]:
    """Register a function whose families /metrics shows; `name` is its label in `shop_figures_ok`."""

    def register(function: Collector) -> Collector:
        _collectors[name] = function
        return function

    return register


def gauge(
    name: str, text: str, labels: Iterable[str], rows: Iterable[tuple[Iterable[object], float]]
) -> Metric:
    """A gauge of (label values, value) rows."""
    return _filled(GaugeMetricFamily(name, text, labels=list(labels)), rows)


def counter(
    name: str, text: str, labels: Iterable[str], rows: Iterable[tuple[Iterable[object], float]]
) -> Metric:
    """A counter of (label values, value) rows; its samples are called `<name>_total`."""
    return _filled(CounterMetricFamily(name, text, labels=list(labels)), rows)


def _filled(family: Metric, rows: Iterable[tuple[Iterable[object], float]]) -> Metric:
    for labels, value in rows:
        family.add_metric([str(label) for label in labels], value)  # type: ignore[attr-defined]
    return family


def queue(name: str, model: type[Model], column: str) -> None:
    """Register a queue of rows: `column` says since when a row's work is due. It needs a partial index."""
    _queues[name] = (model, column)


def _waiting() -> Iterator[Metric]:
    now, due, oldest = timezone.now(), [], []
    for name, (model, column) in sorted(_queues.items()):
        rows = model._default_manager.filter(**{f"{column}__lte": now}).order_by(column)
        first = rows.values_list(column, flat=True).first()
        due.append(((name,), float(rows[:MOST_COUNTED].count())))
        oldest.append(((name,), (now - first).total_seconds() if first else 0.0))
    yield gauge("shop_queue_due", f"Rows whose work is due, at most {MOST_COUNTED}.", ["queue"], due)
    yield gauge("shop_queue_oldest_seconds", "For how long the oldest of them is due.", ["queue"], oldest)


def allows(header: str, token: str) -> bool:
    """Does an Authorization header carry `token`? Compared in constant time; an empty token allows nobody."""
    scheme, _, given = header.partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and same


class _All:
    def collect(self) -> Iterator[Metric]:
        states = []
        for name, function in sorted(_collectors.items()):
            try:
                families = list(function())
            except (DatabaseError, RedisError, OSError) as error:
                log.warning("figures_failed", figures=name, error=type(error).__name__)
                states.append(((name,), 0.0))
            else:
                states.append(((name,), 1.0))
                yield from families
        yield gauge("shop_figures_ok", "1 where the figures of this part could be read.", ["part"], states)


def render() -> bytes:
    """All families as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_All())
    return generate_latest(registry)
