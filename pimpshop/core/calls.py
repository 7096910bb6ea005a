"""Writes one OutboundCall row per call to a provider (redacted by core.http before it gets here)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pimpshop.core.models import OutboundCall

if TYPE_CHECKING:
    from pimpshop.core.http import CallRecord


def record(call: CallRecord) -> None:
    """Store `call`. Runs outside a transaction, as every call does, so it is there whatever happens next."""
    OutboundCall.objects.create(
        at=call.at,
        provider=call.provider,
        name=call.name,
        subject=call.subject[:120],
        method=call.method,
        url=call.url[:500],
        request=call.request,
        response=call.response,
        status=call.status,
        code=str(call.code or "")[:64],
        latency_ms=call.latency_ms,
        trace_id=(call.trace_id or "")[:128],
        error=(call.error or "")[:500],
    )
