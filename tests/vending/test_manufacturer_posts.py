"""What the manufacturer posts, in all its shapes, and what is no post of it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from vending.manufacturer import messages, posts

THIRD_ID = "PYEN250830540573"


@pytest.mark.parametrize(
    "body",
    [
        b'{"third_id":"PYEN250830540573","status":3}',
        b'[{"third_id":"PYEN250830540573","status":3}]',
        b'\xef\xbb\xbf {"thirdId":" PYEN250830540573 ","status":"3","unknown":{"a":[1]}}',
        b'{"third_id":"PYEN250830540573","status":3.0}',
        b"third_id=PYEN250830540573&status=3",
    ],
)
def test_payment_posts(body):
    assert posts.payment_posts(body) == (posts.PaymentPost(third_id=THIRD_ID, status="3"),)


def test_the_documented_payment_post():
    body = json.dumps(
        [
            {
                "third_id": THIRD_ID,
                "pay_type": 5,
                "pay_amount": 19.99,
                "pay_date": "2025-08-30 15:53:29",
                "status": 3,
            }
        ]
    ).encode()
    (post,) = posts.payment_posts(body)
    assert (post.pay_type, post.pay_amount, post.pay_date) == ("5", Decimal("19.99"), "2025-08-30 15:53:29")


@pytest.mark.parametrize(
    ("item", "ids", "queue_no", "device_id"),
    [
        ({"order_id": "OREN1", "status": 11}, ("OREN1",), "", ""),
        ({"orderId": "OREN1", "orderStatus": "11", "queueNumber": 9578}, ("OREN1",), "9578", ""),
        (
            {"third_id": "OREN1", "id": "MSOR1", "status": 11, "queue_no": "001"},
            ("OREN1", "MSOR1"),
            "001",
            "",
        ),
        (
            {
                "thirdId": "OREN1",
                "chineseOrderId": "MSOR1",
                "status": 11,
                "queue_number": "x",
                "deviceId": "CXY",
            },
            ("OREN1", "MSOR1"),
            "x",
            "CXY",
        ),
        (
            {"order_id": "", "third_id": None, "id": "MSOR1", "status": 11, "device_id": "CXY"},
            ("MSOR1",),
            "",
            "CXY",
        ),
    ],
)
def test_order_posts_in_every_spelling(item, ids, queue_no, device_id):
    expected = posts.OrderPost(ids=ids, status="11", queue_no=queue_no, device_id=device_id)
    assert posts.order_posts(json.dumps(item).encode()) == (expected,)
    assert posts.order_posts(json.dumps([item]).encode()) == (expected,)


def test_an_order_post_as_a_form():
    body = b"orderId=OREN1&orderStatus=12&queueNumber=9578&deviceId=CXY"
    expected = posts.OrderPost(ids=("OREN1",), status="12", queue_no="9578", device_id="CXY")
    assert posts.order_posts(body) == (expected,)


NO_POST = [
    b"", b" ", b"\xff\xfe", b"{", b"null", b"1", b"[]", b"{}", b"[[]]", b'["x"]', b"[{}]", b"<xml/>", b"a=b",
    b'{"third_id":"X"}', b'{"status":3}', b'{"third_id":{"a":1},"status":3}', b'{"third_id":"X","status":[3]}',
    b'{"third_id":"","status":3}', b"[" * 100_000, b"&".join(b"a%d=1" % n for n in range(100)),
    b"[" + b",".join([b'{"third_id":"X","status":3}'] * 201) + b"]",
    b'[{"third_id":"X","status":3},{"third_id":"","status":3}]',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_POST)
def test_what_is_no_post(body):
    with pytest.raises(messages.BadMessage):
        posts.payment_posts(body)
    with pytest.raises(messages.BadMessage):
        posts.order_posts(body)


def test_text_is_bounded_and_without_nul():
    (post,) = posts.payment_posts(
        json.dumps({"third_id": "X\x00" + "y" * 5000, "status": "z" * 500}).encode()
    )
    assert post.third_id == "X" + "y" * (messages.MAX_TEXT - 1)
    assert len(post.status) == 32


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (3, "3"),
        ("3", "3"),
        (" 03 ", "3"),
        (3.0, "3"),
        (Decimal("3.0"), "3"),
        ("PAID", "PAID"),
        (None, ""),
        (-1, "-1"),
        ([3], ""),
    ],
)
def test_codes_are_text_and_unknown_ones_are_kept(value, code):
    assert messages.code_text(value) == code


@pytest.mark.parametrize(
    ("value", "amount"),
    [("73.24", Decimal("73.24")), (Decimal("19.99"), Decimal("19.99")), (5, Decimal(5)), (19.99, None), ("1e5", None),
     ("NaN", None), (True, None), ("", None), (None, None), ("19,99", None), ("٣", None)],
)  # fmt: skip
def test_amounts_are_exact_or_nothing(value, amount):
    assert messages.decimal(value) == amount


def test_the_code_tables():
    assert {code.name: int(code) for code in messages.PayType if code in (5, 12)} == {
        "CARD_READER": 5,
        "ONLINE": 12,
    }
    assert sorted(messages.PAYMENT_FINAL) == ["3", "4", "5"]
    assert [code.value for code in messages.Order] == [str(number) for number in range(1, 17)]
    assert messages.ORDER_MEANINGS[messages.Order.PRINT_FAILED] == "print failed"


def test_the_acknowledgement_byte_for_byte():
    assert '{"msg":"操作成功","code":200,"data":"success"}'.encode() == posts.ACKNOWLEDGED
