"""The sandbox's own signature check against the vectors of the manufacturer's document."""

import pytest

from sandbox.providers.manufacturer import signing, wire

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


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_published_vectors(text: str, expected: str) -> None:
    body = wire.loads(text)
    assert signing.sign(body, KEY) == expected
    assert signing.matches(body, KEY, expected)
    assert not signing.matches(body, KEY, expected.upper())


def test_a_number_counts_as_its_literal() -> None:
    long, short = wire.loads('{"pay_amount":19.90}'), wire.loads('{"pay_amount":19.9}')
    assert signing.sign(long, KEY) != signing.sign(short, KEY)
    assert wire.dumps(long) == '{"pay_amount":19.90}'


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a":NaN}', '{"a":Infinity}', "{'a':1}", ""])
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.loads(text)
