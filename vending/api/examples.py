"""Seed 1's examples for the API's description, as docs/api/seed1.md shows them, and how a session may be refused."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiTypes

_SESSION = "1735000000_A2440143"
_NUMBER = "PYEN250830540573"
_EXPIRES = "2025-08-30T08:23:29Z"
#: 200 and what particular refusals there are; the description adds those that hold everywhere.
ANSWERS: dict[int, Any] = dict.fromkeys((200, 403, 404, 409, 410, 502, 503), OpenApiTypes.OBJECT)


def _asked(value: Any) -> OpenApiExample:
    return OpenApiExample("request", value, request_only=True)


def _told(value: Any, name: str = "answer") -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=["200"])


CREATE = [
    _asked({"machine_id": "CXYLOGD8OQUK", "location": "Shopping Mall A", "session_timeout_minutes": 30}),
    _told({"success": True, "session_id": _SESSION, "expires_at": _EXPIRES,
           "qr_url": f"https://shop.example.com/?qr=true&session_id={_SESSION}"}),
]  # fmt: skip
REGISTER = [
    _asked({"machine_id": "CXYLOGD8OQUK", "session_id": _SESSION}),
    _told({"success": True, "session_id": _SESSION, "expires_at": _EXPIRES, "user_progress": "registered",
           "machine_info": {"id": "CXYLOGD8OQUK", "name": "Mall", "location": "Shopping Mall A"},
           "session_token": "…"}),
]  # fmt: skip
SUMMARY = [
    _asked({"session_id": _SESSION, "payment_amount": 19.99, "currency": "GBP", "order_data": {
        "brand": "iPhone", "model": "iPhone 15 Pro", "color": "Natural Titanium", "price": 19.99,
        "chinese_model_id": "MM020250224000010", "mobile_shell_id": "MS102503270003",
        "device_id": "CXYLOGD8OQUK", "designImage": "data:image/png;base64,iVBORw0KGgo…"}}),
    _told({"success": True, "message": "Order summary received", "session_id": _SESSION,
           "payment_amount": 19.99, "currency": "GBP", "status": "summary_received"}),
]  # fmt: skip
PAY = [
    _told({"success": True, "message": "Vending machine payment initialized - complete payment on machine",
           "session_id": _SESSION, "third_id": _NUMBER, "payment_amount": 19.99, "currency": "GBP",
           "chinese_payment_id": "MSPY10250830000008", "status": "awaiting_payment",
           "instructions": "Complete payment on vending machine to receive order confirmation"}),
]  # fmt: skip
STATUS = [
    _told({"session_id": _SESSION, "status": "payment_pending", "user_progress": "payment_pending",
           "payment_amount": 19.99, "currency": "GBP", "expires_at": _EXPIRES, "next_poll_ms": 3000,
           "instructions": "Complete payment on vending machine", "third_id": _NUMBER,
           "chinese_payment_id": "MSPY10250830000008"}, "before the payment"),
    _told({"session_id": _SESSION, "status": "payment_completed", "user_progress": "order_submitted",
           "payment_amount": 19.99, "currency": "GBP", "expires_at": _EXPIRES, "next_poll_ms": 5000,
           "queue_number": "9578", "order_status": "queued", "chinese_order_id": "MSOR10250830000008",
           "chinese_payment_id": "MSPY10250830000008"}, "after it"),
]  # fmt: skip
INFO = [
    _told({"success": True, "session_id": _SESSION, "brand": "iPhone", "model": "iPhone 15 Pro",
           "color": "Natural Titanium", "template": "classic", "amount": 19.99, "currency": "GBP",
           "status": "payment_pending"}),
]  # fmt: skip
HEALTH = [
    _told({"success": True, "session_id": _SESSION, "healthy": True, "status": "active",
           "user_progress": "registered", "expires_at": _EXPIRES, "machine_ready": True, "machine_reason": None}),
]  # fmt: skip
CANCEL = [_told({"success": True, "session_id": _SESSION, "status": "cancelled"})]
MACHINE_POLLS = [
    _told({"success": True, "third_id": _NUMBER, "status": 3, "order_id": "OREN250830540573",
           "payment_status": "succeeded", "total_amount": 19.99, "currency": "GBP",
           "created_at": "2025-08-30T07:55:10Z", "updated_at": "2025-08-30T07:55:17Z",
           "paid_at": "2025-08-30T07:55:17Z", "polling_complete": True, "message": "Paid"}),
    _told({"success": False, "third_id": _NUMBER, "status": 1, "polling_complete": False,
           "message": "Payment not found"}, "unknown number"),
]  # fmt: skip
CONNECTION = [_told({"success": True, "brands": 4, "latency_ms": 20})]
VALIDATION = [
    _told({"success": True, "session_id": _SESSION, "status": "payment_pending", "user_progress": "payment_pending",
           "machine_id": "CXYLOGD8OQUK", "order_no": "P20250830075510a1b2c3d4", "third_id": None,
           "present": {"order_summary": True, "order": True, "design_frozen": True, "print_file": True,
                       "payment_third_id": False, "chinese_payment_id": False},
           "missing": ["payment_third_id", "chinese_payment_id"], "valid": False, "events": 4}),
]  # fmt: skip
