"""How requests end and how long they take, by seed: counted in each process, added up in the shared cache.

A process adds up for a second before it hands on, so that a request costs microseconds; what it holds is handed on by
its next request, by /metrics when it asks that process, and at its end. A dead cache loses nothing for a while (it is
tried again after half a minute) and never delays more than one request. Without METRICS_TOKEN, and with nobody to alert, nothing is counted.
"""

from __future__ import annotations

import atexit
import bisect
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client.core import HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from pimpshop.core import cache, errors, metrics

KEY = "metrics:http"
#: Upper bounds in seconds; what took longer is only in +Inf.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
HOLD_SECONDS, REST_SECONDS = 1.0, 30.0
#: The seeds whose errors have a shape of their own; the rest of the API and the pages for people count by themselves.
SEEDS: dict[errors.Envelope, str] = {
    errors.detail_with_status: "1",
    errors.wechat_style: "2",
    errors.stripe_style: "3",
    errors.detail_only: "4",
    errors.unified_style: "5",
}
UNCOUNTED = ("/static/", "/healthz", "/readyz", "/metrics")

_held: Counter[str] = Counter()
_lock = threading.Lock()
_next_at = 0.0


def seed_of(path: str) -> str:
    """`1` … `5`, `api` for what no seed owns, `page` for people's pages, `admin` for the desk."""
    for prefixes, envelope in errors.ENVELOPES:
        if path.startswith(prefixes):
            return SEEDS[envelope]
    return "api" if path.startswith("/api/") else "admin" if path.startswith("/admin/") else "page"


class TrafficMiddleware:
    """Counts every answer, those of the providers' lane too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        if is_on() and not request.path_info.startswith(UNCOUNTED):
            note(seed_of(request.path_info), response.status_code, time.perf_counter() - started)
        return response


def is_on() -> bool:
    """Does anybody read the counts?"""
    return bool(settings.METRICS_TOKEN or settings.ALERT_EMAILS or settings.ALERT_WEBHOOK_URL)


def note(seed: str, status: int, seconds: float) -> None:
    """Count one answer. Never raises."""
    bucket = bisect.bisect_left(BOUNDS, seconds)
    with _lock:
        _held[f"c|{seed}|{status // 100}xx"] += 1
        _held[f"b|{seed}|{bucket}"] += 1
        _held[f"s|{seed}"] += round(seconds * 1_000_000)
        is_time = time.monotonic() >= _next_at
    if is_time:
        hand_on()


def hand_on() -> None:
    """Add what this process holds to the shared counts. Never raises: what could not be added is kept."""
    global _next_at
    with _lock:
        _next_at = time.monotonic() + HOLD_SECONDS
        taken = Counter(_held)
        _held.clear()
    if not taken:
        return
    try:
        cache.add_up(KEY, taken)
    except (RedisError, OSError):
        with _lock:
            _held.update(taken)
            _next_at = time.monotonic() + REST_SECONDS


def forget() -> None:
    """Drop what this process holds."""
    global _next_at
    with _lock:
        _held.clear()
        _next_at = 0.0


atexit.register(hand_on)


@metrics.collector("http")
def _families() -> Iterator[Metric]:
    hand_on()
    counts = cache.sums(KEY)
    rows = sorted((name.split("|")[1:], value) for name, value in counts.items() if name.startswith("c|"))
    text = "Answers by seed and class of status."
    yield metrics.counter("shop_http_responses", text, ["seed", "class"], rows)
    yield _histogram(counts)


def _histogram(counts: Mapping[str, int]) -> Metric:
    family = HistogramMetricFamily("shop_http_seconds", "How long answers took, by seed.", labels=["seed"])
    for seed in sorted({name.split("|")[1] for name in counts}):
        total, buckets = 0, []
        for at, bound in enumerate([*map(str, BOUNDS), "+Inf"]):
            total += counts.get(f"b|{seed}|{at}", 0)
            buckets.append((bound, float(total)))
        family.add_metric([seed], buckets, sum_value=counts.get(f"s|{seed}", 0) / 1_000_000)
    return family
