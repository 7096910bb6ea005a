"""Credits at the summary in front of a machine: a part of the price, before it is paid there or on the phone. Doors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from orders.services import session_orders
from orders.views import summary
from payments.services import credit_payments
from payments.views import spend
from pimpshop.core import errors, throttles
from vending.api.sessions import WRITE_PER_SESSION
from vending.services import sessions


@never_cache
@require_POST
def credits(request: HttpRequest, session_id: str) -> HttpResponse:
    """/studio/s/<session>/summary/credits/: order, and hold the `credits` that were typed; `do` off takes them off."""
    session = summary.session_of(request, session_id)
    user = spend.who(request)
    back = HttpResponseRedirect(reverse("summary", args=[session_id]))
    design = session.design
    if user is None or session.status not in sessions.OPEN or design is None:
        return back
    throttles.enforce(WRITE_PER_SESSION, session.session_id)
    try:
        order = session_orders.order_design(
            session, design, user=user, language=get_language() or "en", source="page"
        )
        if request.POST.get("do") == "off":
            credit_payments.take_off(order, user=user, source="page")
        else:
            amount = spend.number(request.POST.get("credits", ""))
            credit_payments.use(order, user=user, amount=amount, source="page")
    except errors.ShopError as error:
        session.refresh_from_db()
        return summary.page(request, session, design, problem=error, otherwise="credits")
    return back
