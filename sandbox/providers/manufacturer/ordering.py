"""The calls of an order: payData, payStatus, getPayStatus, orderData, getOrderStatus, printList.

Guarantees: each call decides and writes in one transaction, and writes nothing before it may still refuse; a third_id is taken once.
"""

import time
from decimal import Decimal
from typing import Any

from sandbox import database, faults, jobs, knobs
from sandbox.providers.manufacturer import books, catalogue, codes, notices
from sandbox.providers.manufacturer.refusal import Refusal, bad
from sandbox.providers.manufacturer.stockroom import own_device, text
from sandbox.providers.manufacturer.wire import Literal


def amount(body: dict[str, Any]) -> Decimal:
    """`pay_amount`: a JSON number above zero with at most two decimals. Raises Refusal 400."""
    literal = body.get("pay_amount")
    if not isinstance(literal, Literal) or len(literal) > 12 or "e" in literal.lower():
        raise bad("pay_amount")
    value = Decimal(literal)
    if value <= 0 or value != round(value, 2):
        raise bad("pay_amount")
    return value


def number(body: dict[str, Any], field: str, allowed: range) -> int:
    """A whole JSON number out of a range. Raises Refusal 400."""
    literal = body.get(field)
    if not isinstance(literal, Literal) or not literal.isdigit() or int(literal) not in allowed:
        raise bad(field)
    return int(literal)


def _again(call: str, first: dict[str, Any]) -> dict[str, Any]:
    """What a repeated third_id gets: nobody could establish it, so it is a switch."""
    if faults.strike(codes.NAME, "duplicate_id_accepted", call):
        return first
    raise Refusal("third_id already exists")


def pay_data(body: dict[str, Any]) -> dict[str, Any]:
    """order/payData: announce a payment at a machine."""
    device_id, model_id = text(body, "device_id"), text(body, "mobile_model_id")
    third_id = text(body, "third_id", 32)
    pay_type = number(body, "pay_type", codes.PAY_TYPES)
    amount(body)
    own_device(device_id)
    if model_id not in catalogue.model_names():
        raise bad("mobile_model_id")
    with database.transaction(keeps=(Refusal,)):
        first = books.payment(third_id)
        if first is not None:
            return _again("order/payData", {"id": first["id"], "third_id": third_id})
        if faults.strike(codes.NAME, "device_unavailable", "order/payData"):
            raise Refusal(f"{device_id} device is unavailable")
        held = sum(
            books.shell_stock(device_id, s.id) for s in catalogue.shells().values() if s.model_id == model_id
        )
        if faults.strike(codes.NAME, "out_of_stock", "order/payData") or not held:
            raise Refusal("The mobile shell is out of stock")
        mspy, now = books.next_id("MSPY"), time.time()
        database.execute(
            "INSERT INTO payments (third_id, id, device_id, mobile_model_id, pay_amount, pay_type, created, changed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            third_id, mspy, device_id, model_id, str(body["pay_amount"]), pay_type, now, now,
        )  # fmt: skip
        if pay_type != codes.PAY_ONLINE:
            jobs.add(
                "poll_payment", {"third_id": third_id}, after=knobs.seconds("poll_seconds"), key=third_id
            )
    return {"id": mspy, "third_id": third_id}


def pay_status(body: dict[str, Any]) -> None:
    """order/payStatus: the partner reports an online payment (pay_type 12). Machine payments are ours to report."""
    third_id = text(body, "third_id", 32)
    status = number(body, "status", range(1, 6))
    value = amount(body)
    with database.transaction(keeps=(Refusal,)):
        found = books.payment(third_id)
        if found is None:
            raise Refusal("Payment information does not exist")
        if found["pay_type"] != codes.PAY_ONLINE:
            raise Refusal("No permission to change the status of this payment", 403)
        if Decimal(found["pay_amount"]) != value:
            raise bad("pay_amount")
        if found["status"] == status:
            return
        if found["status"] in (codes.PAID, codes.FAILED, codes.ABNORMAL):
            raise Refusal("The payment status is final")
        set_payment(third_id, status, method="online")
        notices.payment_changed(third_id, status, after=knobs.seconds("echo_seconds"))


def set_payment(third_id: str, status: int, *, method: str) -> bool:
    """Move an open payment; False when it is final already. Call inside a transaction."""
    return (
        database.execute(
            "UPDATE payments SET status = ?, method = ?, changed = ? WHERE third_id = ? AND status IN (?, ?)",
            status, method, time.time(), third_id, codes.WAITING, codes.PAYING,
        ) == 1
    )  # fmt: skip


