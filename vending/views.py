"""Pages around a machine: the landing of its QR code, and its own screen. Doors: one call each, then a template."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import selectors as catalogue
from orders import selectors as orders
from payments import selectors as payments
from pimpshop.core import errors, throttles
from pimpshop.core.templatetags import shop
from vending import selectors
from vending.api.sessions import CLAIM_PER_MACHINE, WRITE_PER_SESSION, admit, set_claim_cookie
from vending.models import VendingSession
from vending.services import machines, screens, sessions

#: By machine and address: whoever else calls a machine's page does not darken its screen.
SCREEN_PER_MACHINE = throttles.Limit("screen", 600, 60)


@never_cache
@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """/?qr=true&machine_id=…&session_id=…: whose code was scanned, and a button. Looking claims nothing."""
    session_id = request.GET.get("session_id", "")
    try:
        session = sessions.find(session_id)
        if request.GET.get("machine_id", session.machine.machine_id) != session.machine.machine_id:
            raise sessions.WrongMachine
    except sessions.SessionIdMalformed as error:  # its words are for programmers; the page has its own
        return _landing(request, "invalid", status=error.status)
    except errors.ShopError as error:
        return _landing(request, "invalid", status=error.status, reason=error.message)
    state, status = _landing_state(request, session)
    return _landing(request, state, status=status, session=session)


def _cookie(request: HttpRequest, session_id: str) -> str:
    return request.COOKIES.get(sessions.claim_cookie(session_id), "")


def _landing_state(request: HttpRequest, session: VendingSession) -> tuple[str, int]:
    """(state of the page, HTTP status)."""
    mine = sessions.holds_claim(session, _cookie(request, session.session_id))
    if mine and session.order_no and session.payment_started_at:
        return "resume", 200
    if session.is_over:
        return "expired", 410
    if mine:
        return "resume", 200
    if session.claim_hash or session.status not in sessions.OPEN:
        return "taken", 409
    return ("ready", 200) if machines.readiness(session.machine) else ("not_ready", 503)


def _landing(
    request: HttpRequest,
    state: str,
    *,
    status: int,
    session: VendingSession | None = None,
    reason: object = "",
) -> HttpResponse:
    context: dict[str, object] = {
        "state": state,
        "reason": reason,
        "urls": {},
        "machine_name": "",
        "seconds_left": None,
    }
    if session is not None:
        order = orders.of_session(session.order_no) if session.payment_started_at else None
        verdict = machines.readiness(session.machine)
        context |= {
            "machine_name": session.machine.name,
            "location": session.location,
            "seconds_left": max(0, int((session.expires_at - timezone.now()).total_seconds())),
            "price_from": catalogue.lowest_case_price(session.machine.currency),
            "reason": reason or ("" if verdict else verdict.message),
            "urls": {
                "start": reverse("session-start", args=[session.session_id]),
                "studio": reverse("studio", args=[session.session_id]),
                "status": orders.status_path(order) if order and state == "resume" else "",
            },
        }
    return render(request, "vending/landing.html", context, status=status)


@never_cache
@require_POST
def start(request: HttpRequest, session_id: str) -> HttpResponse:
    """The button of the landing page: this phone takes the session and goes on to the studio."""
    try:
        session = sessions.get_session(session_id)
        admit(WRITE_PER_SESSION, request, session.session_id)
        admit(CLAIM_PER_MACHINE, request, session.machine.machine_id)
        token = sessions.claim(session, token=_cookie(request, session_id), needs_token=True, source="page")
    except sessions.SessionTaken:
        return _landing(request, "taken", status=409, session=session)
    except sessions.SessionExpired:
        return _landing(request, "expired", status=410)
    response = HttpResponseRedirect(reverse("studio", args=[session_id]))
    set_claim_cookie(response, session_id, token)
    return response


@never_cache
@require_safe
def screen(request: HttpRequest, machine_id: str) -> HttpResponse:
    """/m/<machine>/: what the machine's screen shows."""
    return render(request, "vending/screen.html", _screen_context(request, machine_id))


@never_cache
@require_safe
def screen_fragment(request: HttpRequest, machine_id: str) -> HttpResponse:
    """The live part, every two seconds."""
    return render(request, "vending/_screen.html", _screen_context(request, machine_id))


def _screen_context(request: HttpRequest, machine_id: str) -> dict[str, object]:
    machine = machines.get_machine(machine_id)
    admit(SCREEN_PER_MACHINE, request, machine.machine_id)
    key = request.GET.get("k", "")
    shown = screens.show(machine) if machine.is_screen(key) else screens.show_to_anybody(machine)
    if shown.state == "pay" and shown.session and payments.takes_money_now(shown.session.third_id):
        shown = replace(shown, state="confirming")
    return {
        "machine": machine,
        "screen": {
            "state": shown.state,
            "version": shown.version,
            "seconds_left": shown.seconds_left,
            "life": shown.life,
            "qr_svg": shop.qr(selectors.qr_url(shown.session))
            if shown.state == "scan" and shown.session
            else "",
            "amount": shown.amount,
            "queue_no": shown.queue_no,
        },
        "queue": shown.queue,
        "urls": {
            "fragment": reverse("screen-fragment", args=[machine_id])
            + (f"?{urlencode({'k': key})}" if key else "")
        },
    }
