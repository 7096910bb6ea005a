"""What staff ask when something is wrong: is the manufacturer there, is a session complete? Read only, but for one
call to the manufacturer in `test_connection`."""

from __future__ import annotations

import time
from typing import Any

from vending import manufacturer
from vending.models import SessionEvent, VendingSession
from vending.services import machines


def test_connection() -> dict[str, Any]:
    """One brand/list at the manufacturer, with log-in if needed: latency in ms, or what went wrong."""
    started = time.monotonic()
    try:
        brands = machines.client(subject="test-connection").brand_list()
    except manufacturer.ManufacturerError as error:
        return {
            "success": False,
            "error": type(error).__name__,
            "message": str(error),
            "latency_ms": _ms(started),
        }
    return {"success": True, "brands": len(brands), "latency_ms": _ms(started)}


def _ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def validate_session(session: VendingSession) -> dict[str, Any]:
    """Seed 1, session-validation: which of the things that printing needs are there. No picture, no link, no token."""
    present = {
        "order_summary": bool(session.summary_hash),
        "order": bool(session.order_no),
        "design_frozen": bool(session.design and session.design.frozen_at),
        "print_file": bool(session.design and session.design.print_sha256),
        "payment_third_id": bool(session.third_id),
        "chinese_payment_id": bool(session.provider_payment_id),
    }
    return {
        "success": True,
        "session_id": session.session_id,
        "status": session.status,
        "user_progress": session.user_progress,
        "machine_id": session.machine.machine_id,
        "order_no": session.order_no or None,
        "third_id": session.third_id or None,
        "present": present,
        "missing": [name for name, there in present.items() if not there],
        "valid": all(present.values()),
        "events": SessionEvent.objects.filter(session=session).count(),
    }