def _ids(body: list[Any]) -> list[str]:
    if not body or len(body) > 200 or not all(type(item) is str for item in body):
        raise bad("an array of ids is expected")
    return body


def get_pay_status(body: list[Any]) -> list[dict[str, Any]]:
    """order/getPayStatus: a bare array of PYEN ids; unknown ones are left out."""
    found = [books.payment(third_id) for third_id in _ids(body)]
    return [
        {"third_id": item["third_id"], "status": reported("order/getPayStatus", item["status"])}
        for item in found
        if item is not None
    ]


def reported(target: str, status: int) -> int:
    """The status as it is told to the partner: another one under the fault `unknown_status`."""
    return codes.AN_UNKNOWN_STATUS if faults.strike(codes.NAME, "unknown_status", target) else status


def order_data(body: dict[str, Any]) -> dict[str, Any]:
    """order/orderData: print a case for a paid payment, named by the partner's own payment id (PYEN…)."""
    pay_id, third_id = text(body, "third_pay_id", 32), text(body, "third_id", 32)
    device_id, pic = text(body, "device_id"), text(body, "pic", 2000)
    shell = catalogue.shells().get(text(body, "mobile_shell_id"))
    if not pic.startswith(("http://", "https://")):
        raise bad("pic")
    own_device(device_id)
    if shell is None or shell.model_id != text(body, "mobile_model_id"):
        raise bad("mobile_shell_id")
    with database.transaction(keeps=(Refusal,)):
        first = books.order(third_id)
        if first is not None:
            known = {"id": first["id"], "third_id": third_id, "queue_no": first["queue_no"]}
            return _again("order/orderData", known | {"status": first["status"]})
        payment = books.payment(pay_id)
        if payment is None or payment["status"] != codes.PAID:
            raise Refusal("Payment information does not exist")
        if (payment["device_id"], payment["mobile_model_id"]) != (device_id, shell.model_id):
            raise bad("third_pay_id belongs to another device or model")
        if database.row(
            "SELECT 1 FROM orders WHERE third_pay_id = ? AND (jammed OR status NOT IN (?, ?))",
            pay_id, codes.PRINT_FAILED, codes.PRINT_CANCELLED,
        ):  # fmt: skip
            raise Refusal("The payment already has an order")
        if faults.strike(codes.NAME, "device_unavailable", "order/orderData"):
            raise Refusal(f"{device_id} device is unavailable")
        if faults.strike(codes.NAME, "out_of_stock", "order/orderData") or not books.shell_stock(
            device_id, shell.id
        ):
            raise Refusal("The mobile shell is out of stock")
        return _accept(third_id, pay_id, device_id, shell, pic)


def _accept(third_id: str, pay_id: str, device_id: str, shell: catalogue.Shell, pic: str) -> dict[str, Any]:
    msor, queue_no, now = books.next_id("MSOR"), books.draw_queue_no(), time.time()
    database.execute(
        "INSERT INTO orders (third_id, id, third_pay_id, device_id, mobile_model_id, mobile_shell_id, pic, queue_no,"
        " status, created, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        third_id, msor, pay_id, device_id, shell.model_id, shell.id, pic, queue_no, codes.ORDER_PAID, now, now,
    )  # fmt: skip
    jobs.add("fetch_picture", {"third_id": third_id}, key=third_id)
    jobs.add("print_step", {"third_id": third_id}, after=knobs.seconds("step_seconds"), key=third_id)
    return {"id": msor, "third_id": third_id, "queue_no": queue_no, "status": codes.ORDER_PAID}


def get_order_status(body: list[Any]) -> list[dict[str, Any]]:
    """order/getOrderStatus: a bare array of OREN or MSOR ids (knob `order_id_kind`); unknown ones are left out."""
    column = "id" if knobs.get("order_id_kind") == "msor" else "third_id"
    found = [database.row(f"SELECT * FROM orders WHERE {column} = ?", item) for item in _ids(body)]  # noqa: S608
    return [
        {"third_id": item["third_id"], "status": reported("order/getOrderStatus", item["status"])}
        for item in found
        if item is not None
    ]


def print_list(body: dict[str, Any]) -> list[dict[str, Any]]:
    """order/printList: the newest hundred orders of a machine."""
    device_id = text(body, "device_id")
    own_device(device_id)
    return [
        {
            "mobile_model_name": catalogue.model_names()[found["mobile_model_id"]],
            "id": found["id"],
            "third_id": found["third_id"],
            "pic": found["pic"],
            "queue_no": found["queue_no"],
            "status": found["status"],
        }
        for found in database.rows(
            "SELECT * FROM orders WHERE device_id = ? ORDER BY number DESC LIMIT 100", device_id
        )
    ]
