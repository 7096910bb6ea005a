"""The doors of providers. Raw body, a cap, verify, store, acknowledge in the provider's own words; never throttled by
address. payStatus is unsigned: what it says is a hint (payments.services.inbox). The others are signed: what does not
verify is refused with 4xx, counted, and leaves no row."""

from __future__ import annotations

import hmac
import json

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

from payments.gateways import base
from payments.services import inbox
from pimpshop.core import budget, errors, throttles, views

log = structlog.get_logger(__name__)

MAX_BODY = 256 * 1024  # Stripe sends whole objects
#: The machine's posts are short, and anybody may send them.
MAX_HINT = 64 * 1024
#: Lines about rejected posts per process and minute; all of them are counted, anybody can post nonsense.
_may_log = budget.Budget(30, 60)


@csrf_exempt
def pay_status(request: HttpRequest, secret: str = "") -> HttpResponse:
    """POST /api/chinese/order/payStatus (and the extra URL with a secret in its path)."""
    if request.method != "POST":
        return _refusal(405, "POST only")
    if not _sender_allowed(request, secret):
        inbox.count("webhook_foreign_sender")
        return _refusal(403, "forbidden")
    return receive(request, "machine")


@csrf_exempt
def provider(request: HttpRequest, gateway_id: str) -> HttpResponse:
    """POST /api/v2/webhooks/{gateway_id} (seed 5): Stripe, Airwallex, WeChat Pay, Alipay; 404 for others."""
    if gateway_id == "machine":  # its door has its own rules
        return pay_status(request)
    if request.method != "POST":
        inbox.gateway(gateway_id)
        return _not_allowed(request)
    return receive(request, gateway_id)


@csrf_exempt
def stripe(request: HttpRequest) -> HttpResponse:
    """POST /api/stripe/webhook (seed 3)."""
    return provider(request, "stripe")


@csrf_exempt
def wechatpay(request: HttpRequest) -> HttpResponse:
    """POST /api/v1/payments/wechat/notify (seed 2)."""
    return provider(request, "wechatpay")


def receive(request: HttpRequest, gateway_key: str) -> HttpResponse:
    """Store and acknowledge a provider's post. 4xx: not theirs or not readable, nothing stored. 5xx: send it again."""
    gateway = inbox.gateway(gateway_key)
    most = MAX_BODY if gateway.webhook_is_proof else MAX_HINT
    body = request.read(most + 1)
    if len(body) > most:
        if gateway_key == "machine":
            return _refusal(413, "too large")
        raise errors.ShopError(_("That is too large."), code="too_large", status=413)
    post = base.WebhookRequest(
        body=body,
        received_at=timezone.now(),
        headers=dict(request.headers),
        query={key: str(value) for key, value in request.GET.items()},
        remote_addr=throttles.client_address(request),
    )
    try:
        inbox.receive(gateway, post)
    except base.WebhookRejected as rejection:
        inbox.count("webhook_rejected")
        if _may_log.allows():
            log.warning("webhook_rejected", gateway=gateway_key, code=rejection.code)
        if gateway_key == "machine":
            return _refusal(rejection.http_status, rejection.message or "rejected")
        reply = gateway.acknowledge(accepted=False)
        return HttpResponse(reply.body, status=rejection.http_status, content_type=reply.content_type)
    reply = gateway.acknowledge()
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _sender_allowed(request: HttpRequest, secret: str) -> bool:
    """The extra URL proves itself by its secret; the fixed one by the address list, where one is set."""
    if secret:
        wanted = settings.MANUFACTURER_WEBHOOK_SECRET_PATH
        return bool(wanted) and hmac.compare_digest(secret.encode(), wanted.encode())
    allowed = settings.MANUFACTURER_WEBHOOK_ALLOWED_IPS
    return not allowed or throttles.address_in(throttles.client_address(request), allowed)


def _not_allowed(request: HttpRequest) -> HttpResponse:
    """405 in the shape of the path."""
    error = errors.as_shop_error(exceptions.MethodNotAllowed(str(request.method)))
    answer = views.api_error(request, error or errors.InternalError())
    answer["Allow"] = "POST"
    return answer


def _refusal(status: int, message: str) -> HttpResponse:
    """A refusal in the manufacturer's envelope."""
    body = {"msg": message, "code": status, "detail": message, "status_code": status}
    headers = {"Allow": "POST"} if status == 405 else None
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type="application/json", headers=headers
    )
