"""Callers of seed 2's API for tests: a client with a token, and what a refusal must be like."""

from __future__ import annotations

import json
import re
from typing import Any

from django.test import Client

from accounts.services import api_keys, tokens

BASE = "/api/v1/payments/wechat"


class ApiClient:
    """Speaks JSON with one Authorization header; answers Django's responses."""

    def __init__(self, token: str = "", base: str = BASE, **headers: str) -> None:
        self.client, self.base = Client(), base
        self.headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}

    def post(self, path: str, body: Any, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"{self.base}{path}", raw, content_type="application/json", headers={**self.headers, **headers}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"{self.base}{path}", headers={**self.headers, **headers})


def of_user(user: Any, **more: str) -> ApiClient:
    return ApiClient(tokens.issue(user)[0], **more)


def with_key(**more: Any) -> ApiClient:
    return ApiClient(api_keys.create(**{"kind": "secret", "name": "a server", **more})[0])


def assert_refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """A refusal in seed 2's shape, in English; answers its details."""
    body: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, body.get("code")) == (status, code), answer.content[:300]
    assert set(body) == {"error", "code", "details"}
    assert isinstance(body["error"], str)
    assert body["error"].isascii()
    assert isinstance(body["details"], dict)
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    details: dict[str, Any] = body["details"]
    return details
