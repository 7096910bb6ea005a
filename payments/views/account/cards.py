"""/account/cards/: ways to pay that somebody keeps at a provider. One call each; the provider is asked outside any
transaction, and somebody else's method is not found."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from payments.services import keeping
from pimpshop.core import errors, throttles

CHANGES = throttles.Limit("account-cards", 30, 600)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def cards(request: HttpRequest) -> HttpResponse:
    """GET lists them; POST {method, do: default | remove} changes one."""
    user = cast(User, request.user)
    if request.method == "POST":
        throttles.enforce(CHANGES, f"user:{user.pk}")
        _change(request, user)
        return redirect("account-cards")
    shown = [_card(row) for row in keeping.kept(user)]
    return render(request, "payments/account/cards.html", {"tab": "account-cards", "cards": shown})


def _change(request: HttpRequest, user: User) -> None:
    try:
        row = keeping.find(_token(request.POST.get("method", "")), user_id=user.pk, sees_all=False)
    except errors.NotFound:
        raise Http404 from None
    try:
        if request.POST.get("do") == "remove":
            keeping.remove(row)
            messages.success(request, _("It is removed, at the provider too."))
        else:
            keeping.choose(row)
            messages.success(request, _("We will offer this one first."))
    except errors.ShopError as error:
        messages.error(request, str(error.message))


def _token(text: str) -> uuid.UUID:
    """Raises Http404 for what is no id."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def _card(row: Any) -> dict[str, Any]:
    """What may be shown: never a number."""
    told = keeping.shown(row)
    brand = str(told["card_brand"] or "").replace("_", " ").title()
    month, year = told["exp_month"], told["exp_year"]
    return {
        "id": str(row.public_id),
        "name": brand or _("Saved way to pay"),
        "last_four": told["last_four"],
        "until": f"{month}/{year}" if month and year else "",
        "is_default": row.is_default,
    }
