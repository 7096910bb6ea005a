"""The machine at work: fetching the picture, the queue, printing and handing out, one case at a time.

Guarantees: one order of a machine is under way at a time, oldest first; every step is decided and written under the
write lock, with the order post in the same transaction; stock goes down when a case is printed.
"""

import hashlib
import io
import time
from typing import Any

from django.conf import settings
from PIL import Image

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.manufacturer import books, codes, notices

# In the order of the codes: the machine takes a blank shell (9, 10), prints it (11, 12) and hands it out (15, 16).
NEXT = {
    codes.ORDER_PAID: codes.TO_PRINT,
    codes.TO_PRINT: codes.PICKING_UP,
    codes.PICKING_UP: codes.PICKED_UP,
    codes.PICKED_UP: codes.PRINTING,
    codes.PRINTING: codes.PRINTED,
    codes.PRINTED: codes.DISPENSING,
    codes.DISPENSING: codes.DISPENSED,
}
UNDER_WAY = (codes.PICKING_UP, codes.PICKED_UP, codes.PRINTING, codes.PRINTED, codes.DISPENSING)
WAIT_SECONDS = 0.3
FETCH_ATTEMPTS = 10


@jobs.handler("fetch_picture")
def fetch_picture(payload: dict[str, Any], attempts: int) -> float | None:
    """Fetch an order's picture, again and again as the real machine does, without a User-Agent; keep hash and size."""
    order = books.order(payload["third_id"])
    if order is None:
        return None
    answer = outgoing.send(codes.NAME, "machine/picture", "GET", order["pic"], headers={"User-Agent": ""})
    problem, size = _inspect(answer)
    if faults.strike(codes.NAME, "picture_refused"):
        problem = "refused by a fault"
    digest = hashlib.sha256(answer.body).hexdigest() if answer.body else ""
    if not problem:
        folder = settings.DATA / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / digest).write_bytes(answer.body)
    with database.transaction():
        database.execute(
            "INSERT INTO fetches (order_id, at, status, bytes, sha256, width, height, problem)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            order["third_id"], time.time(), answer.status, len(answer.body), digest, *size, problem,
        )  # fmt: skip
    tries = int(knobs.seconds("picture_fetches")) if books.good_fetch(order["third_id"]) else FETCH_ATTEMPTS
    return None if attempts + 1 >= tries else knobs.seconds("picture_gap_seconds")


def _inspect(answer: outgoing.Answer) -> tuple[str, tuple[int | None, int | None]]:
    """What is wrong with a fetched picture ("" for nothing), and its size in pixels."""
    if answer.status != 200:
        return answer.problem or f"HTTP {answer.status}", (None, None)
    try:
        with Image.open(io.BytesIO(answer.body)) as picture:
            size = picture.size
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return "not a picture", (None, None)
    return "", size


@jobs.handler("print_step")
def print_step(payload: dict[str, Any], attempts: int) -> float | None:
    """Move one order one step further, if the machine is free for it; seconds until the next look."""
    with database.transaction():
        order = books.order(payload["third_id"])
        if order is None or (order["status"] in codes.ORDER_FINAL and not order["jammed"]):
            return None
        status = _next_status(order)
        if status is None:
            return WAIT_SECONDS
        _move(order, status)
    if status == codes.PRINT_FAILED:
        return WAIT_SECONDS if _jammed() else None
    return knobs.seconds("print_seconds" if status == codes.PRINTING else "step_seconds")


def _jammed() -> bool:
    return faults.is_on(codes.NAME, "printer_out_status_13")


def _next_status(order: database.Row) -> int | None:
    status = order["status"]
    if status == codes.PRINT_FAILED:
        return None if _jammed() else codes.TO_PRINT
    if faults.is_on(codes.NAME, "printer_out") and status in (
        codes.ORDER_PAID,
        codes.TO_PRINT,
        codes.PICKING_UP,
        codes.PICKED_UP,
        codes.PRINTING,
    ):
        return None
    if status == codes.ORDER_PAID and not books.good_fetch(order["third_id"]):
        return codes.PRINT_FAILED if _picture_given_up(order) else None
    if status == codes.TO_PRINT and not _machine_is_free(order):
        return None
    if status == codes.PRINTING:
        if _jammed():
            return codes.PRINT_FAILED
        if faults.strike(codes.NAME, "print_failed"):
            return codes.PRINT_FAILED
    return NEXT[status]


def _picture_given_up(order: database.Row) -> bool:
    found = database.row("SELECT 1 FROM jobs WHERE kind = 'fetch_picture' AND key = ?", order["third_id"])
    return found is None


def _machine_is_free(order: database.Row) -> bool:
    marks = ", ".join("?" * len(UNDER_WAY))
    return (
        database.row(
            f"SELECT 1 FROM orders WHERE device_id = ? AND (jammed OR status IN ({marks}) OR (status = ? AND number < ?))",  # noqa: S608
            order["device_id"], *UNDER_WAY, codes.TO_PRINT, order["number"],
        ) is None
    )  # fmt: skip


def _move(order: database.Row, status: int) -> None:
    jammed = status == codes.PRINT_FAILED and order["status"] == codes.PRINTING and _jammed()
    database.execute(
        "UPDATE orders SET status = ?, jammed = ?, changed = ? WHERE third_id = ?",
        status, int(jammed), time.time(), order["third_id"],
    )  # fmt: skip
    if status == codes.PRINTED:
        database.execute(
            "UPDATE stock SET stock = max(stock - 1, 0) WHERE device_id = ? AND mobile_shell_id = ?",
            order["device_id"], order["mobile_shell_id"],
        )  # fmt: skip
    notices.order_changed(order["third_id"], status)
