"""JSON bodies, strictly."""

from __future__ import annotations

import io
import time
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from pimpshop.core import errors, parsers


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": 19.99}', {"a": Decimal("19.99")}),
        (b'{"a": 1.10}', {"a": Decimal("1.10")}),
        (b"[1, 2.5, true, null]", [1, Decimal("2.5"), True, None]),
        ('{"名": "壳 😀"}'.encode(), {"名": "壳 😀"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'"x"', "x"),
        (b"1e2", Decimal("1e2")),
        (b"[" * 20 + b"]" * 20, [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]),
    ],
)
def test_good_json_keeps_its_values_exactly(raw: bytes, value: Any) -> None:
    got = parsers.loads(raw)
    assert got == value
    assert repr(got) == repr(value)  # Decimal("1.10"), not 1.1


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": -Infinity}', "not valid JSON"),
        (b'{"a": 1e999999999}', "not valid JSON"),
        (b'{"a": 1e-999999999}', "not valid JSON"),
        (b"9" * 5000, "not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not valid JSON"),
        (b'{"a": "\x01"}', "not valid JSON"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"a": "\xc3"}', "not UTF-8"),
        ('{"a": "壳"}'.encode("gb18030"), "not UTF-8"),
        (b'{"a": "x\\u0000y"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'[["\\u0000"]]', "NUL"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"\\udfff": 1}', "half of a character"),
        (b"[" * 22 + b"]" * 22, "nested too deeply"),
        (b'{"a":' * 22 + b"1" + b"}" * 22, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_bad_json_is_refused_in_words(raw: bytes, word: str) -> None:
    with pytest.raises(ParseError, match=word):
        parsers.loads(raw)


class View:
    def __init__(self, cap: int | None = None) -> None:
        if cap is not None:
            self.max_body_bytes = cap


def parse(raw: bytes, view: View | None = None) -> Any:
    return parsers.StrictJSONParser().parse(io.BytesIO(raw), "application/json", {"view": view or View()})


def test_an_empty_body_is_an_empty_object() -> None:
    assert parse(b"") == {}
    assert parse(b" \n") == {}


def test_a_body_up_to_the_cap_is_read_and_not_one_byte_more() -> None:
    exact = b'"' + b"x" * (parsers.MAX_BYTES - 2) + b'"'
    assert parse(exact) == "x" * (parsers.MAX_BYTES - 2)
    with pytest.raises(errors.ShopError) as refused:
        parse(exact + b" ")
    assert (refused.value.status, refused.value.code) == (413, "too_large")


def test_a_view_may_widen_or_narrow_its_cap() -> None:
    long = b'"' + b"x" * parsers.MAX_BYTES + b'"'
    assert len(parse(long, View(cap=1024 * 1024))) == parsers.MAX_BYTES
    with pytest.raises(errors.ShopError):
        parse(b'"abc"', View(cap=4))


def test_what_is_too_large_is_not_even_read() -> None:
    stream = io.BytesIO(b"x" * 2_000_000)
    with pytest.raises(errors.ShopError):
        parsers.StrictJSONParser().parse(stream, "application/json", {"view": View()})
    assert stream.tell() == parsers.MAX_BYTES + 1


def test_a_large_body_costs_little() -> None:
    raw = b'{"designImage": "data:image/png;base64,' + b"A" * 20_000_000 + b'"}'
    began = time.process_time()
    parsers.loads(raw)
    assert time.process_time() - began < 10  # hundredths; a second reading in Python takes minutes
