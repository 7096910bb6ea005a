"""Our addresses that providers and shoppers come back to. Pure: settings and names in, URLs out."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from payments.models import PaymentIntent
from pimpshop.core import ids


def absolute(path: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{path}"


def notify_url(gateway: str) -> str:
    """Where the provider posts about payments and refunds; no query string (WeChat Pay refuses one)."""
    if gateway == "wechatpay":
        return settings.WECHAT_NOTIFY_URL or absolute("/api/v1/payments/wechat/notify")
    return absolute(f"/api/v2/webhooks/{gateway}")


def return_url(intent: PaymentIntent) -> str:
    """Where a provider sends the shopper back: our own door, which looks and then leads on. Signed by its path."""
    return absolute(reverse("payment-return", args=[intent.payment_id, return_key(intent)]))


def cancel_url(intent: PaymentIntent) -> str:
    """The same door for who leaves the provider's page without paying."""
    return f"{return_url(intent)}?left=1"


def return_key(intent: PaymentIntent) -> str:
    """What makes a return address ours; it opens nothing but the way on."""
    return ids.link_key("return", intent.payment_id)


def qr_url(intent: PaymentIntent) -> str:
    """The picture of the payment's QR code (SVG, drawn by us), for a page. The key in the query makes it ours."""
    return f"{reverse('payment-qr', args=[intent.payment_id])}?k={ids.link_key('qr', intent.payment_id)}"
