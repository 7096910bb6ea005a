"""Bad input, and what every refusal must be like: the seed's shape, the right status, a request id, nothing changed.

A table of bad bodies for JSON endpoints (`BROKEN`) and one assertion (`assert_refused`).
"""

from __future__ import annotations

import json
import re
from typing import Any

#: Why -> (raw body, content type, status): no JSON endpoint takes any of these.
BROKEN: dict[str, tuple[bytes, str, int]] = {
    "no JSON": (b"{", "application/json", 400),
    "cut off": (b'{"machine_id": "CXY', "application/json", 400),
    "not UTF-8": (b'{"machine_id": "\xff\xfe"}', "application/json", 400),
    "UTF-16": ('{"machine_id": "X"}'.encode("utf-16"), "application/json", 400),
    "NUL": (b'{"machine_id": "CXY\\u0000LOG"}', "application/json", 400),
    "NUL in a name": (b'{"a\\u0000b": 1}', "application/json", 400),
    "raw NUL": (b'{"machine_id": "CXY\x00LOG"}', "application/json", 400),
    "half a character": (b'{"machine_id": "\\ud800"}', "application/json", 400),
    "NaN": (b'{"machine_id": NaN}', "application/json", 400),
    "Infinity": (b'{"price": -Infinity}', "application/json", 400),
    "a number beyond all": (b'{"price": 1e999999999}', "application/json", 400),
    "a number of 5000 digits": (b'{"price": ' + b"9" * 5000 + b"}", "application/json", 400),
    "nested deeply": (b"[" * 100_000, "application/json", 400),
    "a list": (b"[]", "application/json", 400),
    "a list of objects": (b'[{"machine_id": "CXYLOGD8OQUK"}]', "application/json", 400),
    "null": (b"null", "application/json", 400),
    "a number": (b"1", "application/json", 400),
    "a text": (b'"machine_id"', "application/json", 400),
    "true": (b"true", "application/json", 400),
    "empty": (b"", "application/json", 400),
    "an empty object": (b"{}", "application/json", 400),
    "huge": (b'{"machine_id": "' + b"x" * 29_400_000 + b'"}', "application/json", 413),
    "a form": (b"machine_id=CXYLOGD8OQUK", "application/x-www-form-urlencoded", 415),
    "plain text": (b'{"machine_id": "CXYLOGD8OQUK"}', "text/plain", 415),
    "XML": (b"<machine_id>CXYLOGD8OQUK</machine_id>", "application/xml", 415),
    "multipart": (b"--x--", "multipart/form-data; boundary=x", 415),
}
#: Wrong types for a field that is a text.
NO_TEXT: list[Any] = [1, 1.5, True, False, ["CXYLOGD8OQUK"], {"id": "CXYLOGD8OQUK"}, [[]], {}]


def assert_refused(answer: Any, status: int, code: str | None = None, words: str = "") -> dict[str, Any]:
    """`answer` is a refusal in seed 1's shape; answers its body."""
    assert answer.status_code == status, answer.content[:300]
    body: dict[str, Any] = json.loads(answer.content)
    assert body["status_code"] == status
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert not re.search(r"Traceback|Error\b.*line \d|SELECT |psycopg", answer.content.decode())
    assert answer["Content-Type"].startswith("application/json")
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    if code is not None:
        assert body["code"] == code
    assert words.lower() in body["detail"].lower()
    return body
