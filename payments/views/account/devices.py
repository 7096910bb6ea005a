"""/account/devices/: where somebody is logged in, and the end of it; and the language that we write to them in."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from accounts.models import User
from accounts.services import languages, tokens

#: Devices that the page shows; more than anybody has.
MOST = 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def devices(request: HttpRequest) -> HttpResponse:
    """GET lists them; POST {device} ends one, POST {everywhere} ends all but this browser."""
    user = cast(User, request.user)
    if request.method == "POST":
        _end(request, user)
        return redirect("account-devices")
    context = {"tab": "account-devices", "devices": tokens.living(user)[:MOST]}
    return render(request, "payments/account/devices.html", context)


def _end(request: HttpRequest, user: User) -> None:
    if "everywhere" in request.POST:
        tokens.log_out_everywhere(user)
        update_session_auth_hash(request, user)  # this browser stays
        messages.success(request, _("Every other device and browser is logged out."))
        return
    asked = request.POST.get("device", "")
    known = asked.isascii() and asked.isdigit() and len(asked) < 19
    if not known or not tokens.revoke_of(user, int(asked)):
        raise Http404
    messages.success(request, _("That device is logged out."))


@never_cache
@require_POST
@login_required(redirect_field_name="")
def language(request: HttpRequest) -> HttpResponse:
    """POST /account/language/ {language, next}: for the pages (a cookie), and for mails and messages (kept)."""
    languages.keep(cast(User, request.user), request.POST.get("language", ""))
    return set_language(request)
