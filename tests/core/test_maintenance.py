"""MAINTENANCE=1: shoppers find the shop closed, what is paid goes on, programs are answered in their own words."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import get_resolver

from pimpshop.core import maintenance
from tests import factories as make


@pytest.fixture
def closed(settings: Any) -> None:
    settings.MAINTENANCE = True


@pytest.mark.parametrize(
    "path",
    [
        "/", "/studio/", "/help/", "/credits/", "/plans/", "/account/", "/accounts/login/", "/start/x/", "/nowhere/",
        "/studio/s/abc/summary/", "/orders/PYEN250830540573/pay/", "/orders/PYEN250830540573/pay/card/",
        "/orders/PYEN250830540573/pay/credits/",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("closed")
def test_pages_of_shoppers_are_closed_without_the_database(client: Client, path: str) -> None:
    """No database mark: a query would fail."""
    answer = client.get(path)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "300", "no-store")
    assert ("Back in a few minutes" in page, "马上回来" in page, answer.cookies) == (True, True, {})
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.usefixtures("closed")
def test_a_form_changes_nothing(db: None) -> None:
    session = make.session()
    answer = Client().post(f"/start/{session.session_id}/")
    assert (answer.status_code, answer.cookies) == (503, {})
    before = session.status
    session.refresh_from_db()
    assert (session.status, session.claimed_at, session.claim_hash) == (before, None, "")


MESSAGE = "We are working on the shop and are back in a few minutes. Nothing was charged."


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/api/vending/create-session",
            {"detail": MESSAGE, "status_code": 503, "code": "unavailable"},
        ),
        ("/create-checkout-session", {"detail": MESSAGE, "status_code": 503, "code": "unavailable"}),
        ("/api/v1/payments/wechat/native", {"error": MESSAGE, "code": "UNAVAILABLE", "details": {}}),
        (
            "/api/create-checkout-session",
            {"error": {"code": "unavailable", "message": MESSAGE, "type": "api_error"}},
        ),
        ("/api/orders/create", {"detail": MESSAGE}),
        ("/api/v1/payments", {"error": {"code": "UNAVAILABLE", "message": MESSAGE}}),
        ("/v2/payments", {"error": {"code": "UNAVAILABLE", "message": MESSAGE}}),
    ],
)
@pytest.mark.usefixtures("closed")
def test_programs_are_answered_in_their_own_shape(client: Client, path: str, body: dict[str, Any]) -> None:
    answer = client.post(path, {}, content_type="application/json", headers={"accept-language": "en"})
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "300", "no-store")
    assert answer.json() == body


@pytest.mark.parametrize(
    "path",
    [
        "/healthz", "/readyz", "/metrics", "/static/css/shop.css", "/admin/", "/i18n/setlang/", "/app.en.webmanifest",
        "/pictures/token.png", "/m/CXYLOGD8OQUK/live/", "/payments/return/pi_1/key/", "/orders/PYEN250830540573/",
        "/orders/PYEN250830540573/live/", "/orders/PYEN250830540573/receipt/", "/orders/PYEN250830540573/machine/",
        "/orders/PYEN250830540573/missing/", "/api/check-payment-status/cs_1", "/api/orders/payment-status/7/",
        "/process-payment-success", "/api/v1/payments/wechat/query/PY1", "/api/v2/payments/wechat/payment/PY1/",
        "/api/v1/payments/pi_1", "/api/v2/payments/pi_1/", "/v2/payments/pi_1", "/api/vending/session/S1/status",
        "/api/chinese/order/payStatus", "/api/chinese/order-status-update", "/api/stripe/webhook", "/api/orders/callback",
        "/api/v1/payments/wechat/notify", "/api/v2/payments/wechat/notify/", "/api/v1/webhooks/alipay",
        "/api/v2/webhooks/airwallex",
    ],
)  # fmt: skip
def test_what_goes_on(path: str) -> None:
    assert maintenance.is_open(path) is True


@pytest.mark.parametrize(
    "path",
    ["/orders/", "/orders/a/b/", "/orders/x/pay/", "/api/v1/webhook-endpoints", "/api/orders/create", "/api/auth/token",
     "/api/credits", "/accounts/login/", "/administration/", "/api/v1/payments", "/v2/payments/", "/api/v1/payments/methods",
     "/api/v1/payments/pi_1/confirm", "/api/v1/payments/wechat/native", "/api/vending/session/S1/init-payment"],
)  # fmt: skip
def test_what_does_not(path: str) -> None:
    assert maintenance.is_open(path) is False


def test_every_open_beginning_leads_somewhere() -> None:
    """A door that has moved would be closed without anybody noticing."""
    routes = [str(pattern.pattern).lstrip("^") for pattern in _leaves(get_resolver().url_patterns)]
    served_before = ("static/",)  # by WhiteNoise
    patterns = [route.replace("v[12]", "v1") for route in routes] + [
        route.replace("v[12]", "v2") for route in routes
    ]
    missing = [
        start for start in maintenance.OPEN
        if not start[1:].startswith(served_before) and not any(p.startswith(start[1:]) for p in patterns)
    ]  # fmt: skip
    assert missing == []


def _leaves(patterns: list[Any]) -> list[Any]:
    found: list[Any] = []
    for pattern in patterns:
        inner = getattr(pattern, "url_patterns", None)
        if inner is None or str(pattern.pattern) in ("admin/", "i18n/"):
            found.append(pattern)
        else:
            found += _leaves(inner)
    return found


@pytest.mark.django_db
@pytest.mark.usefixtures("closed")
def test_a_paid_order_is_looked_at_and_health_is_told() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
    assert Client().get("/admin/login/").status_code in (200, 302)
    assert Client().get("/orders/PYEN250830540573/").status_code == 404  # its own answer, not "closed"


@pytest.mark.usefixtures("closed")
def test_a_providers_post_comes_in(db: None) -> None:
    """An unsigned post is refused by its own door, not by the closed shop."""
    answer = Client().post("/api/stripe/webhook", b"{}", content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.django_db
def test_an_open_shop_is_open(settings: Any) -> None:
    assert settings.MAINTENANCE is False
    assert Client().get("/help/").status_code == 200


# --- The page for surprises -------------------------------------------------------------------------------------------
def test_a_surprise_is_told_without_database_and_context(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away, and so is everything that asks it: the page still comes, in both languages."""
    from catalog.views import pages

    def away(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(connection, "cursor", away)
    monkeypatch.setattr(pages, "_window", away)
    client.raise_request_exception = False
    answer = client.get("/")
    page = answer.content.decode()
    assert (answer.status_code, "Something broke on our side" in page, "请不要重复支付" in page) == (
        500,
        True,
        True,
    )
    assert "away" not in page
