"""/account/: what somebody has, what of it ends when, their plan, and where to go from here."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from catalog import selectors as catalogue
from credits import selectors as credits
from orders import selectors as orders
from payments.views.account.orders import card

#: What the page shows of a longer list.
RECENT = 3


@never_cache
@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """GET /account/."""
    user = cast(User, request.user)
    term = credits.active_term(user.pk)
    context: dict[str, Any] = {
        "tab": "account",
        "standing": credits.standing(user.pk),
        "plan": catalogue.plan_name(term.plan_sku) if term else "",
        "plan_until": credits.plan_until(user.pk) if term else None,
        "orders": [card(order) for order in orders.of_user(user, limit=RECENT)],
    }
    return render(request, "payments/account/overview.html", context)
