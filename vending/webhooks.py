"""The manufacturer's order-status posts, at both of its addresses. Anybody can send them: they only make our next look
at the print job due; the state comes from getOrderStatus and printList."""

from __future__ import annotations

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from pimpshop.core import throttles
from vending import manufacturer
from vending.services import print_jobs

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024


@csrf_exempt
def order_status(request: HttpRequest) -> HttpResponse:
    """POST /api/chinese/order-status-update and /api/chinese/order/status-update, JSON or form, object or array."""
    if request.method != "POST":
        return _refusal(405, _("Send it with POST."))
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        return _refusal(413, _("That is too large."))
    try:
        posts = manufacturer.posts.order_posts(body)
    except manufacturer.BadMessage:
        return _refusal(400, _("The body cannot be read. Send JSON or a form with an order id and a status."))
    for post in posts:
        job = print_jobs.by_any_id(post.ids)
        if job is None:
            log.info("order_status_unknown_id", address=throttles.client_address(request))
        else:
            print_jobs.note_hint(job, status=post.status)
    return HttpResponse(manufacturer.posts.ACKNOWLEDGED, content_type="application/json")


def _refusal(status: int, message: str) -> HttpResponse:
    body = {"msg": message, "code": status, "detail": message, "status_code": status}
    headers = {"Allow": "POST"} if status == 405 else None
    return JsonResponse(body, status=status, headers=headers, json_dumps_params={"ensure_ascii": False})
