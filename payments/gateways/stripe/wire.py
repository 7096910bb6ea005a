"""The calls: Stripe's SDK over our own HTTP, so that every call is bounded, recorded without secrets, and sent once.

Lives here: `Api` (one call, its errors mapped), the SDK's HTTP client on `pimpshop.core.http`. Not here: meanings.
Guarantees: refuses inside a transaction; nothing is retried (our keys and asking first do that); the SDK's own log,
telemetry and random idempotency keys are off; an answer is a JSON object of the expected kind or it is unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import stripe

from payments.gateways.base import ErrorCode, GatewayUnavailable
from payments.gateways.stripe import errors
from payments.gateways.stripe.config import Config
from pimpshop.core import http, redaction

API_VERSION = "2026-08-26.dahlia"
PAGE = 100  # Stripe's largest page
MOST_PAGES = 100
# At DEBUG and INFO the SDK logs whole bodies: client secrets, addresses, what was sent.
logging.getLogger("stripe").setLevel(logging.WARNING)


@dataclass(frozen=True)
class About:
    """What a call is about: for its record, and the values that must not be in it."""

    subject: str = ""
    secrets: tuple[str, ...] = ()
    has_key: bool = False


_NOTHING = About()
_about: ContextVar[About] = ContextVar("stripe_call", default=_NOTHING)


class _HTTPClient(stripe.HTTPClient):
    """The SDK's HTTP client on ours."""

    name = "pimpshop"

    def __init__(self, config: Config) -> None:
        super().__init__()
        known = (config.secret_key, *config.webhook_secrets)
        self._http = http.Client(
            config.api_base,
            provider="stripe",
            timeout=config.timeout,
            session=config.session,
            recorder=config.recorder,
            inspect=_inspect,
            secrets=lambda: (*known, *_about.get().secrets),
        )

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request, one answer. Raises core.http's errors through the SDK: the SDK catches only its own."""
        about = _about.get()
        sent = {key: value for key, value in headers.items() if key != "X-Stripe-Client-User-Agent"}
        if not about.has_key:
            sent.pop(
                "Idempotency-Key", None
            )  # the SDK draws one at random: a repeat would be another payment
        answer = self._http.request(
            method.upper(),
            url,
            name=_name(method, url),
            headers=sent,
            body=post_data.encode() if isinstance(post_data, str) and post_data else None,
            subject=about.subject,
            want_json=True,
        )
        if not isinstance(answer.json(), dict):
            raise http.HttpBadBody("the answer is no object", answer=answer)
        return answer.body.decode("utf-8"), answer.status, answer.headers


def _name(method: str, url: str) -> str:
    """The call's name in records: ids become {id}."""
    _, _, path = urlsplit(url).path.partition("/v1/")
    parts = ["{id}" if "_" in part and any(map(str.isdigit, part)) else part for part in path.split("/")]
    return f"{method.upper()} {'/'.join(parts)}"[:60]


def _inspect(answer: http.Answer) -> tuple[str, str]:
    """(error code, request id) of an answer."""
    try:
        told = answer.json()
    except http.HttpError:
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    code = (error.get("code") or error.get("type") or "") if isinstance(error, dict) else ""
    return str(code), answer.headers.get("request-id", "")


class Api:
    """Calls with one account's key."""

    def __init__(self, config: Config) -> None:
        self._client = stripe.StripeClient(
            config.secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": config.api_base.rstrip("/")},
            http_client=_HTTPClient(config),
            max_network_retries=0,
        )
        self._secrets = (config.secret_key, *config.webhook_secrets)

    def call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        kind: str,
        key: str = "",
        subject: str = "",
        secrets: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """One call of /v1/`path`; the answer is an object of that `kind`. Raises GatewayError.

        `key` is the idempotency key, as it goes out; `secrets` are values to keep out of records and messages.
        """
        token = _about.set(About(subject, secrets, bool(key)))
        try:
            options = {"idempotency_key": key} if key else {}
            answer = self._client.raw_request(method, f"/v1/{path}", **{**(params or {}), **options})
            return _checked(answer.data, kind)
        except http.HttpError as exc:
            text = redaction.scrub_text(str(exc), secrets=(*self._secrets, *secrets), max_bytes=300)
            bad = isinstance(exc, http.HttpBadBody | http.HttpRedirected | http.HttpTooLarge)
            code = ErrorCode.BAD_ANSWER if bad else ErrorCode.UNAVAILABLE
            raise GatewayUnavailable(text, code=code, not_sent=not exc.maybe_sent) from None
        except stripe.StripeError as exc:
            # Not chained: the SDK's error holds the whole answer, client secret included.
            raise errors.mapped(exc, secrets=(*self._secrets, *secrets)) from None
        finally:
            _about.reset(token)

    def pages(self, path: str, params: Mapping[str, Any], *, subject: str = "") -> Iterator[dict[str, Any]]:
        """Every object of a list, newest first. Raises GatewayError, also when it does not end."""
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self.call("get", path, {"limit": PAGE, **params, **after}, kind="list", subject=subject)
            found = [item for item in page.get("data") or [] if isinstance(item, dict)]
            yield from found
            if not page.get("has_more") or not found:
                return
            after = {"starting_after": str(found[-1].get("id"))}
        raise GatewayUnavailable("a list without an end", code=ErrorCode.BAD_ANSWER)


def _checked(data: Any, kind: str) -> dict[str, Any]:
    if not isinstance(data, dict) or data.get("object") != kind:
        raise GatewayUnavailable(f"the answer is no {kind}", code=ErrorCode.BAD_ANSWER)
    return data
