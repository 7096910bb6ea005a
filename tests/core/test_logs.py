"""Logs: one line a happening, JSON, redacted, with the request's id; seen from outside, as an operator sees them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import processes

_TALK = """
import django, logging
django.setup()
import structlog
from django.test import Client
Client().get("/healthz?token=hunter2", headers={"X-Request-ID": "abcd1234-log", "Authorization": "Bearer hunter2"})
structlog.get_logger("shop").warning("paid_壳", password="hunter2", nested={"api_key": "hunter2"}, amount="19.99")
logging.getLogger("library").error("token=%s", "hunter2-hunter2")
try:
    raise ValueError("password=hunter2")
except ValueError:
    logging.getLogger("library").exception("boom")
    structlog.get_logger("shop").exception("bang")
logging.getLogger("library").debug("not shown")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    done = processes.python("-c", _TALK, LOG_FORMAT="json", LOG_LEVEL="INFO")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def one(lines: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (found,) = [line for line in lines if line["event"] == event]
    return found


def test_every_line_is_json_with_time_level_and_logger(lines: list[dict[str, Any]]) -> None:
    assert len(lines) == 6
    for line in lines:
        assert line["timestamp"].endswith("Z")
        assert line["level"] in {"info", "warning", "error"}
        assert line["logger"]


def test_a_request_is_two_lines_with_its_id(lines: list[dict[str, Any]]) -> None:
    for event in ("request_started", "request_finished"):
        assert one(lines, event)["request_id"] == "abcd1234-log"
    assert one(lines, "request_finished")["code"] == 200


def test_secrets_are_gone_and_the_rest_is_there(lines: list[dict[str, Any]]) -> None:
    line = one(lines, "paid_壳")
    assert (line["password"], line["nested"], line["amount"]) == (
        "[redacted]",
        {"api_key": "[redacted]"},
        "19.99",
    )


def test_what_libraries_say_is_redacted_too(lines: list[dict[str, Any]]) -> None:
    assert one(lines, "token=[redacted]")["logger"] == "library"


@pytest.mark.parametrize("event", ["boom", "bang"])
def test_a_traceback_is_in_its_line(lines: list[dict[str, Any]], event: str) -> None:
    line = one(lines, event)
    assert "ValueError" in line["exception"]
    assert "Traceback" in line["exception"]
