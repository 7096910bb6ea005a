"""The way to the desk: the website's own log-in, with its limits and its second factor; the admin has none of its own.

Guarantees: nobody is let in by a password alone where a second factor is demanded (accounts.services.second_factor), and
none of the admin's pages takes a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.services import second_factor
from pimpshop.core import redirects


@never_cache
def log_in(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """/admin/login/: to the website's log-in, to what is lacking still, or on. 403 for who is no staff."""
    back = request.GET.get("next", "")
    back = back if redirects.is_our_path(back) else reverse("admin:index")
    user = request.user
    if not isinstance(user, User):
        return _to("account_login", back)
    if not user.is_staff:
        raise PermissionDenied
    if second_factor.desk_is_open(request):
        return HttpResponseRedirect(back)
    if second_factor.is_set(user):
        return _to("mfa_reauthenticate", back)
    messages.info(request, gettext("The desk asks for a second factor. Please set one up now."))
    return _to("mfa_activate_totp", back)


def change_password(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """Passwords are changed at one place, which ends the other sessions and the tokens too."""
    return HttpResponseRedirect(reverse("account_change_password"))


def _to(page: str, back: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse(page)}?{urlencode({'next': back})}")


# On the site itself, as allauth's manual has it: unfold makes it, and every app registers its pages with it.
admin.site.has_permission = second_factor.desk_is_open  # type: ignore[method-assign]
admin.site.login = log_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign, assignment]
