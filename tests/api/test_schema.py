"""The running API keeps what its description promises, whatever it is sent: statuses, content types, bodies, never a 5xx
of our making. Requests are drawn from the description (schemathesis), the same ones in every run.

Nothing leaves the process: the network is `responses` without an answer, so a provider that would be asked does not
answer, which the description allows as 502 and 503.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from accounts.services import api_keys
from pimpshop.wsgi import application

DESCRIPTION = SchemaGenerator().get_schema(request=None, public=True)
schema = schemathesis.openapi.from_dict(DESCRIPTION)
schema.app = application
schema.config.phases.coverage.enabled = False  # hundreds of requests a call

#: A provider that does not answer.
NOT_OURS = (502, 503)


def no_surprise(_context: Any, response: Any, _case: Any) -> None:
    """5xx only where a provider was to be asked."""
    assert response.status_code < 500 or response.status_code in NOT_OURS, response.text[:500]


CHECKS = [no_surprise, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture
def caller(db: None) -> Iterator[str]:
    """A server's key, which may do most, with no network behind it. The connection of the test stays open: behind a WSGI
    client Django would close it at the end of each request, and with it the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield api_keys.create(kind="secret", name="the whole shop")[0]
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.filterwarnings("ignore")
@schema.parametrize()
@settings(
    max_examples=6, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_the_api_keeps_its_description(case: Any, caller: str) -> None:
    response = case.call(headers={"Authorization": f"Bearer {caller}"})
    case.validate_response(response, checks=CHECKS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods],
)
def test_every_call_is_shown_by_example_and_says_how_it_is_refused(path: str, method: str) -> None:
    operation = DESCRIPTION["paths"][path][method]
    bodies = {f"answer {status}": told.get("content", {}) for status, told in operation["responses"].items()}
    bodies["request"] = operation.get("requestBody", {}).get("content", {})
    shown = {
        name: [kind for kind, body in content.items() if not {"example", "examples"} & set(body)]
        for name, content in bodies.items()
    }
    assert {name: kinds for name, kinds in shown.items() if kinds and "application/json" in kinds} == {}
    assert [status for status in operation["responses"] if status.startswith("4")] != []
    assert operation["operationId"]
    assert operation["tags"] != ["api"]


def test_tokens_and_keys_are_bearers() -> None:
    assert DESCRIPTION["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
