"""The manufacturer's calls: what goes out, what comes back, how the token is renewed, how failures are typed."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest
import requests
import responses

from pimpshop.core.http import CallRecord
from vending import manufacturer
from vending.manufacturer import signing

BASE = "https://api.example/mobileShell/en"
PASSWORD, KEY = "account-password-1", "FIXEDSIGNKEY77"


def ok(data=None, **rest) -> dict:
    return {"msg": "操作成功", "code": 200, **({} if data is None else {"data": data}), **rest}


def failed(msg: str, code: int = 500) -> dict:
    return {"msg": msg, "code": code, "data": None}


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def records() -> list[CallRecord]:
    return []


@pytest.fixture
def store() -> manufacturer.MemoryTokenStore:
    return manufacturer.MemoryTokenStore("token-number-1")


@pytest.fixture
def client(records, store) -> manufacturer.ManufacturerClient:
    config = manufacturer.Config(
        base_url=BASE,
        account="pimpshop",
        password=PASSWORD,
        sign_key=KEY,
        token_store=store,
        recorder=records.append,
    )
    return manufacturer.ManufacturerClient(config, subject="P1")


def answer(wire, path: str, body: object, **more) -> None:
    wire.add("POST", f"{BASE}/{path}", json=body, **more)


def sent(wire) -> list[tuple[str, str]]:
    return [
        (c.request.url.removeprefix(f"{BASE}/"), c.request.headers.get("Authorization", ""))
        for c in wire.calls
    ]


PAY = {
    "mobile_model_id": "MM020250224000010", "device_id": "CXYLOGD8OQUK", "third_id": "PYEN250830540573",
    "pay_amount": Decimal("19.99"), "pay_type": 12,
}  # fmt: skip
ORDER = {
    "third_pay_id": "PYEN250830540573", "third_id": "OREN250830540573", "mobile_model_id": "MM020250224000010",
    "mobile_shell_id": "MS102503270003", "pic": "https://shop.example/pictures/x.png", "device_id": "CXYLOGD8OQUK",
}  # fmt: skip
GOODS = {
    "id": "GD1", "shop_id": "SP1", "shell_classify_id": "SC1", "shell_classify_ename": "Clear", "mobile_shell_id": "MS1",
    "mobile_shell_name": "壳", "mobile_shell_sku": "SKU", "mobile_model_id": "MM1", "mobile_model_name": "iPhone 15 Pro",
    "brand_id": "BR1", "brand_ename": "iphone",
}  # fmt: skip
STOCK = {
    "mobile_model_id": "MM1", "mobile_model_name": "iPhone 15 Pro", "mobile_shell_id": "MS1", "width": "73.24",
    "height": "149.27", "stock": 7,
}  # fmt: skip
M = manufacturer.messages
CALLS = [
    ("brand/list", lambda c: c.brand_list(), "{}", [{"id": "BR1", "name": "苹果", "e_name": "iphone", "new": 1}],
     [M.Brand(id="BR1", name="苹果", e_name="iphone")]),
    ("stock/list", lambda c: c.stock_list("CXYLOGD8OQUK", "BR1"), '{"device_id":"CXYLOGD8OQUK","brand_id":"BR1"}', [STOCK],
     [M.Stock(**(STOCK | {"width": Decimal("73.24"), "height": Decimal("149.27")}))]),
    ("stock/list", lambda c: c.stock_list("X", "Y"), '{"device_id":"X","brand_id":"Y"}', [], []),
    ("shop/list", lambda c: c.shop_list(2, 10), '{"page":2,"rows":10}', {"total": 1, "list": [{"id": "SP1", "name": "A"}]},
     M.ShopPage(total=1, shops=(M.Shop(id="SP1", name="A"),))),
    ("goods/list", lambda c: c.goods_list("SP1"), '{"shop_id":"SP1"}', [GOODS], [M.Goods(**GOODS)]),
    ("order/payData", lambda c: c.pay_data(**PAY),
     ('{"mobile_model_id":"MM020250224000010","device_id":"CXYLOGD8OQUK","third_id":"PYEN250830540573",'
     '"pay_amount":19.99,"pay_type":12}'),
     {"id": "MSPY1", "third_id": "PYEN250830540573"}, M.PayData(id="MSPY1", third_id="PYEN250830540573")),
    ("order/payStatus", lambda c: c.pay_status(third_id="PYEN1", status=3, pay_amount=Decimal("19.90")),
     '{"third_id":"PYEN1","status":3,"pay_amount":19.9}', None, None),
    ("order/getPayStatus", lambda c: c.get_pay_status(["PYEN1", "PYEN2"]), '["PYEN1","PYEN2"]',
     [{"third_id": "PYEN1", "status": 3}], [M.StatusOf(third_id="PYEN1", status="3")]),
    ("order/orderData", lambda c: c.order_data(**ORDER), json.dumps(ORDER, separators=(",", ":")),
     {"id": "MSOR1", "third_id": "OREN250830540573", "queue_no": "9578", "status": 4},
     M.OrderData(id="MSOR1", third_id="OREN250830540573", queue_no="9578", status="4")),
    ("order/getOrderStatus", lambda c: c.get_order_status(["OREN1"]), '["OREN1"]', [{"third_id": "OREN1", "status": 77}],
     [M.StatusOf(third_id="OREN1", status="77")]),
    ("order/printList", lambda c: c.print_list("CXY"), '{"device_id":"CXY"}',
     [{"mobile_model_name": "iPhone", "id": "MSOR1", "third_id": "OREN1", "pic": "u", "queue_no": 4529, "status": 8}],
     [M.PrintEntry(id="MSOR1", third_id="OREN1", mobile_model_name="iPhone", pic="u", queue_no="4529", status="8")]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "call", "body", "data", "expected"), CALLS, ids=[call[0] for call in CALLS])
def test_each_call(wire, client, records, path, call, body, data, expected):
    answer(wire, path, ok(data), headers={"tlogTraceId": "trace-9"})
    assert call(client) == expected
    (made,) = wire.calls
    assert made.request.body.decode() == body
    assert made.request.headers["sign"] == signing.sign(body, KEY)
    assert made.request.headers["req_source"] == "en"
    assert made.request.headers["Authorization"] == "token-number-1"
    assert made.request.headers["Content-Type"] == "application/json"
    (record,) = records
    assert (record.provider, record.name, record.subject) == ("manufacturer", path, "P1")
    assert (record.status, record.code, record.trace_id, record.error) == (200, "200", "trace-9", "")


def test_an_upload_signs_only_its_type(wire, client, records):
    answer(wire, "file/upload", ok("https://files.example/a.png"))
    assert client.upload_file(b"\x89PNG" * 10) == "https://files.example/a.png"
    request = wire.calls[0].request
    assert request.headers["sign"] == signing.sign({"type": "23"}, KEY)
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="type"\r\n\r\n23\r\n' in request.body
    assert b"\x89PNG" * 10 in request.body
    assert records[0].request == {"type": "23", "file": "<40 bytes>"}


def test_nothing_to_ask_is_not_asked(wire, client):
    assert client.get_pay_status([]) == client.get_order_status([]) == []
    assert len(wire.calls) == 0


@pytest.mark.parametrize("amount", [19.99, "19.99", Decimal("-1"), 5])
def test_an_amount_is_a_decimal(wire, client, amount):
    with pytest.raises(TypeError):
        client.pay_data(**(PAY | {"pay_amount": amount}))
    assert len(wire.calls) == 0


# --- the token ---


def login_answer(token: str) -> dict:
    return ok({"id": "USER1", "account": "pimpshop", "token": token})


def test_the_first_call_logs_in(wire, client, store, records):
    store._token = None
    answer(wire, "user/login", login_answer("token-number-2"))
    answer(wire, "brand/list", ok([]))
    client.brand_list()
    client.brand_list()
    assert sent(wire) == [
        ("user/login", ""),
        ("brand/list", "token-number-2"),
        ("brand/list", "token-number-2"),
    ]
    assert wire.calls[0].request.body == f'{{"account":"pimpshop","password":"{PASSWORD}"}}'.encode()
    assert records[0].request == {"account": "pimpshop", "password": "[redacted]"}
    assert records[0].response["data"]["token"] == "[redacted]"


def test_an_expired_token_is_renewed_once_and_the_call_repeated_once(wire, client):
    answer(wire, "brand/list", failed("token expired", 401))
    answer(wire, "brand/list", ok([]))
    answer(wire, "user/login", login_answer("token-number-2"))
    assert client.brand_list() == []
    assert sent(wire) == [
        ("brand/list", "token-number-1"),
        ("user/login", ""),
        ("brand/list", "token-number-2"),
    ]


def test_a_token_that_fails_again_is_not_tried_a_third_time(wire, client):
    answer(wire, "brand/list", failed("token expired", 401))
    answer(wire, "user/login", login_answer("token-number-2"))
    with pytest.raises(manufacturer.TokenExpired):
        client.brand_list()
    assert [path for path, _ in sent(wire)] == ["brand/list", "user/login", "brand/list"]


def test_http_401_without_an_envelope_is_the_token_too(wire, client):
    wire.add("POST", f"{BASE}/brand/list", status=401, body="<html>")
    answer(wire, "brand/list", ok([]))
    answer(wire, "user/login", login_answer("token-number-2"))
    assert client.brand_list() == []


def test_a_refused_log_in_is_permanent_and_calls_nothing_else(wire, client, store):
    store._token = None
    answer(wire, "user/login", failed("The merchant account does not exist"))
    with pytest.raises(manufacturer.AccountUnknown) as caught:
        client.brand_list()
    assert caught.value.permanent
    assert [path for path, _ in sent(wire)] == ["user/login"]


def test_a_log_in_without_a_token_is_no_log_in(wire, client, store):
    store._token = None
    answer(wire, "user/login", ok({"id": "USER1"}))
    with pytest.raises(manufacturer.Unavailable):
        client.brand_list()
    assert store.get() is None


@pytest.mark.race
def test_many_threads_renew_one_token_once(wire, client):
    def brands(request):
        fresh = request.headers["Authorization"] == "token-number-2"
        return 200, {}, json.dumps(ok([]) if fresh else failed("token", 401))

    wire.add_callback("POST", f"{BASE}/brand/list", brands)
    answer(wire, "user/login", login_answer("token-number-2"))
    gate, done = threading.Barrier(12), []

    def one() -> None:
        gate.wait()
        done.append(client.brand_list())

    threads = [threading.Thread(target=one) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert done == [[]] * 12
    assert [path for path, _ in sent(wire)].count("user/login") == 1


# --- failures ---

E = manufacturer
FAILURES = [
    ("No permission to access the current device", 500, E.NoPermission, True, False),
    ("anything", 403, E.NoPermission, True, False),
    ("The CXYLOGD8OQUK device is unavailable", 500, E.DeviceUnavailable, False, False),
    ("设备不可用", 500, E.DeviceUnavailable, False, False),
    ("Payment information does not exist", 500, E.PaymentUnknown, False, False),
    ("The merchant account does not exist", 500, E.AccountUnknown, True, False),
    ("参数错误", 400, E.BadParameter, True, False),
    ("not here", 404, E.BadParameter, True, False),
    ("Duplicate third_id", 500, E.DuplicateThirdId, False, False),
    ("The third_id already exists", 500, E.DuplicateThirdId, False, False),
    ("请勿重复提交", 500, E.DuplicateThirdId, False, False),
    ("something new", 500, E.ServerFault, False, True),
    ("", 999, E.ServerFault, False, True),
]


@pytest.mark.parametrize(("msg", "code", "error", "permanent", "unknown"), FAILURES)
def test_failures_are_typed_by_code_and_words(wire, client, records, msg, code, error, permanent, unknown):
    answer(wire, "order/orderData", failed(msg, code), headers={"tlogTraceId": "trace-9"})
    with pytest.raises(manufacturer.ManufacturerError) as caught:
        client.order_data(**ORDER)
    exc = caught.value
    assert (type(exc), exc.permanent, exc.outcome_unknown) == (error, permanent, unknown)
    assert (exc.code, exc.msg, exc.trace_id, exc.call) == (code, msg, "trace-9", "order/orderData")
    assert (records[0].code, records[0].status) == (str(code), 200)


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        ({"body": requests.exceptions.ReadTimeout("r")}, E.Unavailable),
        ({"body": requests.exceptions.ConnectionError("reset")}, E.Unavailable),
        ({"body": requests.exceptions.ConnectTimeout("c")}, E.NotSent),
        ({"status": 502, "body": "<html>"}, E.Unavailable),
        ({"status": 200, "body": ""}, E.Unavailable),
        ({"status": 200, "body": "[]"}, E.Unavailable),
        ({"status": 200, "json": {"msg": "no code"}}, E.Unavailable),
        ({"status": 404, "body": "<html>"}, E.Unavailable),
        ({"status": 200, "json": {"msg": "操作成功", "code": 200}}, E.Unavailable),
        ({"status": 200, "json": {"msg": "操作成功", "code": 200, "data": []}}, E.Unavailable),
        ({"status": 500, "json": {"msg": "device is unavailable", "code": 500}}, E.DeviceUnavailable),
    ],
)
def test_a_call_whose_answer_is_lost_or_strange(wire, client, records, answered, error):
    wire.add("POST", f"{BASE}/order/orderData", **answered)
    with pytest.raises(manufacturer.ManufacturerError) as caught:
        client.order_data(**ORDER)
    assert type(caught.value) is error
    assert caught.value.outcome_unknown is (error is E.Unavailable)
    assert not caught.value.permanent
    assert len(wire.calls) == len(records) == 1  # never repeated by itself


def test_success_as_text_and_null_lists(wire, client):
    wire.add("POST", f"{BASE}/stock/list", json={"msg": "操作成功", "code": "200", "data": None})
    assert client.stock_list("X", "Y") == []


def test_no_secret_in_errors_records_or_reprs(wire, client, records, store):
    echo = f"{PASSWORD} {KEY} token-number-1"
    answer(wire, "brand/list", {"msg": echo, "code": 500, "data": echo})
    with pytest.raises(manufacturer.ManufacturerError) as caught:
        client.brand_list()
    seen = repr([str(caught.value), caught.value.msg, records, client._config])
    assert [secret for secret in (PASSWORD, KEY, "token-number-1") if secret in seen] == []
