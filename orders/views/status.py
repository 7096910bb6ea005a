"""The status page of an order, by signed link: where it stands, and what can be done now. Doors: one call, then a template."""

from __future__ import annotations

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from orders import selectors
from orders.models import Order
from orders.services import credit_parts
from payments.services import progress, sync
from pimpshop.core import errors, throttles
from vending.api.sessions import READ_PER_SESSION
from vending.services import machines, sessions, waiting_jobs


@never_cache
@require_safe
def status(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/?k=…: where the order stands. The link is the key; a wrong one finds nothing (404)."""
    return render(request, "orders/status.html", _status_context(request, order_no))


@never_cache
@require_safe
def status_fragment(request: HttpRequest, order_no: str) -> HttpResponse:
    """The live part of the status page."""
    return render(request, "orders/_status.html", _status_context(request, order_no))


@never_cache
@require_POST
def choose_machine(request: HttpRequest, order_no: str) -> HttpResponse:
    """POST /orders/<order_no>/machine/?k=…: the buyer sends a paid case to a machine."""
    order = _order(request, order_no)
    try:
        waiting_jobs.choose_for(
            order_no=order.order_no, machine_id=request.POST.get("machine", ""), source="page"
        )
    except errors.ShopError as error:
        context = _status_context(request, order_no) | {"problem": error.message}
        return render(request, "orders/status.html", context, status=error.status)
    return HttpResponseRedirect(selectors.status_path(order))


def _order(request: HttpRequest, order_no: str) -> Order:
    """The order that the signed link opens; 404 for any other link."""
    if not selectors.may_see(order_no, request.GET.get("k", "")):
        raise Http404
    return selectors.get(order_no)


def _status_context(request: HttpRequest, order_no: str) -> dict[str, object]:
    order, key = _order(request, order_no), request.GET.get("k", "")
    throttles.enforce(READ_PER_SESSION, f"order:{order_no}")
    if sync.refresh_if_stale(order, source="page"):
        order.refresh_from_db()
    prefetch_related_objects([order], "lines")  # read by texts, credits and picture
    shown = progress.order_progress(order)
    return {
        "status": shown,
        "order": _order_facts(order),
        "preview_url": selectors.preview_url(order),
        "poll_ms": shown["poll_ms"],
        "machines": waiting_jobs.offered_for(order_no) if shown["state"] == "choose" else [],
        "stopped": waiting_jobs.why_not(order_no) if shown["state"] == "choose" else "",
        "problem": "",
        "urls": {
            "machine": f"{reverse('order-machine', args=[order_no])}?k={key}",
            "fragment": f"{reverse('order-status-fragment', args=[order_no])}?k={key}",
            "again": _again(order) if shown["state"] in progress.PAYABLE | {"cancelled"} else "",
            "another": selectors.pay_path(order) if shown["state"] in progress.UNDER_WAY else "",
            "missing": f"{reverse('order-missing', args=[order_no])}?k={key}",
            "receipt": selectors.receipt_path(order) if order.paid_at else "",
        },
    }


def _order_facts(order: Order) -> dict[str, object]:
    machine = machines.find_machine(order.machine_id)
    return {
        "order_no": order.order_no,
        "placed_at": order.created_at,
        "machine_name": machine.name if machine else "",
        "location": machine.location if machine else "",
        "machine": machine,
        "lines": selectors.line_texts(order),
        "total": order.total,
        "part": credit_parts.told(order),
        "paid_at": order.paid_at,
    }


def _again(order: Order) -> str:
    """Where to pay or to try again: at a machine the session's summary while it lives, else the order's own page."""
    if order.session_id:
        return reverse("summary", args=[order.session_id]) if sessions.may_try_again(order.session_id) else ""
    return selectors.pay_path(order) if selectors.is_unpaid(order) else ""
