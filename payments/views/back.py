"""Where shoppers come back to from a provider's page: look once, then lead on. What the address says besides is believed
by nobody: the provider is asked."""

from __future__ import annotations

import io
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from orders import selectors as orders
from payments import selectors, states
from payments.models import PaymentIntent
from payments.services import sync

_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


@never_cache
@csrf_exempt  # a provider's page may post the shopper back here; nothing is done for them but to look and lead on
@require_http_methods(["GET", "HEAD", "POST"])
def came_back(request: HttpRequest, payment_id: str, key: str) -> HttpResponse:
    """/payments/return/<pay_…>/<key>/ -> the client's own return address, else the order's status page."""
    intent = selectors.by_return_key(payment_id, key)
    if intent is None:
        raise Http404
    sync.refresh_if_stale(intent.order, source="return")
    intent.refresh_from_db(fields=["status"])
    left = "left" in request.GET and intent.status not in states.PAID
    if left and intent.cancel_url:
        return HttpResponseRedirect(_with_payment(intent.cancel_url, intent))
    if intent.return_url:
        return HttpResponseRedirect(_with_payment(intent.return_url, intent))
    return HttpResponseRedirect(orders.pay_path(intent.order) if left else orders.status_path(intent.order))


@never_cache
@require_safe
def qr(request: HttpRequest, payment_id: str) -> HttpResponse:
    """/payments/qr/<pay_…>.svg?k=…: the QR code that a payment waits to be scanned with."""
    content = selectors.by_qr_key(payment_id, request.GET.get("k", ""))
    picture = io.BytesIO()
    segno.make(content, error="m").save(picture, kind="svg", scale=8, border=3)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def _with_payment(url: str, intent: PaymentIntent) -> str:
    """The address with our payment's id in its query, so that the client knows what to ask about; with Stripe's page also
    its session_id (seed 3), in place of Stripe's placeholder where the address has one."""
    told = {"payment_id": intent.payment_id}
    if intent.provider_ref.startswith("cs_"):
        if _PLACEHOLDER in url:
            url = url.replace(_PLACEHOLDER, intent.provider_ref)
        else:
            told["session_id"] = intent.provider_ref
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return urlunsplit(parts._replace(query=query))
