"""The shop closed for a while (MAINTENANCE=1): pages and calls of shoppers answer 503 with Retry-After.

What goes on: providers' posts and the manufacturer's (money and prints that are under way), health, figures, the staff's
desk, machines' screens, the pictures that machines fetch, and what somebody who has paid looks at: the order's page, its
receipt, the way to tell that the case did not come, the way back from a provider, and the calls with which an app asks
whether it is paid. Nothing new starts. Not here: the answers (views.closed_for_maintenance).
Guarantees: reads the setting and the path, nothing else: no session, no database, no cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from pimpshop.core import views

#: As paths begin.
OPEN = (
    "/healthz", "/readyz", "/metrics", "/static/", "/admin/", "/i18n/", "/api/docs/", "/api/schema/", "/sandbox/", "/app.",
    "/pictures/", "/m/", "/payments/",
    "/api/chinese/", "/api/stripe/webhook", "/api/orders/callback", "/api/v1/webhooks/", "/api/v2/webhooks/",
    "/api/v1/payments/wechat/notify", "/api/v2/payments/wechat/notify",
)  # fmt: skip
#: An order's own pages, but not the ones where it is paid.
_ORDER = re.compile(r"/orders/[^/]+/(live/|receipt/|machine/|missing/)?\Z")
#: Where an app asks whether it is paid: "nothing was charged" would be wrong for somebody who has paid.
_IS_IT_PAID = re.compile(
    r"(/api/check-payment-status/[^/]+|/api/orders/payment-status/[^/]+|/process-payment-success"
    r"|/api/v[12]/payments/wechat/(query|payment)/[^/]+|(/api/v[12]|/v2)/payments/(?!methods|wechat)[^/]+"
    r"|/api/vending/session/[^/]+/status)/?\Z"
)


def is_open(path: str) -> bool:
    """Whether `path` answers while the shop is closed."""
    return path.startswith(OPEN) or bool(_ORDER.match(path) or _IS_IT_PAID.match(path))


class MaintenanceMiddleware:
    """Stands before everything that knows who is asking."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.MAINTENANCE and not is_open(request.path):
            return views.closed_for_maintenance(request)
        return self.get_response(request)
