"""One error type, five envelopes by path; nothing of the inside gets out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from pimpshop.core import errors

SURPRISE = "Something went wrong on our side. Your payment and your design are safe. Please try again."


@pytest.fixture
def client(settings: Any) -> Client:
    settings.ROOT_URLCONF = "tests.core.error_urls"
    return Client(raise_request_exception=False, headers={"accept-language": "en"})


def post(client: Client, path: str, body: Any) -> Any:
    raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.post(path, raw, content_type="application/json")


# --- The five shapes --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/api/vending/x",
            {"detail": "Model gone.", "status_code": 409, "code": "model_gone", "fields": {"field": "model"}},
        ),
        (
            "/api/v1/payments/wechat/x",
            {"error": "Model gone.", "code": "MODEL_GONE", "details": {"field": "model"}},
        ),
        (
            "/api/stripe/x",
            {"error": {"code": "model_gone", "message": "Model gone.", "type": "invalid_request_error"}},
        ),
        ("/api/orders/x", {"detail": "Model gone."}),
        ("/api/v1/payments", {"error": {"code": "MODEL_GONE", "message": "Model gone.", "field": "model"}}),
        ("/v2/payments", {"error": {"code": "MODEL_GONE", "message": "Model gone.", "field": "model"}}),
    ],
)
def test_each_seed_has_its_own_shape(client: Client, path: str, body: dict[str, Any]) -> None:
    answer = post(client, path, {"how": "shop"})
    assert (answer.status_code, answer.json()) == (409, body)
    assert answer["Content-Type"] == "application/json"
    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("path", "envelope"),
    [
        ("/api/vending/create-session", "detail_with_status"),
        ("/api/chinese/order/payStatus", "detail_with_status"),
        ("/create-checkout-session", "detail_with_status"),
        ("/process-payment-success", "detail_with_status"),
        ("/api/v1/payments/wechat/create", "wechat_style"),
        ("/api/v2/payments/wechat/create", "wechat_style"),
        ("/api/create-checkout-session", "stripe_style"),
        ("/api/check-payment-status/x", "stripe_style"),
        ("/api/orders/callback", "detail_only"),
        ("/api/products/", "detail_only"),
        ("/api/v1/payments/pay_1", "unified_style"),
        ("/api/v2/refunds", "unified_style"),
        ("/v2/payments", "unified_style"),
        ("/api/anything", "detail_with_status"),
        ("/", "detail_with_status"),
    ],
)
def test_every_path_has_an_owner(path: str, envelope: str) -> None:
    assert errors.envelope_for(path).__name__ == envelope


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (429, "rate_limit_error"), (502, "api_error")]
)
def test_seed_3_names_the_type(status: int, kind: str) -> None:
    assert errors.stripe_style(status, "c", "m", {})["error"]["type"] == kind


# --- Other people's exceptions ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("how", "status", "code", "text"),
    [
        ("http404", 404, "not_found", "Not found."),
        ("denied", 403, "forbidden", "You do not have permission to perform this action."),
        ("toobig", 413, "too_large", "That is too large."),
        ("suspicious", 400, "invalid_request", "That request cannot be read. Nothing was changed."),
        ("bad", 400, "invalid_request", "That request cannot be read. Nothing was changed."),
        ("hungup", 400, "invalid_request", "That request cannot be read. Nothing was changed."),
        ("surprise", 500, "internal_error", SURPRISE),
    ],
)
def test_exceptions_become_answers_that_tell_nothing_else(
    client: Client, how: str, status: int, code: str, text: str
) -> None:
    answer = post(client, "/api/vending/x", {"how": how})
    assert (answer.status_code, answer.json()) == (
        status,
        {"detail": text, "status_code": status, "code": code},
    )
    assert b"row 7" not in answer.content
    assert b"hunter2" not in answer.content


@pytest.mark.parametrize(("how", "seconds"), [("wait", "7"), ("throttled", "3")])
def test_a_429_says_when_to_come_back(client: Client, how: str, seconds: str) -> None:
    answer = post(client, "/api/vending/x", {"how": how})
    assert (answer.status_code, answer["Retry-After"], answer.json()["code"]) == (
        429,
        seconds,
        "rate_limited",
    )


def test_a_401_names_its_scheme(client: Client) -> None:
    answer = post(client, "/api/vending/x", {"how": "unauthorized"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_validation_error_names_each_field(client: Client) -> None:
    answer = post(client, "/api/vending/x", {"amount": "1.005", "name": "long"})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "detail": "amount: Ensure that there are no more than 2 decimal places.",
            "status_code": 400,
            "code": "invalid_request",
            "fields": {
                "amount": ["Ensure that there are no more than 2 decimal places."],
                "name": ["Ensure this field has no more than 3 characters."],
            },
        },
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "invalid_request"),
        ('{"amount": NaN}', 400, "invalid_request"),
        ('{"how": "x\\u0000"}', 400, "invalid_request"),
        ('{"how": "\\ud800"}', 400, "invalid_request"),
        (b"\xff", 400, "invalid_request"),
        ("[" * 150, 400, "invalid_request"),
        ('"' + "x" * 300 + '"', 413, "too_large"),
    ],
)
def test_a_bad_body_is_an_answer_in_the_same_shape(client: Client, body: Any, status: int, code: str) -> None:
    answer = post(client, "/api/vending/x", body)
    assert (answer.status_code, answer.json()["status_code"], answer.json()["code"]) == (status, status, code)
    assert set(answer.json()) == {"detail", "status_code", "code"}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_405_says_what_is_allowed(client: Client, method: str) -> None:
    answer = getattr(client, method)("/api/vending/x", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "POST, OPTIONS"
    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_415_for_anything_but_json(client: Client, kind: str) -> None:
    answer = client.post("/api/vending/x", b"<x/>", content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_view_is_closed_until_it_opens_itself(client: Client) -> None:
    answer = client.get("/api/vending/staff")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"] == "Bearer"


# --- Outside DRF ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/vending/none", 404, {"detail": "Not found.", "status_code": 404, "code": "not_found"}),
        ("/api/v1/none", 404, {"error": {"code": "NOT_FOUND", "message": "Not found."}}),
        ("/api/v1/payments/wechat/none", 404, {"error": "Not found.", "code": "NOT_FOUND", "details": {}}),
        ("/api/orders/none", 404, {"detail": "Not found."}),
        (
            "/api/vending/page?how=denied",
            403,
            {"detail": "You may not do this. Nothing was changed.", "status_code": 403, "code": "forbidden"},
        ),
        (
            "/api/vending/page?how=suspicious",
            400,
            {
                "detail": "That did not work. Nothing was charged.",
                "status_code": 400,
                "code": "invalid_request",
            },
        ),
        (
            "/api/vending/page?how=surprise",
            500,
            {"detail": SURPRISE, "status_code": 500, "code": "internal_error"},
        ),
    ],
)
def test_plain_views_under_api_answer_in_json_too(client: Client, path: str, status: int, body: Any) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"], answer.json()) == (status, "application/json", body)
    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("path", "status"),
    [("/none", 404), ("/page?how=denied", 403), ("/page?how=bad", 400), ("/page?how=surprise", 500)],
)
def test_people_get_a_page(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert b"row 7" not in answer.content
    assert b"hunter2" not in answer.content
    assert len(answer["X-Request-ID"]) == 32


def test_a_host_that_is_not_ours_is_refused(client: Client) -> None:
    answer = client.get("/api/vending/none", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")


def test_chinese_is_answered_in_chinese_characters(client: Client) -> None:
    answer = client.get("/api/vending/none", headers={"Accept-Language": "zh-CN"})
    assert "\\u" not in answer.content.decode()
    assert answer["Content-Language"] == "zh-hans"
