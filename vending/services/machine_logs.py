"""What we know of how a machine dealt with one print job: its moves, the manufacturer's last answers, times in its queue.

For staff who look into a complaint. Reads rows only; no call leaves. Guarantee: plain values, redacted and bounded.
"""

from __future__ import annotations

from typing import Any

from pimpshop.core import redaction
from pimpshop.core.clock import iso
from pimpshop.core.models import OutboundCall
from vending.models import PrintJob, PrintJobEvent
from vending.services import machines, print_jobs

#: The latest so many moves and answers.
MOVES, ANSWERS = 40, 6
#: The manufacturer's calls whose answers tell how far a job is.
STATUS_CALLS = ("order/getOrderStatus", "order/printList", "order/orderData")
_ANSWER_BYTES = 1500


def of_job(job: PrintJob) -> dict[str, Any]:
    """{machine, queue, moves, answers} of a job, oldest first; times in ISO 8601."""
    moves = PrintJobEvent.objects.filter(print_job=job).order_by("-id")[:MOVES]
    answers = OutboundCall.objects.filter(
        subject=job.order_no, provider="manufacturer", name__in=STATUS_CALLS
    ).order_by("-at", "-pk")[:ANSWERS]
    log = {
        "machine": _machine(job),
        "queue": _queue(job),
        "moves": [_move(event) for event in reversed(moves)],
        "answers": [_answer(call) for call in reversed(answers)],
    }
    scrubbed: dict[str, Any] = redaction.scrub(log, max_bytes=3 * redaction.MAX_BYTES, max_depth=8)
    return scrubbed


def _machine(job: PrintJob) -> dict[str, Any]:
    machine = job.machine
    if machine is None:
        return {}
    return {
        "machine_id": machine.machine_id,
        "name": machine.name,
        "verdict": machines.readiness(machine).code or "ready",
        "printer": machine.printer,
        "printer_reason": machine.printer_reason,
        "printer_at": iso(machine.printer_at),
        "last_contact_at": iso(machine.last_contact_at),
    }


def _queue(job: PrintJob) -> dict[str, Any]:
    reached = print_jobs.reached_at(job)
    return {
        "number": job.queue_no,
        "oren": job.third_order_id,
        "msor": job.manufacturer_order_id,
        "status": job.status,
        "status_there": job.provider_status,
        "accepted_at": iso(job.accepted_at),
        **{
            f"{state}_at": iso(reached.get(state)) for state in ("printing", "printed", "collected", "failed")
        },
    }


def _move(event: PrintJobEvent) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "from": event.from_status,
        "to": event.to_status,
        "by": event.source,
        "why": event.reason,
        "data": event.data,
    }


def _answer(call: OutboundCall) -> dict[str, Any]:
    return {
        "at": iso(call.at),
        "call": call.name,
        "http": call.status,
        "code": call.code,
        "error": call.error,
        "answer": redaction.scrub(call.response, max_bytes=_ANSWER_BYTES),
    }
