"""Posts that are none, at the manufacturer's three doors: refused in words, no row, nobody asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.support import seed1
from tests.support.refusals import assert_refused
from tests.support.seed1 import PAY_STATUS, Phone
from vending.models import PrintJob

ORDER_STATUS = ("/api/chinese/order-status-update", "/api/chinese/order/status-update")
ALL = (PAY_STATUS, *ORDER_STATUS)
NO_POST: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "blank": (b" \n ", 400),
    "no JSON": (b"{", 400),
    "not UTF-8": (b'{"third_id": "\xff"}', 400),
    "null": (b"null", 400),
    "a number": (b"3", 400),
    "no items": (b"[]", 400),
    "no fields": (b"{}", 400),
    "lists": (b"[[]]", 400),
    "texts": (b'["PYEN250830540573"]', 400),
    "no status": (b'{"third_id": "@"}', 400),
    "no id": (b'{"status": 3}', 400),
    "null id": (b'{"third_id": null, "status": 3}', 400),
    "null status": (b'{"third_id": "@", "status": null}', 400),
    "nested id": (b'{"third_id": {"$ne": ""}, "status": 3}', 400),
    "nested status": (b'{"third_id": "@", "status": [3]}', 400),
    "one without an id": (b'[{"third_id": "@", "status": 3}, {"status": 3}]', 400),
    "too many": (b"[" + b",".join([b'{"third_id": "@", "status": 3}'] * 201) + b"]", 400),
    "nested deeply": (b"[" * 60_000, 400),
    "a number of 5000 digits": (b'{"third_id": "@", "status": ' + b"9" * 5000 + b"}", 400),
    "XML": (b"<xml><third_id>@</third_id></xml>", 400),
    "huge": (b'{"third_id": "@", "status": 3, "x": "' + b"y" * 70_000 + b'"}', 413),
}


def post(path: str, body: bytes, content_type: str = seed1.JSON) -> Any:
    return Client().post(path, body, content_type=content_type)


@pytest.mark.parametrize("path", ALL)
def test_posts_that_are_none(phone: Phone, manufacturer, path: str, nothing_changes) -> None:
    third_id = phone.asked_to_pay()
    seed1.paid(third_id, manufacturer)
    job = PrintJob.objects.get()
    PrintJob.objects.update(updated_at=job.created_at, due_at=None)
    seed1.let_time_pass()
    known = third_id if path == PAY_STATUS else job.third_order_id
    nothing_changes()
    for body, status in NO_POST.values():
        told = assert_refused(post(path, body.replace(b"@", known.encode())), status)
        assert (told["code"], told["msg"]) == (status, told["detail"])  # the manufacturer's envelope as well


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_only_posts_are_posts(phone: Phone, path: str, method: str, nothing_changes) -> None:
    nothing_changes()
    answer = getattr(Client(), method)(f"{path}?third_id=PYEN250830540573&status=3")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    if method != "head":
        assert_refused(answer, 405)


@pytest.mark.parametrize("path", ALL)
def test_a_charset_or_type_that_is_wrong_does_not_matter(phone: Phone, manufacturer, path: str) -> None:
    """What the manufacturer calls its posts is unknown; refusing them would mean ten repeats."""
    body = json.dumps({"third_id": "PYEN250830540573", "status": 3}).encode()
    for content_type in ("text/plain", "application/json; charset=gbk", "application/octet-stream", ""):
        assert post(path, body, content_type).status_code == 200


def test_the_customers_own_page_cannot_print_for_free(phone: Phone, manufacturer) -> None:
    """Whatever the post says: the machine was not paid, so nothing moves."""
    third_id = phone.asked_to_pay()
    for status in (3, "3", "03", 3.0, "PAID", 5, 4, 12, "NaN", True):
        seed1.hint(third_id, status)
        seed1.work()
    assert not PrintJob.objects.exists()
    assert phone.status()[1]["status"] == "payment_pending"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_the_poll_is_read_only(phone: Phone, method: str, nothing_changes) -> None:
    nothing_changes()
    answer = getattr(Client(), method)("/api/chinese/payment/PYEN250830540573/status")
    assert_refused(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api/chinese/test-connection", "/api/chinese/debug/session-validation/x"])
def test_staffs_pages_are_read_only(phone: Phone, path: str, nothing_changes) -> None:
    from tests import factories

    client = Client()
    client.force_login(factories.staff())
    nothing_changes()
    for method in ("post", "delete"):
        assert_refused(getattr(client, method)(path), 405, "method_not_allowed")
    if path.endswith("/x"):
        assert_refused(client.get(path), 400, "session_id_malformed")
