"""The kernel's own sweep rounds."""

from __future__ import annotations

from pimpshop.core import alerts, heartbeat, idempotency, sweeper


@sweeper.round("sweeper heartbeat", every=5)
def _alive() -> int:
    heartbeat.beat("sweeper")
    return 0


@sweeper.round("old idempotency records", every=3600)
def _forget() -> int:
    return idempotency.forget_old()


@sweeper.round("alerts", every=10)
def _alert() -> int:
    return alerts.send_due()
