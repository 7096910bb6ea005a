"""Idempotency keys for API views: one decorator over the rows of `core.idempotency`.

    class Payments(APIView):
        @idempotent
        def post(self, request): ...

The key is the header `Idempotency-Key` or the body's `idempotency_key`; differing ones are 400. Same owner, route and
body: the first answer again, with `Idempotent-Replayed: true`; another body 409; still running 409 with Retry-After.
Guarantees: the handler runs at most once at a time per key; answers of 5xx, 401, 403, 429 and about bad input are not kept
and free the key; kept answers are sealed (they may carry a client secret); neither they nor the fingerprint, which is a
keyed hash, hold a card number or know a CVC. Anonymous callers have no keys: theirs are ignored.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pimpshop.core import crypto, errors, idempotency, ids
from pimpshop.core.api.callers import owner_of

Handler = Callable[..., Response]
FIELD = "idempotency_key"
#: Answers about the caller or the form of the question; the question may be put better, or by somebody who may, under the
#: same key.
NOT_KEPT = frozenset({400, 401, 403, 406, 413, 415, 422, 429})
_PLAIN = re.compile("[^a-z0-9]")
_CODES = frozenset(
    {"cvc", "cvc2", "cvv", "cvv2", "cvn", "cid", "securitycode", "cardcode", "verificationvalue"}
)


def idempotent(handler: Handler) -> Handler:
    """Give a view's method (POST, DELETE …) idempotency keys. Not for use inside a transaction."""

    @wraps(handler)
    def keyed(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key, owner = key_of(request), owner_of(request)
        if key is None or owner is None:
            return handler(view, request, *args, **kwargs)
        started = idempotency.begin(owner=owner, key=key, fingerprint=_fingerprint(request))
        if isinstance(started, idempotency.Replay):
            return _replayed(started)
        return _first_time(started, request.path, lambda: handler(view, request, *args, **kwargs))

    return keyed


def key_of(request: Request) -> str | None:
    """The caller's idempotency key, None without one. Raises BadKey when header and body differ."""
    header = request.headers.get("Idempotency-Key")
    field = request.data.get(FIELD) if isinstance(request.data, dict) else None
    given = [value for value in (header, field) if value is not None]
    if any(not isinstance(value, str) or not value or value != given[0] for value in given):
        raise idempotency.BadKey
    return given[0] if given else None


def row_id(request: Request, what: str) -> uuid.UUID | None:
    """The public id for the one row that this request makes; None without a key. The same request again gives the same id,
    so a handler whose claim was lost (its process was killed, a provider took too long) finds the row that it made."""
    key, owner = key_of(request), owner_of(request)
    if key is None or owner is None:
        return None
    parts = ("row", what, owner, key, _fingerprint(request))
    mac = ids.keyed_fingerprint(*(part.encode() for part in parts))
    return uuid.UUID(hex=mac[:32], version=4)


def _fingerprint(request: Request) -> str:
    body = request.data
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != FIELD}
    return idempotency.fingerprint(f"{request.method} {request.get_full_path()}", without_codes(body))


def without_codes(value: Any) -> Any:
    """`value` without any card's security code, which nobody may keep in any form (PCI DSS 3.3.1)."""
    if isinstance(value, dict):
        return {
            name: without_codes(inner)
            for name, inner in value.items()
            if _PLAIN.sub("", str(name).lower()) not in _CODES
        }
    if isinstance(value, list):
        return [without_codes(inner) for inner in value]
    return value


def _first_time(claim: idempotency.Claim, path: str, work: Callable[[], Response]) -> Response:
    try:
        response = work()
    except Exception as error:
        known = errors.as_shop_error(error)
        if known is None or known.retry_after is not None or not _is_kept(known.status):
            idempotency.release(claim)
        else:
            _keep(claim, errors.error_response(path, known))
        raise
    if _is_kept(response.status_code):
        _keep(claim, response)
    else:
        idempotency.release(claim)
    return response


def _is_kept(status: int) -> bool:
    return status < 500 and status not in NOT_KEPT


def _keep(claim: idempotency.Claim, response: Response) -> None:
    text = JSONRenderer().render(response.data).decode()
    idempotency.finish(claim, status=response.status_code, body=crypto.seal(text))


def _replayed(replay: idempotency.Replay) -> Response:
    """The stored answer. One that cannot be opened (the key of the shop changed) must not be answered wrongly."""
    text = crypto.unseal(str(replay.body))
    if text is None:
        raise errors.Conflict
    body = json.loads(text) if text else None
    return Response(body, status=replay.status, headers={"Idempotent-Replayed": "true"})
