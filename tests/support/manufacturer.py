"""The manufacturer on the wire, for tests: answers by `responses`, with books small enough to read in a test.

It mocks the network only. What it knows stands in `payments` (PYEN -> status 1-5) and `orders` (OREN -> status); what
it was asked stands in `calls` (name, body). `fail(name, answer)` makes the next calls of that name go wrong;
`first_order_status` and `first_queue_no` are what orderData answers.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

import requests
import responses

LOST = "lost"  # the work is done, the answer never arrives
DOWN = "down"  # the connection is refused


class Manufacturer:
    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.calls: list[tuple[str, Any]] = []
        self.payments: dict[str, int] = {}
        self.amounts: dict[str, Any] = {}
        self.orders: dict[str, int] = {}
        self.queue: dict[str, str] = {}
        self.stock: list[dict[str, Any]] = []
        self.faults: dict[str, deque[Any]] = {}
        self.down = False
        self.first_order_status: Any = 4
        self.first_queue_no: str | None = None  # None: a number as real ones are
        from django.conf import settings  # when the settings are there

        mock.add_callback(
            responses.POST,
            _anything(settings.MANUFACTURER_API_BASE),
            callback=self._answer,
            content_type="application/json",
        )

    # --- what a test sets and reads ---

    def fail(self, name: str, *answers: Any) -> None:
        """The next calls of `name` answer so: LOST, DOWN, or a dict with the envelope of an error."""
        self.faults.setdefault(name, deque()).extend(answers)

    def bodies(self, name: str) -> list[Any]:
        """What was sent to `name`, in order."""
        return [body for called, body in self.calls if called == name]

    # --- the wire ---

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        name = str(request.url).split("/mobileShell/en/", 1)[1]
        body = json.loads(request.body or b"{}")
        self.calls.append((name, body))
        fault = self._next_fault(name)
        if self.down or fault == DOWN:
            raise requests.ConnectTimeout("refused")
        if isinstance(fault, dict):
            return _envelope(**fault)
        data = getattr(self, "_" + name.replace("/", "_"))(body)
        if fault == LOST:
            raise requests.ReadTimeout("lost")
        return data if isinstance(data, tuple) else _envelope(data=data)

    def _next_fault(self, name: str) -> Any:
        waiting = self.faults.get(name)
        return waiting.popleft() if waiting else None

    def _user_login(self, body: Any) -> Any:
        return {"id": "U1", "account": body["account"], "token": "token-1"}

    def _brand_list(self, body: Any) -> Any:
        return []

    def _stock_list(self, body: Any) -> Any:
        return self.stock

    def _order_payData(self, body: Any) -> Any:
        third_id = body["third_id"]
        if third_id in self.payments:
            return _envelope(code=500, msg="third_id already exists")
        self.payments[third_id] = 1
        self.amounts[third_id] = body["pay_amount"]
        return {"id": f"MSPY1{len(self.payments):016d}", "third_id": third_id}

    def _order_payStatus(self, body: Any) -> Any:
        self.payments[body["third_id"]] = body["status"]
        return None

    def _order_getPayStatus(self, body: Any) -> Any:
        return [{"third_id": one, "status": self.payments[one]} for one in body if one in self.payments]

    def _order_orderData(self, body: Any) -> Any:
        if self.payments.get(body["third_pay_id"]) != 3:
            return _envelope(code=500, msg="Payment information does not exist")
        third_id = body["third_id"]
        if third_id in self.orders:
            return _envelope(code=500, msg="third_id already exists")
        self.orders[third_id] = self.first_order_status
        number = str(9578 - 37 * len(self.orders))
        self.queue[third_id] = number if self.first_queue_no is None else self.first_queue_no
        return {
            "id": f"MSOR{len(self.orders):012d}",
            "third_id": third_id,
            "queue_no": self.queue[third_id],
            "status": self.orders[third_id],
        }

    def _order_getOrderStatus(self, body: Any) -> Any:
        return [{"third_id": one, "status": self.orders[one]} for one in body if one in self.orders]

    def _order_printList(self, body: Any) -> Any:
        return [
            {"id": f"MSOR{i:012d}", "third_id": one, "queue_no": self.queue.get(one), "status": status,
             "mobile_model_name": "", "pic": ""}
            for i, (one, status) in enumerate(self.orders.items(), 1)
        ]  # fmt: skip


def _anything(base: str) -> Any:
    return re.compile(re.escape(base) + "/.*")


def _envelope(*, code: int = 200, msg: str = "操作成功", data: Any = None) -> tuple[int, dict[str, str], str]:
    return (
        200,
        {"tlogTraceId": "trace-1"},
        json.dumps({"msg": msg, "code": code, "data": data}, ensure_ascii=False),
    )
