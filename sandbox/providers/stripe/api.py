"""The door of Stripe's API: key, version, idempotency, faults of the transport, routing, expansion, the call's record.

Idempotency as Stripe's (docs.stripe.com/api/idempotent_requests): the first answer of a key is kept, 500 too; not kept
are refused parameters and conflicts; another body or path with the key is 400, the key at work in another call 409.
"""

import contextlib
import hashlib
import json
import re
import secrets
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from sandbox import calls, database, faults
from sandbox.providers.stripe import (
    books,
    codes,
    intents,
    lists,
    methods,
    refunds,
    sessions,
    wire,
)
from sandbox.providers.stripe.refusal import Refusal

LARGEST_BODY = 256 * 1024
Handler = Callable[[wire.Call], books.Thing]
_KEY = re.compile(r"(sk|rk)_test_[A-Za-z0-9]{10,}", re.ASCII)
_CARD = re.compile(r"(number%5D=|number\]=)[0-9+%]{8,30}", re.IGNORECASE)
_CVC = re.compile(r"(cvc%5D=|cvc\]=)[0-9]{3,4}", re.IGNORECASE)


class Route(NamedTuple):
    """One call: its method, its path below /v1/, its name, what it is about, and who does it."""

    method: str
    path: str
    name: str
    kind: str
    do: Handler


def _resource(path: str, kind: str) -> list[Route]:
    return [
        Route("GET", path, "list", kind, lists.page),
        Route("GET", f"{path}/([^/]+)", f"{path.replace('/', '.')}.retrieve", kind, lists.retrieve),
    ]


ROUTES = [
    Route("GET", "account", "retrieve", "account", lists.account),
    Route("GET", "accounts/[^/]+", "retrieve", "account", lists.account),
    Route("POST", "checkout/sessions", "checkout.sessions.create", "checkout.session", sessions.create),
    Route(
        "POST",
        "checkout/sessions/([^/]+)/expire",
        "checkout.sessions.expire",
        "checkout.session",
        sessions.expire,
    ),
    Route("GET", "checkout/sessions/([^/]+)/line_items", "retrieve", "checkout.session", sessions.line_items),
    Route("POST", "payment_intents", "payment_intents.create", "payment_intent", intents.create),
    Route("POST", "payment_intents/([^/]+)", "payment_intents.update", "payment_intent", intents.update),
    Route(
        "POST",
        "payment_intents/([^/]+)/confirm",
        "payment_intents.confirm",
        "payment_intent",
        intents.confirm,
    ),
    Route(
        "POST",
        "payment_intents/([^/]+)/capture",
        "payment_intents.capture",
        "payment_intent",
        intents.capture,
    ),
    Route(
        "POST", "payment_intents/([^/]+)/cancel", "payment_intents.cancel", "payment_intent", intents.cancel
    ),
    Route("POST", "payment_methods", "payment_methods.create", "payment_method", methods.create),
    Route(
        "POST", "payment_methods/([^/]+)/attach", "payment_methods.attach", "payment_method", methods.attach
    ),
    Route(
        "POST", "payment_methods/([^/]+)/detach", "payment_methods.detach", "payment_method", methods.detach
    ),
    Route("POST", "customers", "customers.create", "customer", methods.create_customer),
    Route("POST", "customers/([^/]+)", "customers.update", "customer", methods.update_customer),
    Route("GET", "customers/([^/]+)/payment_methods", "list", "payment_method", lists.of_customer),
    Route("POST", "setup_intents", "setup_intents.create", "setup_intent", methods.create_setup),
    Route(
        "POST",
        "setup_intents/([^/]+)/confirm",
        "setup_intents.confirm",
        "setup_intent",
        methods.confirm_setup,
    ),
    Route("POST", "refunds", "refunds.create", "refund", refunds.create),
    Route("POST", "refunds/([^/]+)", "refunds.update", "refund", refunds.update),
    Route("POST", "disputes/([^/]+)", "disputes.update", "dispute", refunds.update_dispute),
    Route("POST", "disputes/([^/]+)/close", "disputes.close", "dispute", refunds.close),
    Route("POST", "prices/([^/]+)", "prices.update", "price", lists.update_price),
    Route("POST", "products/([^/]+)", "products.update", "product", lists.update_product),
    *_resource("checkout/sessions", "checkout.session"),
    *_resource("payment_intents", "payment_intent"),
    *_resource("payment_methods", "payment_method"),
    *_resource("customers", "customer"),
    *_resource("setup_intents", "setup_intent"),
    *_resource("refunds", "refund"),
    *_resource("charges", "charge"),
    *_resource("balance_transactions", "balance_transaction"),
    *_resource("disputes", "dispute"),
    *_resource("events", "event"),
    *_resource("prices", "price"),
    *_resource("products", "product"),
]


class Reply(NamedTuple):
    """What to answer; `replayed` is a remembered answer."""

    status: int
    body: str
    replayed: bool = False
    note: str = ""
    drop: bool = False


@csrf_exempt
def call(request: HttpRequest, path: str) -> HttpResponse:
    """One call of /v1/."""
    started, request_id = time.monotonic(), f"req_{secrets.token_hex(7)}"
    method = request.method or ""
    found = next(
        (
            (route, hit)
            for route in ROUTES
            if route.method == method and (hit := re.fullmatch(route.path, path))
        ),
        None,
    )
    name = found[0].name if found else path
    try:
        _check_key(request)
        if found is None:
            raise Refusal(f"Unrecognized request URL ({method}: /v1/{path}).", status=404)
        reply = _through_faults(request, found[0], found[1].groups(), request_id)
    except Refusal as refusal:
        reply = _refused(refusal)
    return _finish(request, name, started, reply, request_id)


