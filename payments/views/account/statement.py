"""/account/statement/: every movement of somebody's credits, on pages and as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from credits import selectors
from orders import selectors as orders
from payments.views.account.orders import before
from pimpshop.core import sheets, throttles

PAGE = 30
FILES = throttles.Limit("statement-file", 20, 600)


@never_cache
@require_safe
@login_required
def statement(request: HttpRequest) -> HttpResponse:
    """GET /account/statement/?before=<id>."""
    user, asked = cast(User, request.user), before(request)
    lines = selectors.statement(user.pk, before_id=asked, limit=PAGE + 1)
    shown = lines[:PAGE]
    paths = orders.paths_of(user, (line.order_no for line in shown))
    context: dict[str, Any] = {
        "tab": "account-statement",
        "standing": selectors.standing(user.pk),
        "lines": [(line, paths.get(line.order_no, "")) for line in shown],
        "older": shown[-1].id if len(lines) > PAGE else None,
        "newer": asked is not None,
    }
    return render(request, "payments/account/statement.html", context)


@never_cache
@require_safe
@login_required
def as_file(request: HttpRequest) -> StreamingHttpResponse:
    """GET /account/statement.csv: all of it, line by line as it is read."""
    throttles.enforce(FILES, f"user:{request.user.pk}")
    language = translation.get_language() or "en"
    day = timezone.now().date().isoformat()
    return sheets.answer(f"pimpshop-credits-{day}.csv", _head(), _rows(cast(int, request.user.pk), language))


def _head() -> list[str]:
    return [
        _("Date (UTC)"),
        _("What"),
        _("Credits"),
        _("Balance after"),
        _("Order"),
        _("Note"),
        _("Reference"),
    ]


def _rows(user_id: int, language: str) -> Iterator[list[str | int]]:
    """Runs while the answer is sent, when the request's language is gone."""
    for line in selectors.whole_statement(user_id):
        with translation.override(language):
            label = str(line.label)
        at = line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        yield [at, label, line.amount, line.balance, line.order_no, line.note, line.reference]
