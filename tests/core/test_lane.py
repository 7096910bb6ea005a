"""The providers' lane: a short cut to the same doors, for posts only."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import resolve
from django.utils.module_loading import import_string

PATH = "/api/chinese/order/payStatus"
FORGED = {"third_id": "PYEN251120000001"}


def test_each_door_stands_in_the_url_map_too() -> None:
    assert list(settings.PROVIDER_DOORS) == [
        PATH,
        "/api/stripe/webhook",
        "/api/v1/payments/wechat/notify",
    ]
    for path, door in settings.PROVIDER_DOORS.items():
        assert resolve(path).func is import_string(door)


@pytest.mark.django_db
def test_a_post_takes_the_lane_and_keeps_its_request_id() -> None:
    with time_machine.travel("2025-11-20T10:00:00Z", tick=False):
        answer = Client().post(
            PATH, FORGED, content_type="application/json", headers={"X-Request-ID": "from-the-maker-1"}
        )
    assert answer.status_code == 400
    assert answer["X-Request-ID"] == "from-the-maker-1"
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "Content-Security-Policy" not in answer  # what browsers need was left out
    assert cache.get("count:webhook_rejected:20251120") == 1


@pytest.mark.parametrize("path", [f"{PATH}/", f"{PATH}/secret", PATH.lower(), "/healthz"])
def test_other_paths_do_not(db: None, path: str) -> None:
    assert "Content-Security-Policy" in Client().post(path, FORGED, content_type="application/json")


def test_neither_does_a_get(db: None) -> None:
    answer = Client().get(PATH)
    assert answer.status_code == 405
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])
    assert "Content-Security-Policy" in answer


def test_what_breaks_in_a_door_is_answered_500(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from payments.services import inbox

    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(inbox, "receive", broken)
    answer = Client(raise_request_exception=False).post(PATH, FORGED, content_type="application/json")
    assert answer.status_code == 500
    assert "a mistake of ours" not in answer.content.decode()


def test_a_gateway_that_is_off_is_404(db: None, settings) -> None:
    settings.MANUFACTURER_API_BASE = ""
    assert Client().post(PATH, FORGED, content_type="application/json").status_code == 404
