"""/accounts/: how somebody logs in, on one page: address, password, second factor. Doors: one call, then a template."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """What is set, each with the way to change it."""
    return render(request, "account/security.html")
