"""“I did not get my case”, by the order's signed link: a short form, then the order's page. Doors: one call, then a template."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders import selectors
from orders.forms import MissingCaseForm
from orders.models import Order
from orders.services import missing_cases
from pimpshop.core import throttles
from vending.services import machines

#: Reports of one order, and of one address (a whole mall may share one).
PER_ORDER = throttles.Limit("missing-case", 5, 3600)
PER_ADDRESS = throttles.Limit("missing-case-address", 30, 3600)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def missing(request: HttpRequest, order_no: str) -> HttpResponse:
    """/orders/<order_no>/missing/?k=…: what happened. Whoever has nothing to report comes back to the order's page."""
    if not selectors.may_see(order_no, request.GET.get("k", "")):
        raise Http404
    order = selectors.get(order_no)
    back = HttpResponseRedirect(selectors.status_path(order))
    job = selectors.case_state(order).job if order.kind == Order.Kind.CASE else None
    if missing_cases.standing(order, job) != missing_cases.OFFER:
        return back
    if request.method != "POST":
        return _page(request, order, MissingCaseForm())
    throttles.enforce(PER_ORDER, order.order_no)
    throttles.enforce(PER_ADDRESS, throttles.client_address(request))
    form = MissingCaseForm(request.POST)
    if not form.is_valid():
        return _page(request, order, form, status=400)
    missing_cases.report(order, **form.cleaned_data)
    return back


def _page(request: HttpRequest, order: Order, form: MissingCaseForm, *, status: int = 200) -> HttpResponse:
    machine = machines.find_machine(order.machine_id)
    context = {
        "form": form,
        "order_no": order.order_no,
        "machine_name": machine.name if machine else "",
        "urls": {
            "send": f"{reverse('order-missing', args=[order.order_no])}?k={request.GET.get('k', '')}",
            "back": selectors.status_path(order),
        },
    }
    return render(request, "orders/missing.html", context, status=status)
