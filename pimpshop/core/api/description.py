"""The API's description, completed: every call says how it may be refused, in the shape of its seed.

A view names what it answers and what is particular about it. What holds for all of them (a bad body, no token, too many
requests) is added here, with an example each, and never over what a view said itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pimpshop.core import errors

JSON = "application/json"
_TEXT, _NUMBER, _ANY = {"type": "string"}, {"type": "integer"}, {"type": "object", "additionalProperties": {}}
_CODED: dict[str, Any] = {
    "type": "object",
    "properties": {"code": _TEXT, "message": _TEXT},
    "required": ["code", "message"],
    "additionalProperties": {},
}


def _object(**properties: Any) -> dict[str, Any]:
    needed = [name for name in properties if name not in ("fields", "details")]
    return {"type": "object", "properties": properties, "required": needed}


#: Each envelope's name here and its shape (pimpshop.core.errors has the functions that write them).
SHAPES: dict[Any, tuple[str, dict[str, Any]]] = {
    errors.detail_with_status: (
        "RefusalOfSeed1", _object(detail=_TEXT, status_code=_NUMBER, code=_TEXT, fields=_ANY),
    ),
    errors.wechat_style: ("RefusalOfSeed2", _object(error=_TEXT, code=_TEXT, details=_ANY)),
    errors.stripe_style: (
        "RefusalOfSeed3",
        _object(error={**_CODED, "properties": {**_CODED["properties"], "type": _TEXT}, "required": ["code", "message", "type"]}),
    ),
    errors.detail_only: ("RefusalOfSeed4", _object(detail=_TEXT)),
    errors.unified_style: ("RefusalOfSeed5", _object(error=_CODED)),
}  # fmt: skip
#: status -> (code, what it means)
REFUSALS: dict[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is malformed or a field does not fit."),
    401: ("unauthorized", "No token or key, or one that is not valid any more."),
    402: ("card_declined", "The card was declined. Nothing was charged."),
    403: ("forbidden", "This caller may not do that."),
    404: ("not_found", "There is no such thing, or it is somebody else's."),
    409: (
        "conflict",
        "It does not fit how things stand, or the idempotency key was used for something else.",
    ),
    410: ("gone", "It has expired. Nothing was charged."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "Send JSON."),
    429: ("rate_limited", "Too many requests: wait `Retry-After` seconds."),
    502: ("gateway_error", "The provider does not answer: ask again, do not pay twice."),
    503: ("unavailable", "Not available right now: come back after `Retry-After` seconds."),
}


def complete(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for path, methods in result["paths"].items():
        name, shape = SHAPES[errors.envelope_for(path)]
        schemas[name] = shape
        for method, operation in methods.items():
            _as_others_write_it(operation.get("parameters", []))
            answers = operation["responses"]
            for status in _possible(path, method, operation):
                told = answers.setdefault(str(status), {"description": REFUSALS[status][1]})
                content = told.setdefault("content", {}).setdefault(JSON, {})
                content.setdefault("schema", {"$ref": f"#/components/schemas/{name}"})
                if not {"example", "examples"} & set(content):
                    content["example"] = refusal(path, status)
            operation["responses"] = dict(sorted(answers.items()))
    return result


def _as_others_write_it(parameters: list[dict[str, Any]]) -> None:
    """Patterns come from our addresses; what Python writes as \\Z is $ elsewhere."""
    for parameter in parameters:
        if "pattern" in parameter.get("schema", {}):
            parameter["schema"]["pattern"] = parameter["schema"]["pattern"].replace("\\Z", "$")


def refusal(path: str, status: int) -> dict[str, Any]:
    """An example of a refusal, as the path's seed writes it."""
    code, message = REFUSALS[status]
    return errors.envelope_for(path)(status, code, message, {})


def _possible(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    """Which refusals an operation may answer with, beside those that it says itself."""
    yield from (400, 429)
    if any(operation.get("security") or []):
        yield from (401, 403)
    if "{" in path:
        yield 404
    if method != "get":
        yield 409
    if "requestBody" in operation:
        yield from (413, 415)
    for status in REFUSALS:
        if str(status) in operation["responses"]:
            yield status
