"""/account/data/: everything that we know about somebody, in a file; and the end of the account. Doors: one call."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from credits import selectors as credits
from orders import selectors as orders
from payments.services import personal_data
from pimpshop.core import errors, throttles

FILES = throttles.Limit("account-data-file", 10, 3600)
TRIES = throttles.Limit("account-erase", 10, 3600)


@never_cache
@require_safe
@login_required
def data(request: HttpRequest) -> HttpResponse:
    """GET: what can be fetched, what would go and what would stay."""
    return _page(request, "")


@never_cache
@require_safe
@login_required
def as_file(request: HttpRequest) -> HttpResponse:
    """GET /account/data.json."""
    throttles.enforce(FILES, f"user:{request.user.pk}")
    told = personal_data.export(cast(User, request.user))
    answer = JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 2})
    day = timezone.now().date().isoformat()
    answer["Content-Disposition"] = f'attachment; filename="pimpshop-my-data-{day}.json"'
    return answer


@sensitive_post_parameters("sure")
@never_cache
@require_POST
@login_required(redirect_field_name="")
def erase(request: HttpRequest) -> HttpResponse:
    """POST {sure}: the password, or the number of the account for somebody who has none."""
    user = cast(User, request.user)
    throttles.enforce(TRIES, f"user:{user.pk}")
    if not _is_sure(user, request.POST.get("sure", "")):
        wrong = (
            _("That is not your password.") if user.has_usable_password() else _("That is not the number.")
        )
        return _page(request, f"{wrong} {_('Nothing was erased.')}", status=400)
    try:
        personal_data.erase(user, actor=f"user:{user.pk}")
    except errors.ShopError as error:
        return _page(request, str(error.message), status=error.status)
    logout(request)
    messages.success(request, _("Your account is erased. Thank you for having been here."))
    return HttpResponseRedirect("/")


def _is_sure(user: User, typed: str) -> bool:
    if user.has_usable_password():
        return user.check_password(typed)
    return typed.strip() == str(user.pk)


def _page(request: HttpRequest, problem: str, *, status: int = 200) -> HttpResponse:
    user = cast(User, request.user)
    numbers = personal_data.in_the_way(user)
    context: dict[str, Any] = {
        "tab": "account-data",
        "standing": credits.standing(user.pk),
        "plan_until": credits.plan_until(user.pk),
        "in_the_way": sorted(orders.paths_of(user, numbers).items()),
        "has_password": user.has_usable_password(),
        "problem": problem,
    }
    return render(request, "payments/account/data.html", context, status=status)
