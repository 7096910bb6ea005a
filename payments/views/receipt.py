"""The receipt of an order, made for printing, by the same signed link as the status page. A door: one call, then a template."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from orders import selectors as orders
from payments.services import receipts
from pimpshop.core import throttles
from vending.api.sessions import READ_PER_SESSION


@cache_control(private=True, no_store=True)
@require_safe
def receipt(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/receipt/?k=…: 404 for a wrong link and for an order that is not paid."""
    if not orders.may_see(order_no, request.GET.get("k", "")):
        raise Http404
    throttles.enforce(READ_PER_SESSION, f"order:{order_no}")
    order = orders.get(order_no)
    context = {"receipt": receipts.receipt(order), "status_url": orders.status_path(order)}
    return render(request, "payments/receipt.html", context)
