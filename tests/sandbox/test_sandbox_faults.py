"""The fault switchboard: each fault strikes where and as often as it was told to."""

import json
import threading
import time

import pytest
import requests

from tests.sandbox.conftest import DEVICE, Partner, StandInShop

PAY = "/api/chinese/order/payStatus"
PYEN, OREN = "PYEN250830540573", "OREN250830540573"


@pytest.mark.parametrize("name", ["dropped", "answer_lost_after_accepting"])
def test_a_dropped_connection(partner: Partner, name: str) -> None:
    partner.sandbox.fault(name, count=1, target="order/payData")
    with pytest.raises(requests.ConnectionError):
        partner.pay_data(PYEN)
    accepted = [payment["third_id"] for payment in partner.sandbox.books()["payments"]]
    assert accepted == ([] if name == "dropped" else [PYEN])
    again = partner.pay_data(PYEN)
    assert again["code"] == (200 if name == "dropped" else 500)
    assert len(partner.sandbox.books()["payments"]) == 1


def test_down_and_error_after_accepting(partner: Partner) -> None:
    partner.sandbox.fault("down", count=2)
    codes = [partner.raw("brand/list", {}).status_code for _ in range(3)]
    assert codes == [503, 503, 200]
    partner.sandbox.fault("error_after_accepting", count=1)
    body = {
        "mobile_model_id": "MM020250224000010",
        "device_id": DEVICE,
        "third_id": PYEN,
        "pay_amount": 1,
        "pay_type": 5,
    }
    assert partner.raw("order/payData", body).status_code == 500
    assert len(partner.sandbox.books()["payments"]) == 1


def test_slow(partner: Partner) -> None:
    partner.sandbox.fault("slow", count=1, seconds=0.6, target="stock/list")
    partner.call("brand/list", {})
    assert partner.sandbox.books()["faults"][0]["strokes"] == 0
    started = time.monotonic()
    partner.call("stock/list", {"device_id": DEVICE, "brand_id": "BR20250111000002"})
    assert time.monotonic() - started >= 0.6


def test_token_expired_once(partner: Partner) -> None:
    partner.sandbox.fault("token_expired", count=1)
    assert partner.call("brand/list", {})["code"] == 401
    assert partner.call("brand/list", {})["code"] == 401  # this token is gone for good
    assert partner.login().call("brand/list", {})["code"] == 200


def test_a_new_login_voids_older_tokens_when_told_so(partner: Partner) -> None:
    old = partner.token
    partner.login()
    assert partner.raw("brand/list", {}, Authorization=old).json()["code"] == 200
    partner.sandbox.fault("single_token")
    partner.login()
    assert partner.raw("brand/list", {}, Authorization=old).json()["code"] == 401
    assert partner.call("brand/list", {})["code"] == 200


def test_out_of_stock(partner: Partner) -> None:
    partner.sandbox.fault("out_of_stock", target="stock/list", count=1)
    body = {"device_id": DEVICE, "brand_id": "BR20250111000002"}
    assert {row["stock"] for row in partner.call("stock/list", body)["data"]} == {0}
    assert max(row["stock"] for row in partner.call("stock/list", body)["data"]) == 40
    partner.sandbox.fault("out_of_stock", target="order/payData", count=1)
    assert partner.pay_data(PYEN) == {"msg": "The mobile shell is out of stock", "code": 500}
    assert partner.pay_data(PYEN)["code"] == 200


def test_device_unavailable_strikes_as_often_as_told(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.pay_data(PYEN)
    partner.sandbox.pay(DEVICE)
    partner.sandbox.fault("device_unavailable", count=2)
    pic = f"{stand_in_shop.url}/a.png"
    told = [partner.order_data(OREN, PYEN, pic) for _ in range(3)]
    unavailable = {"msg": f"{DEVICE} device is unavailable", "code": 500}
    assert told[:2] == [unavailable, unavailable]
    assert told[2]["code"] == 200
    (fault,) = partner.sandbox.books()["faults"]
    assert (fault["strokes"], fault["is_on"]) == (2, 0)


def test_unknown_status(partner: Partner) -> None:
    partner.pay_data(PYEN)
    partner.sandbox.fault("unknown_status", target="order/getPayStatus", count=1)
    assert partner.call("order/getPayStatus", [PYEN])["data"] == [{"third_id": PYEN, "status": 99}]
    assert partner.call("order/getPayStatus", [PYEN])["data"] == [{"third_id": PYEN, "status": 1}]


def test_duplicate_late_and_lost_posts(partner: Partner, stand_in_shop: StandInShop) -> None:
    sandbox = partner.sandbox
    sandbox.fault("duplicate_webhook", count=1, seconds=0.1)
    partner.pay_data(PYEN)
    sandbox.pay(DEVICE)
    sandbox.wait_for(lambda books: sum(p["acknowledged"] for p in books["posts"]) == 2)
    assert len(stand_in_shop.posts(PAY)) == 2
    sandbox.fault("late_webhook", count=1, seconds=0.8)
    partner.pay_data("PYEN250830000002")
    started = time.monotonic()
    sandbox.pay(DEVICE)
    sandbox.wait_for(lambda books: sum(p["acknowledged"] for p in books["posts"]) == 3)
    assert time.monotonic() - started >= 0.8
    sandbox.fault("lost_webhook", count=1)
    partner.pay_data("PYEN250830000003")
    sandbox.pay(DEVICE)
    time.sleep(0.5)
    assert len(stand_in_shop.posts(PAY)) == 3
    assert partner.call("order/getPayStatus", ["PYEN250830000003"])["data"][0]["status"] == 3


def test_an_older_state_after_a_newer_one(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.sandbox.fault("reordered", target="post/payStatus", count=1, seconds=3600)
    partner.pay_data(PYEN)
    partner.sandbox.pay(DEVICE)
    partner.sandbox.wait_for(lambda books: sum(p["acknowledged"] for p in books["posts"]) == 1)
    partner.sandbox.post("hurry", {})
    partner.sandbox.wait_for(lambda books: sum(p["acknowledged"] for p in books["posts"]) == 2)
    assert [json.loads(body)["status"] for body in stand_in_shop.posts(PAY)] == [3, 2]


def test_a_count_holds_under_threads(partner: Partner) -> None:
    partner.sandbox.fault("down", count=3, target="brand/list")
    seen: list[int] = []

    def ask() -> None:
        url = f"{partner.sandbox.manufacturer_url}/brand/list"
        seen.append(requests.post(url, json={}, timeout=30).status_code)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [200] * 9 + [503] * 3


@pytest.mark.parametrize(
    "body",
    [{"name": "gremlins"}, {"name": "slow", "target": "order/refund"}, {"name": "slow", "count": 0}, {}, [1]],
)
def test_a_switch_that_makes_no_sense_changes_nothing(partner: Partner, body: object) -> None:
    answer = requests.post(f"{partner.sandbox.base_url}/sandbox/api/faults", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert partner.sandbox.books()["faults"] == []


def test_knobs_are_turned_together_or_not_at_all(partner: Partner) -> None:
    before = partner.sandbox.knobs()
    for bad in ({"print_seconds": "soon"}, {"order_id_kind": "both"}, {"nonsense": 1}):
        body = {"poll_seconds": 77} | bad
        answer = requests.post(f"{partner.sandbox.base_url}/sandbox/api/knobs", json=body, timeout=10)
        assert answer.status_code == 400
    assert partner.sandbox.knobs() == before
