"""The machine in the shop: its session and QR code, the payment on its screen, and which picture the screen shows.

The machine asks the shop for a session and for its state, as the real one does, while somebody looks at its screen
(or always, with the knob `unattended`). Guarantees: one look-out job per machine; a payment is moved once.
"""

import time
from datetime import datetime
from typing import Any

from sandbox import database, faults, jobs, knobs, outgoing
from sandbox.providers.manufacturer import books, catalogue, codes, notices, ordering, wire

WATCHED_SECONDS = 15
PAY_SCREEN_SECONDS = 600
PREPARING_SECONDS = 180
NUMBER_SECONDS = 20
SESSION_MINUTES = 30
OVER = {"payment_completed", "payment_failed", "expired", "cancelled"}
METHODS = {"card": codes.PAID, "cash": codes.PAID, "declined": codes.FAILED, "abnormal": codes.ABNORMAL}


class MachineError(Exception):
    """The machine cannot do that now."""


def watch(device_id: str) -> None:
    """Somebody looks at the screen: keep the session fresh for a while."""
    database.execute(
        "UPDATE devices SET watched_until = ? WHERE device_id = ?", time.time() + WATCHED_SECONDS, device_id
    )
    jobs.add("watch_machine", {"device_id": device_id}, key=device_id)


@jobs.handler("watch_machine")
def look_out(payload: dict[str, Any], attempts: int) -> float | None:
    """Start a session when there is none, else ask how it stands."""
    device = books.device(payload["device_id"])
    now = time.time()
    if device is None or (device["watched_until"] < now and knobs.get("unattended") != "1"):
        return None
    if now < device["next_try"]:
        return min(float(device["next_try"]) - now, 1.0)
    if not device["session_id"] or (device["session_expires"] or 0) < now:
        start_session(device["device_id"])
    else:
        check_session(device)
    return 1.0


def start_session(device_id: str) -> None:
    """POST /api/vending/create-session at the shop and show its QR code. A refusal is shown and tried again later."""
    device = books.device(device_id)
    if device is None:
        raise MachineError("no such machine")
    body = {
        "machine_id": device_id,
        "location": device["name"],
        "session_timeout_minutes": wire.Literal(SESSION_MINUTES),
    }
    url = knobs.get("shop_url") + "/api/vending/create-session"
    answer = outgoing.send(codes.NAME, "machine/create-session", "POST", url, body=wire.dumps(body))
    told = answer.json()
    if (
        answer.status in (200, 201)
        and isinstance(told, dict)
        and told.get("session_id")
        and told.get("qr_url")
    ):
        _keep_session(device_id, told)
        return
    pause = float(answer.retry_after) if answer.retry_after.isdigit() else 5.0
    problem = answer.problem or f"HTTP {answer.status}"
    database.execute(
        "UPDATE devices SET session_id = NULL, qr_url = NULL, session_problem = ?, next_try = ? WHERE device_id = ?",
        problem, time.time() + pause, device_id,
    )  # fmt: skip


def _keep_session(device_id: str, told: dict[str, Any]) -> None:
    try:
        expires = datetime.fromisoformat(str(told.get("expires_at"))).timestamp()
    except ValueError:
        expires = time.time() + SESSION_MINUTES * 60
    database.execute(
        "UPDATE devices SET session_id = ?, qr_url = ?, session_expires = ?, session_status = 'active',"
        " session_progress = 'started', session_problem = NULL, next_try = ? WHERE device_id = ?",
        str(told["session_id"]), str(told["qr_url"]), expires, time.time() + knobs.seconds("session_poll_seconds"),
        device_id,
    )  # fmt: skip


def check_session(device: database.Row) -> None:
    """GET the session's status; a session that is over or unknown leaves the screen."""
    url = f"{knobs.get('shop_url')}/api/vending/session/{device['session_id']}/status"
    answer = outgoing.send(codes.NAME, "machine/session-status", "GET", url)
    told = answer.json()
    status = told.get("status") if isinstance(told, dict) else None
    over = answer.status in (404, 410) or status in OVER
    database.execute(
        "UPDATE devices SET session_status = ?, session_progress = ?, session_id = ?, session_problem = ?,"
        " next_try = ? WHERE device_id = ? AND session_id = ?",
        status, told.get("user_progress") if isinstance(told, dict) else None,
        None if over else device["session_id"],
        None if answer.status in (200, 404, 410) else answer.problem or f"HTTP {answer.status}",
        time.time() + (0 if over else knobs.seconds("session_poll_seconds")), device["device_id"], device["session_id"],
    )  # fmt: skip


