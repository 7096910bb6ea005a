"""The manufacturer's `sign`: its published vectors, and that what is signed is what is sent."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

import pytest

from vending.manufacturer import signing

KEY = "TESTFIXEDKEY"
VECTORS = [
    ('{"page":1,"rows":10,"user_id":"USER020250118000001"}', "81e1efd66e1ac7ff4a5ec8d4d7e43821"),
    ("{}", "36ada58f8a200fad2c3b8200cf1bdf0b"),
    ('["PYEN250830540573","PYEN250830123456"]', "36ada58f8a200fad2c3b8200cf1bdf0b"),
    (
        (
            '{"mobile_model_id":"MM020250224000010","device_id":"CXYLOGD8OQUK","third_id":"PYEN250830540573",'
            '"pay_amount":19.99,"pay_type":5}'
        ),
        "6ec5a60daeab287d7065751ddfe069e6",
    ),
    ('{"third_id":"PYEN250830123456","status":3,"pay_amount":19.99}', "a2862085391dc457562b1c683c15359b"),
    (
        '[{"third_id":"PYEN250830540573","status":3},{"third_id":"X","status":1}]',
        "22b31df7408c878c20985c3a3745135d",
    ),
    ('{"a":"1","nested":{"x":1},"lst":[1,2],"b":2}', "1447627786166aa9377225daf9055c5d"),
]


@pytest.mark.parametrize(("body", "expected"), VECTORS)
def test_published_vectors(body, expected):
    assert signing.sign(body, KEY) == expected
    assert signing.sign(json.loads(body, parse_float=Decimal), KEY) == expected
    assert signing.verify(body, expected.upper(), KEY)


@pytest.mark.parametrize(("body", "expected"), VECTORS)
def test_a_body_is_written_as_it_is_signed(body, expected):
    assert signing.dumps(json.loads(body, parse_float=Decimal)) == body


@pytest.mark.parametrize(
    ("amount", "literal"),
    [
        ("19.99", "19.99"),
        ("19.90", "19.9"),
        ("20.00", "20"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("0.29", "0.29"),
        ("0", "0"),
    ],
)
def test_an_amount_has_one_spelling(amount, literal):
    """The same whether the other side signs the literal or the number it parsed from it."""
    body = {"pay_amount": Decimal(amount)}
    text = signing.dumps(body)
    assert text == f'{{"pay_amount":{literal}}}'
    assert signing.sign(body, KEY) == signing.sign(text, KEY)


def test_keys_are_sorted_and_text_is_utf8():
    assert signing.sign({"b": "2", "a": "中"}, "k") == signing.sign({"a": "中", "b": "2"}, "k")
    assert signing.sign({"a": "中"}, "k") == hashlib.md5("中mobileShellk".encode()).hexdigest()
    assert signing.dumps({"a": '中"\n'}) == '{"a":"中\\"\\n"}'


@pytest.mark.parametrize("value", [None, 1.5, Decimal("NaN"), {"a": None}, [0.1], b"x"])
def test_what_must_never_be_sent(value):
    with pytest.raises(ValueError, match=r"sent|number"):
        signing.dumps(value)


@pytest.mark.parametrize("body", [b"", b"{", b"1", b"null", b"\xff", b'"x"', b"[" * 100_000])
def test_verify_never_raises(body):
    assert not signing.verify(body, "0" * 32, KEY)


def test_an_empty_key_verifies_nothing():
    assert not signing.verify("{}", signing.sign("{}", ""), "")
