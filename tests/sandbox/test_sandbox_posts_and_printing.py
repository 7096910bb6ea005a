"""What the sandbox sends to the shop by itself, and the machine at work."""

import hashlib
import json
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from sandbox.providers.manufacturer import signing, wire
from tests.sandbox.conftest import ACKNOWLEDGEMENT, DEVICE, SHELL, Partner, StandInShop
from tests.support.sandbox import QUICK, Sandbox, SandboxProcess

PAY, ORDER = "/api/chinese/order/payStatus", "/api/chinese/order-status-update"
ORDER_POST = "post/orderStatus"
PYEN, OREN = "PYEN250830540573", "OREN250830540573"


def order_paid(partner: Partner, shop: StandInShop, pyen: str = PYEN, oren: str = OREN) -> dict:
    partner.pay_data(pyen)
    partner.sandbox.pay(DEVICE, third_id=pyen)
    return partner.order_data(oren, pyen, f"{shop.url}/p/token/case.png")["data"]


def until_status(sandbox: Sandbox, third_id: str, status: int) -> None:
    """Until the order was in that status; it may have left it since."""
    sandbox.wait_for(lambda books: (third_id, status) in steps(books))


def steps(books: dict) -> list[tuple[str, int]]:
    """Every step of every order, oldest first: each has its post, whenever that is sent."""
    return [(post["third_id"], post["status"]) for post in books["posts"] if post["kind"] == ORDER_POST]


def told(shop: StandInShop, status: int) -> dict:
    """The order post of that status. Two posts are sent by two threads and may overtake each other."""
    return next(sent for sent in map(json.loads, shop.posts(ORDER)) if sent["status"] == status)


def test_a_payment_post_is_one_object_and_ends_with_the_acknowledgement(
    partner: Partner, stand_in_shop: StandInShop
) -> None:
    partner.pay_data(PYEN)
    paid = partner.sandbox.pay(DEVICE, method="cash")
    assert (paid["third_id"], paid["status"], paid["method"]) == (PYEN, 3, "cash")
    partner.sandbox.wait_for(lambda books: [p for p in books["posts"] if p["acknowledged"]])
    time.sleep(0.6)
    assert stand_in_shop.posts(PAY) == [b'{"third_id":"PYEN250830540573","status":3}']


@pytest.mark.parametrize("told", [(500, ACKNOWLEDGEMENT), (200, {"msg": "操作成功", "code": 200}), (200, {})])
def test_any_other_answer_is_repeated_ten_times(
    partner: Partner, stand_in_shop: StandInShop, told: tuple
) -> None:
    partner.sandbox.knobs(repeat_seconds=0.02)
    stand_in_shop.answers[PAY] = told
    partner.pay_data(PYEN)
    partner.sandbox.pay(DEVICE)
    partner.sandbox.wait_for(lambda books: books["posts"][0]["attempts"] == 10)
    time.sleep(0.3)
    assert len(stand_in_shop.posts(PAY)) == 10
    assert partner.sandbox.books()["posts"][0]["acknowledged"] == 0


