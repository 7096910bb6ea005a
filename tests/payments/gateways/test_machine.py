"""Pay at the machine: the contract, and what is special about the manufacturer."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
import responses

from payments.gateways import base, machine
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW, GatewayContract
from vending import manufacturer
from vending.manufacturer import signing

SAMPLES = Path(__file__).parent / "samples" / "machine"
ANSWERS = json.loads((SAMPLES / "answers.json").read_text())
POSTS = json.loads((SAMPLES / "posts.json").read_text())
BASE = "https://api.example/mobileShell/en"
PASSWORD, SIGN_KEY = "machine-account-pw-1", "FIXEDSIGNKEY77"
TOKEN = ANSWERS["user/login"]["data"]["token"]
THIRD_ID = "PYEN250830540573"
PATHS = {"create": "order/payData", "query": "order/getPayStatus"}


def failure(msg: str, code: int = 500) -> dict:
    return {"msg": msg, "code": code, "data": None}


REFUSED = {
    "no_permission": failure("No permission to access the current device"),
    "offline": failure("The CXYLOGD8OQUK device is unavailable"),
    "bad_parameter": failure("参数错误", 400),
    "duplicate": failure("third_id already exists"),
    "token": failure("token expired", 401),
}


def make(recorder=None, **config) -> machine.MachineGateway:
    client = manufacturer.ManufacturerClient(
        manufacturer.Config(
            base_url=BASE,
            account="pimpshop",
            password=PASSWORD,
            sign_key=SIGN_KEY,
            recorder=recorder,
            token_store=manufacturer.MemoryTokenStore(),
        )
    )
    return machine.MachineGateway(machine.Config(client=client, account="pimpshop", **config))


def statuses(*pairs) -> dict:
    return {
        "msg": "操作成功",
        "code": 200,
        "data": [{"third_id": one, "status": word} for one, word in pairs],
    }


def post(body: object, **headers: str) -> base.WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base.WebhookRequest(body=raw, received_at=NOW, headers=headers)


class TestContract(GatewayContract):
    KEY = "machine"
    METHOD = "machine"
    PROVIDER_REF = "MSPY10250830000008"
    ACTION = base.MachinePrompt
    STATUSES = {
        "1": base.PaymentStatus.REQUIRES_ACTION,
        "2": base.PaymentStatus.PROCESSING,
        "3": base.PaymentStatus.SUCCEEDED,
        "4": base.PaymentStatus.FAILED,
        "5": base.PaymentStatus.PROCESSING,
    }
    REFUSALS = {
        "no_permission": (base.GatewayMisuse, "device_unavailable"),
        "offline": (base.GatewayDeclined, "device_unavailable"),
        "bad_parameter": (base.GatewayMisuse, "invalid_request"),
        "duplicate": (base.GatewayDeclined, "duplicate_reference"),
        "token": (base.GatewayMisuse, "credentials"),
    }
    SECRETS = (PASSWORD, SIGN_KEY, TOKEN)
    ACKNOWLEDGEMENT = '{"msg":"操作成功","code":200,"data":"success"}'.encode()

    def make(self, recorder=None):
        return make(recorder)

    def stub(self, wire, verb, case):
        answer = ANSWERS[PATHS[verb]]
        if case in REFUSED:
            answer = REFUSED[case]
        elif case.startswith("status:"):
            answer = statuses((THIRD_ID, case.removeprefix("status:")))
        elif case == "unknown_id":
            answer = statuses()
        elif case == "foreign":
            answer = statuses(("PYEN250830999999", 3))
        self.break_wire(wire, verb, json=answer)

    def break_wire(self, wire, verb, **answer):
        wire.add("POST", f"{BASE}/user/login", json=ANSWERS["user/login"])
        wire.add("POST", f"{BASE}/{PATHS[verb]}", **answer)

    def calls(self, wire, verb):
        return [call.request for call in wire.calls if call.request.url.endswith(PATHS[verb])]

    def wire_amount(self, sent):
        return json.loads(sent.body, parse_float=Decimal, parse_int=Decimal)["pay_amount"]

    def wire_key(self, sent):
        return json.loads(sent.body)["third_id"]

    def post(self, case):
        return post({"third_id": THIRD_ID, "status": 3})


@pytest.fixture
def wire():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("POST", f"{BASE}/user/login", json=ANSWERS["user/login"])
        yield mock


def paths(wire) -> list[str]:
    return [call.request.url.removeprefix(f"{BASE}/") for call in wire.calls]


REQUEST = TestContract().request()


def test_create_announces_the_payment_with_pay_type_5(wire):
    wire.add("POST", f"{BASE}/order/payData", json=ANSWERS["order/payData"])
    result = make().create_payment(REQUEST)
    sent = wire.calls[-1].request
    assert sent.body == (
        b'{"mobile_model_id":"MM020250224000010","device_id":"CXYLOGD8OQUK","third_id":"PYEN250830540573",'
        b'"pay_amount":19.99,"pay_type":5}'
    )
    assert sent.headers["sign"] == signing.sign(sent.body, SIGN_KEY)
    assert result.next_action == base.MachinePrompt(machine_id="CXYLOGD8OQUK", reference=THIRD_ID)
    assert (result.out_trade_no, result.account, result.live) == (THIRD_ID, "pimpshop", False)


def test_create_without_a_machine_is_never_sent(wire):
    request = TestContract().request(device=None)
    with pytest.raises(base.GatewayMisuse) as caught:
        make().create_payment(request)
    assert caught.value.not_sent
    assert paths(wire) == []


def test_an_answer_about_another_payment_is_unknown(wire):
    other = {"msg": "操作成功", "code": 200, "data": {"id": "MSPY1", "third_id": "PYEN250830999999"}}
    wire.add("POST", f"{BASE}/order/payData", json=other)
    with pytest.raises(base.GatewayUnavailable) as caught:
        make().create_payment(REQUEST)
    assert (caught.value.code, caught.value.outcome) == ("bad_answer", base.Outcome.UNKNOWN)


@pytest.mark.parametrize(
    ("word", "status", "action"),
    [(1, "requires_action", True), (2, "processing", True), (3, "succeeded", False), (4, "failed", False)],
)
def test_a_resend_looks_first_and_does_not_announce_twice(wire, word, status, action):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses((THIRD_ID, word)))
    result = make().create_payment(TestContract().request(resend=True))
    assert (result.status, result.next_action is not None) == (status, action)
    assert paths(wire) == ["user/login", "order/getPayStatus"]


def test_a_resend_that_never_arrived_is_sent(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses())
    wire.add("POST", f"{BASE}/order/payData", json=ANSWERS["order/payData"])
    result = make().create_payment(TestContract().request(resend=True))
    assert result.provider_ref == "MSPY10250830000008"
    assert paths(wire) == ["user/login", "order/getPayStatus", "order/payData"]


def test_a_resend_whose_look_fails_sends_nothing(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", status=502)
    with pytest.raises(base.GatewayUnavailable):
        make().create_payment(TestContract().request(resend=True))
    assert paths(wire) == ["user/login", "order/getPayStatus"]


def test_a_duplicate_after_a_lost_answer_is_our_own_payment(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses())
    wire.add("POST", f"{BASE}/order/payData", json=REFUSED["duplicate"])
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses((THIRD_ID, 1)))
    result = make().create_payment(TestContract().request(resend=True))
    assert result.status == base.PaymentStatus.REQUIRES_ACTION
    assert paths(wire)[1:] == ["order/getPayStatus", "order/payData", "order/getPayStatus"]


def test_a_duplicate_on_a_resend_is_ours_although_no_look_knows_it(wire):
    """A provider that lists only payments that have ended: the duplicate alone proves that the first send arrived."""
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses())
    wire.add("POST", f"{BASE}/order/payData", json=REFUSED["duplicate"])
    result = make().create_payment(TestContract().request(resend=True))
    assert (result.status, result.provider_ref) == (base.PaymentStatus.REQUIRES_ACTION, "")
    assert result.next_action == base.MachinePrompt(machine_id="CXYLOGD8OQUK", reference=THIRD_ID)
    assert paths(wire)[1:] == ["order/getPayStatus", "order/payData", "order/getPayStatus"]


def test_a_duplicate_on_the_first_send_is_never_believed_to_be_ours(wire):
    wire.add("POST", f"{BASE}/order/payData", json=REFUSED["duplicate"])
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses((THIRD_ID, 3)))
    with pytest.raises(base.GatewayDeclined) as caught:
        make().create_payment(REQUEST)
    assert caught.value.code == "duplicate_reference"
    assert paths(wire) == ["user/login", "order/payData"]


def test_abnormal_is_flagged_and_not_failed(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses((THIRD_ID, 5)))
    result = make().query_payment(TestContract().ref())
    assert (result.status, result.flags) == (base.PaymentStatus.PROCESSING, ("abnormal",))


def test_a_failed_payment_says_why(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=statuses((THIRD_ID, 4)))
    result = make().query_payment(TestContract().ref())
    assert result.error == base.ErrorDetail(code="payment_failed", provider_code="4")


def test_a_query_that_says_the_payment_does_not_exist_is_not_found(wire):
    wire.add("POST", f"{BASE}/order/getPayStatus", json=failure("Payment information does not exist"))
    result = make().query_payment(TestContract().ref())
    assert (result.status, result.flags) == (base.PaymentStatus.CREATED, ("not_found",))


@pytest.mark.parametrize("sample", POSTS, ids=[sample["why"] for sample in POSTS])
def test_posts_are_read_in_every_shape(sample):
    events = make().read_webhook(post(sample["body"]))
    told = [None if event.amount_told is None else str(event.amount_told) for event in events]
    seen = [
        [event.out_trade_no, event.provider_status, str(event.status), amount]
        for event, amount in zip(events, told, strict=True)
    ]
    assert seen == sample["says"]
    assert {event.confirmed for event in events} == {False}


def test_a_post_with_another_amount_disagrees():
    (event,) = make().read_webhook(post([{"third_id": THIRD_ID, "status": 3, "pay_amount": 1.99}]))
    assert event.disagrees_with(Money.parse("19.99", "GBP"))
    assert not event.disagrees_with(Money.parse("1.99", "GBP"))
    (silent,) = make().read_webhook(post({"third_id": THIRD_ID, "status": 3}))
    assert not silent.disagrees_with(Money.parse("19.99", "GBP"))


def test_a_post_keeps_nothing_but_the_known_fields():
    body = [
        {"third_id": THIRD_ID, "status": 3, "pay_amount": 19.99, "card": "4242424242424242", "password": "x"}
    ]
    (event,) = make().read_webhook(post(body))
    assert event.payload == {"third_id": THIRD_ID, "status": "3", "pay_amount": "19.99"}


def test_a_signed_post_must_fit_and_stays_a_hint():
    gateway = make(webhook_signed=True, sign_key=SIGN_KEY)
    body = b'{"third_id":"PYEN250830540573","status":3}'
    (event,) = gateway.read_webhook(post(body, Sign=signing.sign(body, SIGN_KEY)))
    assert (event.out_trade_no, event.confirmed) == (THIRD_ID, False)
    for bad in ("", "0" * 32, signing.sign(body, "another-key"), signing.sign(b'{"status":1}', SIGN_KEY)):
        with pytest.raises(base.WebhookRejected) as caught:
            gateway.read_webhook(post(body, sign=bad))
        assert (caught.value.http_status, caught.value.code) == (401, "bad_signature")


def test_a_signed_post_under_an_empty_key_is_refused():
    body = b'{"third_id":"PYEN250830540573","status":3}'
    gateway = make(webhook_signed=True, sign_key="")
    with pytest.raises(base.WebhookRejected):
        gateway.read_webhook(post(body, sign=signing.sign(body, "")))
