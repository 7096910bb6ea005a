"""/accounts/: how somebody logs in, on one page: address, password, second factor. Doors: one call, then a template."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.services import second_factor


@never_cache
@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """What is set, each with the way to change it."""
    factor = isinstance(request.user, User) and second_factor.is_set(request.user)
    return render(request, "account/security.html", {"factor": factor})


class Activate(ActivateTOTPView):
    """/accounts/2fa/totp/activate/: set up the app. Who has typed its code has shown it for this session."""

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        record_authentication(self.request, self.request.user, "mfa", type=second_factor.TOTP)
        return answer


activate = Activate.as_view()