def _check_key(request: HttpRequest) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not _KEY.fullmatch(key.strip()):
        raise Refusal(f"Invalid API Key provided: {key[:8]}****", status=401)


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.status, json.dumps({"error": refusal.error}, indent=2, ensure_ascii=False))


def _through_faults(request: HttpRequest, route: Route, ids: tuple[str, ...], request_id: str) -> Reply:
    if faults.strike(codes.NAME, "dropped", _target(route)):
        return Reply(500, "", note="fault: dropped before anything was done", drop=True)
    if faults.strike(codes.NAME, "down", _target(route)):
        return Reply(
            503, '{"error": {"type": "api_error", "message": "Service unavailable"}}', note="fault: down"
        )
    if faults.strike(codes.NAME, "rate_limited", _target(route)):
        raise Refusal("Request rate limit exceeded.", status=429, code="rate_limit")
    sent = wire.Call(
        params=_params(request), ids=ids, base=request.build_absolute_uri("/stripe"), kind=route.kind,
        key=request.headers.get("Idempotency-Key", "") if route.method == "POST" else "", request_id=request_id,
        extra={"path": f"/v1/{route.path}"},
    )  # fmt: skip
    reply = _once(request, route, sent) if sent.key else _do(route, sent)
    if reply.status == 200 and faults.strike(codes.NAME, "answer_lost_after_accepting", _target(route)):
        return reply._replace(note="fault: done, then the answer was lost", drop=True)
    return reply


def _target(route: Route) -> str:
    """The name that faults know the call by."""
    return route.name if route.name in codes.CALLS else "retrieve" if route.method == "GET" else ""


def _params(request: HttpRequest) -> dict[str, Any]:
    if request.method == "GET":
        return wire.parse(request.GET)
    if len(request.body) > LARGEST_BODY:
        raise Refusal("The body is too large.", status=413)
    return wire.parse(QueryDict(request.body, encoding="utf-8"))


def _once(request: HttpRequest, route: Route, sent: wire.Call) -> Reply:
    """Do it under its key: once."""
    if len(sent.key) > 255:
        raise Refusal("Idempotency keys are at most 255 characters.", kind="idempotency_error")
    digest = hashlib.sha256(request.body).hexdigest()
    with database.transaction():
        known = database.row("SELECT * FROM stripe_answers WHERE key = ?", sent.key)
        if known is None:
            database.execute(
                "INSERT INTO stripe_answers (key, path, digest) VALUES (?, ?, ?)",
                sent.key,
                request.path,
                digest,
            )
    if known is not None:
        return _again(known, request.path, digest)
    kept = False
    try:
        reply = _do(route, sent)
        kept = reply.status in (200, 402, 500)
    finally:
        with database.transaction():
            if kept:
                database.execute(
                    "UPDATE stripe_answers SET status = ?, body = ? WHERE key = ?",
                    reply.status,
                    reply.body,
                    sent.key,
                )
            else:
                database.execute("DELETE FROM stripe_answers WHERE key = ?", sent.key)
    return reply


def _again(known: database.Row, path: str, digest: str) -> Reply:
    if (known["path"], known["digest"]) != (path, digest):
        text = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise Refusal(text, kind="idempotency_error")
    if known["status"] is None:
        text = "There is currently another in-progress request using this Idempotency-Key."
        raise Refusal(text, status=409, kind="idempotency_error", code="idempotency_key_in_use")
    return Reply(known["status"], known["body"], replayed=True, note="idempotent replay")


def _do(route: Route, sent: wire.Call) -> Reply:
    late = faults.strike(codes.NAME, "slow", _target(route))
    if late:
        time.sleep(late.seconds)
    try:
        with database.transaction(keeps=(Refusal,)):
            told = books.public(lists.expand(route.do(sent), sent.params.get("expand")))
    except Refusal as refusal:
        return _refused(refusal)
    if faults.strike(codes.NAME, "error_after_accepting", _target(route)):
        body = '{"error": {"type": "api_error", "message": "An unknown error occurred"}}'
        return Reply(500, body, note="fault: done, then 500")
    return Reply(200, json.dumps(books.public(told), indent=2, ensure_ascii=False))


def _finish(request: HttpRequest, name: str, started: float, reply: Reply, request_id: str) -> HttpResponse:
    """Record the call and answer, or cut the connection where a fault wants it."""
    body = request.body.decode("utf-8", "replace")
    calls.record(
        provider=codes.NAME, direction="in", name=name, method=request.method or "", url=request.get_full_path(),
        headers=dict(request.headers), request=_CVC.sub(r"\1…", _CARD.sub(r"\1…", body)),
        status=None if reply.drop else reply.status, answer=reply.body, note=reply.note, started=started,
    )  # fmt: skip
    if reply.drop:
        connection = request.META.get("gunicorn.socket")
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)
        return HttpResponse(status=500)
    response = HttpResponse(reply.body, status=reply.status, content_type="application/json")
    response["Request-Id"] = request_id
    response["Stripe-Version"] = request.headers.get("Stripe-Version", codes.API_VERSION)
    response["Stripe-Should-Retry"] = "false"
    if request.headers.get("Idempotency-Key"):
        response["Idempotency-Key"] = request.headers["Idempotency-Key"]
    if reply.replayed:
        response["Idempotent-Replayed"] = "true"
    return response