def pay(device_id: str, method: str, third_id: str = "") -> dict[str, Any]:
    """Somebody pays at the machine, or fails to. The payment is final at once and the shop is told.

    Without a third_id: the newest open payment. Raises MachineError when there is none or it is final already.
    """
    status = METHODS.get(method)
    if status is None:
        raise MachineError(f"method is one of {', '.join(METHODS)}")
    with database.transaction():
        found = _open_payment(device_id, third_id)
        if not ordering.set_payment(found["third_id"], status, method=method):
            raise MachineError("the payment is final")
        notices.payment_changed(found["third_id"], status)
    return books.payment(found["third_id"]) or {}


def present_card(device_id: str, third_id: str) -> None:
    """Hold a card to the reader: the payment is "paying" while the reader thinks, then paid."""
    with database.transaction():
        found = _open_payment(device_id, third_id)
        ordering.set_payment(found["third_id"], codes.PAYING, method="card")
        job = {"device_id": device_id, "third_id": found["third_id"]}
        jobs.add("card_clears", job, after=knobs.seconds("card_seconds"), key=found["third_id"])


@jobs.handler("card_clears")
def card_clears(payload: dict[str, Any], attempts: int) -> float | None:
    """The reader is done: the card was good."""
    try:
        pay(payload["device_id"], "card", payload["third_id"])
    except MachineError:
        return None  # declined or paid in the meantime
    return None


def walk_away(device_id: str, third_id: str) -> None:
    """The customer leaves without paying: the payment stays open and leaves the screen."""
    with database.transaction():
        found = _open_payment(device_id, third_id)
        database.execute("UPDATE payments SET on_screen = 0 WHERE third_id = ?", found["third_id"])


def _open_payment(device_id: str, third_id: str) -> database.Row:
    found = database.row(
        "SELECT * FROM payments WHERE device_id = ? AND (? = '' OR third_id = ?) AND status IN (?, ?)"
        " AND pay_type <> ? ORDER BY created DESC LIMIT 1",
        device_id, third_id, third_id, codes.WAITING, codes.PAYING, codes.PAY_ONLINE,
    )  # fmt: skip
    if found is None:
        raise MachineError("no open payment at this machine")
    return found


def screen(device: database.Row) -> dict[str, Any]:
    """What the screen shows now: `kind` is offline | pay | declined | preparing | number | idle, with its facts."""
    now, device_id = time.time(), device["device_id"]
    shown: dict[str, Any] = {"device": device, "queue": _queue(device_id), "kind": "idle"}
    if faults.is_on(codes.NAME, "device_unavailable", "order/orderData"):
        return shown | {"kind": "offline"}
    for kind, found in (
        ("pay", _newest_payment(device_id, codes.WAITING, now - PAY_SCREEN_SECONDS)),
        ("pay", _newest_payment(device_id, codes.PAYING, now - PAY_SCREEN_SECONDS)),
        ("declined", _newest_payment(device_id, codes.FAILED, now - 6)),
        ("preparing", _newest_payment(device_id, codes.PAID, now - PREPARING_SECONDS)),
    ):
        if found is not None:
            model = catalogue.model_names()[found["mobile_model_id"]]
            return shown | {"kind": kind, "payment": found, "model": model}
    if shown["queue"] and now - shown["queue"][-1]["created"] < NUMBER_SECONDS:
        return shown | {"kind": "number", "order": shown["queue"][-1]}
    return shown


def _newest_payment(device_id: str, status: int, since: float) -> database.Row | None:
    """The newest machine payment in that status on the screen; a paid one only while it has no order."""
    return database.row(
        "SELECT p.* FROM payments p LEFT JOIN orders o ON o.third_pay_id = p.third_id"
        " WHERE p.device_id = ? AND p.status = ? AND p.changed > ? AND p.on_screen AND o.third_id IS NULL"
        " AND p.pay_type <> ? ORDER BY p.created DESC LIMIT 1",
        device_id, status, since, codes.PAY_ONLINE,
    )  # fmt: skip


def _queue(device_id: str) -> list[database.Row]:
    """Orders under way, and those of the last minute that are done, oldest first."""
    marks = ", ".join("?" * len(codes.ORDER_FINAL))
    found = database.rows(
        f"SELECT * FROM orders WHERE device_id = ? AND (status NOT IN ({marks}) OR jammed OR changed > ?)"  # noqa: S608
        " ORDER BY number",
        device_id, *codes.ORDER_FINAL, time.time() - 60,
    )  # fmt: skip
    for order in found:
        order["word"] = codes.ORDER_WORDS[order["status"]]
        order["model"] = catalogue.model_names()[order["mobile_model_id"]]
    return found