def test_a_declined_card_is_posted_and_final(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.pay_data(PYEN)
    partner.sandbox.pay(DEVICE, method="declined")
    partner.sandbox.wait_for(lambda books: [p for p in books["posts"] if p["acknowledged"]])
    assert stand_in_shop.posts(PAY) == [b'{"third_id":"PYEN250830540573","status":4}']
    refused = partner.http.post(
        f"{partner.sandbox.base_url}/sandbox/api/machine/{DEVICE}/pay", json={}, timeout=9
    )
    assert refused.status_code == 409
    assert partner.sandbox.books()["payments"][0]["status"] == 4


def test_an_online_payment_is_echoed(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.pay_data(PYEN, pay_type=12)
    partner.call("order/payStatus", {"third_id": PYEN, "status": 3, "pay_amount": 19.99})
    partner.sandbox.wait_for(lambda books: [p for p in books["posts"] if p["acknowledged"]])
    assert stand_in_shop.posts(PAY) == [b'{"third_id":"PYEN250830540573","status":3}']


def test_array_wrong_amount_and_signature(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.sandbox.fault("array_body")
    partner.sandbox.fault("wrong_amount")
    partner.sandbox.knobs(sign_posts=1)
    partner.pay_data(PYEN)
    partner.sandbox.pay(DEVICE)
    partner.sandbox.wait_for(lambda books: [p for p in books["posts"] if p["acknowledged"]])
    (body,) = stand_in_shop.posts(PAY)
    (item,) = json.loads(body)
    assert (item["third_id"], item["pay_type"], item["status"]) == (PYEN, 5, 3)
    assert b'"pay_amount":20.99' in body
    assert set(item) == {"third_id", "pay_type", "pay_amount", "pay_date", "status"}
    headers = next(headers for _, path, headers, _ in stand_in_shop.seen if path == PAY)
    assert headers["sign"] == signing.sign(wire.loads(body), Sandbox.SIGN_KEY)


def test_the_machine_polls_until_the_payment_is_complete(
    partner: Partner, stand_in_shop: StandInShop
) -> None:
    path = f"/api/chinese/payment/{PYEN}/status"
    stand_in_shop.answers[path] = (200, {"success": True, "status": 1, "polling_complete": False})
    partner.pay_data(PYEN)
    partner.sandbox.wait_for(lambda books: books["calls"].get("out machine/poll", 0) >= 3)
    stand_in_shop.answers[path] = (200, {"success": True, "status": 3, "polling_complete": True})
    heard = len(polls(stand_in_shop, path))
    partner.sandbox.wait_for(lambda _books: len(polls(stand_in_shop, path)) > heard)
    # At the most one was under way when the answer changed, and heard the old one.
    time.sleep(0.6)
    assert len(polls(stand_in_shop, path)) <= heard + 2


def polls(shop: StandInShop, path: str) -> list[str]:
    return [seen for _, seen, _, _ in list(shop.seen) if seen == path]


def test_a_case_is_printed_step_by_step(partner: Partner, stand_in_shop: StandInShop) -> None:
    order = order_paid(partner, stand_in_shop)
    until_status(partner.sandbox, OREN, 16)
    books = partner.sandbox.wait_for(
        lambda books: (
            books if all(p["acknowledged"] for p in books["posts"]) and len(books["fetches"]) == 3 else None
        )
    )
    posts = sorted(json.loads(body)["status"] for body in stand_in_shop.posts(ORDER))
    assert posts == [8, 9, 10, 11, 12, 15, 16]
    first = {"third_id": OREN, "status": 8, "queue_no": order["queue_no"], "device_id": DEVICE}
    assert told(stand_in_shop, 8) == first
    digest = hashlib.sha256(stand_in_shop.picture).hexdigest()
    for fetch in books["fetches"]:
        assert (fetch["sha256"], fetch["width"], fetch["height"]) == (digest, 98, 192)
        assert fetch["bytes"] == len(stand_in_shop.picture)
    agents = [
        headers.get("User-Agent", "") for _, path, headers, _ in stand_in_shop.seen if path.endswith(".png")
    ]
    assert agents == ["", "", ""]
    assert books["stock"][f"{DEVICE} {SHELL}"] == 39


def test_camel_names_as_a_form_with_their_id(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.sandbox.knobs(order_post_names="camel", order_post_form=1, order_id_kind="msor")
    order = order_paid(partner, stand_in_shop)
    partner.sandbox.wait_for(
        lambda books: [p for p in books["posts"] if p["status"] == 8 and p["acknowledged"]]
    )
    sent = [parse_qs(body.decode()) for body in stand_in_shop.posts(ORDER)]
    assert {
        "orderId": [order["id"]], "orderStatus": ["8"], "queueNumber": [order["queue_no"]], "deviceId": [DEVICE],
    } in sent  # fmt: skip


def test_one_case_at_a_time_and_the_printer_out(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.sandbox.fault("printer_out_status_13")
    order_paid(partner, stand_in_shop)
    until_status(partner.sandbox, OREN, 13)
    order_paid(partner, stand_in_shop, "PYEN250830000002", "OREN250830000002")
    until_status(partner.sandbox, "OREN250830000002", 8)
    time.sleep(0.8)
    assert [order["status"] for order in partner.sandbox.books()["orders"]] == [13, 8]
    partner.sandbox.fault("printer_out_status_13", on=False)
    until_status(partner.sandbox, "OREN250830000002", 16)
    done = steps(partner.sandbox.books())
    assert done.index((OREN, 16)) < done.index(("OREN250830000002", 9))
    assert partner.sandbox.books()["stock"][f"{DEVICE} {SHELL}"] == 38


def test_a_failed_print_may_be_ordered_again(partner: Partner, stand_in_shop: StandInShop) -> None:
    partner.sandbox.fault("print_failed", count=1)
    order_paid(partner, stand_in_shop)
    until_status(partner.sandbox, OREN, 13)
    pic = f"{stand_in_shop.url}/p/case.png"
    assert partner.order_data("OREN250830000002", PYEN, pic)["code"] == 200
    until_status(partner.sandbox, "OREN250830000002", 16)
    assert partner.sandbox.books()["orders"][0]["status"] == 13


def test_without_a_picture_nothing_is_printed(partner: Partner, stand_in_shop: StandInShop) -> None:
    stand_in_shop.picture = b"<html>not found</html>"
    order_paid(partner, stand_in_shop)
    until_status(partner.sandbox, OREN, 13)
    books = partner.sandbox.books()
    assert [fetch["problem"] for fetch in books["fetches"]] == ["not a picture"] * 10
    assert books["stock"][f"{DEVICE} {SHELL}"] == 40


def test_a_restart_loses_nothing(tmp_path: Path, stand_in_shop: StandInShop) -> None:
    process = SandboxProcess(tmp_path / "books", stand_in_shop.url)
    try:
        sandbox = process.start()
        sandbox.knobs(**QUICK | {"step_seconds": 1.5, "repeat_seconds": 1.5})
        stand_in_shop.answers[PAY] = (503, {})
        partner = Partner(sandbox).login()
        order_paid(partner, stand_in_shop)
        sandbox.wait_for(lambda books: books["posts"][0]["attempts"] >= 1)
        process.stop()
        del stand_in_shop.answers[PAY]
        process.start()
        until_status(sandbox, OREN, 11)
        post = sandbox.wait_for(
            lambda books: books["posts"][0] if books["posts"][0]["acknowledged"] else None
        )
        assert post["attempts"] >= 2
    finally:
        process.close()
