"""The kernel's own sweep rounds."""

from __future__ import annotations

from pimpshop.core import alerts, api_errors, bell, heartbeat, idempotency, staff_requests, sweeper, tasks
from pimpshop.core.notifications import outbox


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


@sweeper.round("items that wait too long", every=60)
def _overdue() -> int:
    return alerts.note_overdue()


@sweeper.round("answers with errors", every=60)
def _errors() -> int:
    return api_errors.look()


@sweeper.round("messages to customers", every=2)
def _messages() -> int:
    """A worker sends them, for a mail server may be slow; what no worker took in time is sent here."""
    if outbox.due(limit=1):
        bell.ring(tasks.send_notifications, thin=True)
    return outbox.send_due(unheard=True)


@sweeper.round("requests for a second person", every=60)
def _lapse() -> int:
    return staff_requests.lapse_due()
