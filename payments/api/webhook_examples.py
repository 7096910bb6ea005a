"""Examples of webhooks out and the list of events for the API's description, by the name of the call."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_MADE = "2026-01-28T10:00:00Z"
_ENDPOINT: dict[str, Any] = {
    "id": "we_550e8400-e29b-41d4-a716-446655440010", "url": "https://merchant.example.com/hooks", "events": ["*"],
    "description": "Orders", "is_active": True, "created_at": _MADE,
}  # fmt: skip
_SECRET = {**_ENDPOINT, "secret": "whsec_…"}
_DELIVERY: dict[str, Any] = {
    "id": "wd_550e8400-e29b-41d4-a716-446655440011", "endpoint_id": _ENDPOINT["id"],
    "event_id": "evt_550e8400-e29b-41d4-a716-446655440012", "event_type": "payment.succeeded", "status": "delivered",
    "attempts": 1, "next_attempt_at": None, "last_status": 200, "last_latency_ms": 84, "last_error": "",
    "response_excerpt": "ok", "delivered_at": _MADE, "created_at": _MADE,
}  # fmt: skip
_WAITING = {**_DELIVERY, "status": "pending", "next_attempt_at": _MADE, "last_status": None, "delivered_at": None,
            "attempts": 0, "last_latency_ms": None, "response_excerpt": ""}  # fmt: skip
_EVENT: dict[str, Any] = {
    "id": _DELIVERY["event_id"], "type": "payment.succeeded", "api_version": "2026-01-01", "sequence": 1042,
    "timestamp": _MADE, "data": {"payment_id": "pay_550e8400-e29b-41d4-a716-446655440000", "status": "succeeded"},
}  # fmt: skip
_LOG = [
    {
        "number": 1,
        "at": _MADE,
        "ended_at": _MADE,
        "status": 200,
        "latency_ms": 84,
        "error": "",
        "response_excerpt": "ok",
    }
]
_ASKED: dict[str, Any] = {
    "webhook_endpoints_create": {
        "url": _ENDPOINT["url"],
        "events": ["payment.succeeded", "refund.succeeded"],
    },
    "webhook_endpoints_update": {"is_active": False},
    "webhook_endpoints_rotate_secret": {"old_secret_hours": 24},
}
_TOLD: dict[str, Any] = {
    "webhook_endpoints_list": {"data": [_ENDPOINT], "has_more": False},
    "webhook_endpoints_create": _SECRET,
    "webhook_endpoints_retrieve": _ENDPOINT,
    "webhook_endpoints_update": {**_ENDPOINT, "is_active": False},
    "webhook_endpoints_rotate_secret": _SECRET,
    "webhook_endpoints_test": _WAITING,
    "webhook_endpoints_deliveries": {"data": [_DELIVERY], "has_more": False},
    "webhook_deliveries_retrieve": {**_DELIVERY, "log": _LOG},
    "webhook_deliveries_resend": _WAITING,
    "events_list": {"data": [_EVENT], "has_more": False},
    "events_retrieve": _EVENT,
}


def of(operation: str, status: int) -> list[OpenApiExample]:
    """What a call is sent and answers."""
    found = []
    if operation in _ASKED:
        found.append(OpenApiExample("request", _ASKED[operation], request_only=True))
    if operation in _TOLD:
        told = _TOLD[operation]
        found.append(OpenApiExample("answer", told, response_only=True, status_codes=[str(status)]))
    return found
