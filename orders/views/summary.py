"""The summary in front of a machine: look once more, then pay there or on the phone. Doors: one call, then a template."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import selectors as catalogue
from catalog.models import Design, Shell
from orders import selectors
from orders.models import Order
from orders.services import credit_parts, sent_pictures, session_orders
from payments.services import credit_payments, intents, machine_payments, ways
from payments.views import pay, spend
from pimpshop.core import errors, throttles
from pimpshop.core.money import Money
from vending.api.sessions import WRITE_PER_SESSION
from vending.models import VendingSession
from vending.services import machines, sessions


def session_of(request: HttpRequest, session_id: str) -> VendingSession:
    """The session that this browser has claimed. Raises sessions' refusals."""
    return sessions.claimed_session(
        session_id=session_id, token=request.COOKIES.get(sessions.claim_cookie(session_id), "")
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def summary(request: HttpRequest, session_id: str) -> HttpResponse:
    """/studio/s/<session>/summary/: look once more; the button orders and asks the machine for the money."""
    session = session_of(request, session_id)
    if session.status not in sessions.OPEN and session.order_no:
        return HttpResponseRedirect(selectors.status_path(selectors.get(session.order_no)))
    if session.design is None:
        return HttpResponseRedirect(reverse("studio", args=[session_id]))
    if request.method == "POST":
        throttles.enforce(WRITE_PER_SESSION, session.session_id)
        return _pay(request, session, session.design)
    return page(request, session, session.design)


@never_cache
@require_POST
def online(request: HttpRequest, session_id: str) -> HttpResponse:
    """/studio/s/<session>/summary/online/: order in that way's currency and pay on the phone."""
    session = session_of(request, session_id)
    if session.status not in sessions.OPEN or session.design is None:
        return HttpResponseRedirect(reverse("summary", args=[session_id]))
    throttles.enforce(WRITE_PER_SESSION, session.session_id)
    currency, _dot, key = request.POST.get("way", "").partition(".")
    shopper = _shopper(request)
    try:
        way = ways.find(key, catalogue.case_price(session.design.shell, currency), shopper)
        order = session_orders.order_design(
            session,
            session.design,
            user=spend.who(request),
            language=get_language() or "en",
            source="page",
            currency=currency,
        )
        return HttpResponseRedirect(pay.card_path(order)) if way.asks_card else pay.start(request, order, way)
    except errors.ShopError as error:
        session.refresh_from_db()
        return page(request, session, session.design, problem=error, otherwise="not_started")


def _shopper(request: HttpRequest) -> ways.Shopper:
    user_id = request.user.pk if request.user.is_authenticated else None
    return ways.Shopper.of(request.headers.get("User-Agent", ""), user_id=user_id)


def _online_ways(request: HttpRequest, shell: Shell, due: Money) -> list[dict[str, object]]:
    """{key, way, price} of each way to pay on the phone: in the machine's own currency where that way takes it, else in
    the first other one that the case has a price in. The machine's own currency first; `due` is what is to be paid in it."""
    own = due.currency
    found: dict[str, dict[str, object]] = {}
    currencies = sorted(catalogue.case_currencies(shell), key=lambda currency: currency != own)
    if catalogue.price_in_credits(shell.model.product.pk):
        currencies.append(credit_parts.CREDITS)
    for currency in currencies:
        price = due if currency == own else catalogue.case_price(shell, currency)
        for way in ways.offered(price, _shopper(request)):
            found.setdefault(way.key, {"key": f"{currency}.{way.key}", "way": way, "price": price})
    shown = [found[way.key] for way in ways.WAYS if way.key in found]
    if (get_language() or "").startswith("zh"):
        return shown  # the wallets first: nobody who reads Chinese looks for a card
    return sorted(shown, key=lambda one: not str(one["key"]).startswith(f"{own}."))


def _online(request: HttpRequest, shell: Shell, due: Money, *, offered: bool) -> dict[str, object]:
    """{online, others}: what makes sense first, and what is folded away. First one of each kind, of those in the machine's
    own currency or in credits; who reads Chinese finds the wallets first, whatever they are paid in."""
    shown = _online_ways(request, shell, due) if offered else []
    chinese = (get_language() or "").startswith("zh")
    own = (f"{due.currency}.", f"{credit_parts.CREDITS}.")
    near = [one for one in shown if chinese or str(one["key"]).startswith(own)] or shown
    first = ways.first_of_kind([one["way"] for one in near if isinstance(one["way"], ways.Way)])
    return {
        "online": [one for one in shown if one["way"] in first],
        "others": [one for one in shown if one["way"] not in first],
    }


def _pay(request: HttpRequest, session: VendingSession, design: Design) -> HttpResponse:
    try:
        order = session_orders.order_design(
            session, design, user=spend.who(request), language=get_language() or "en", source="page"
        )
        machine_payments.start_machine_payment(session, source="page")
    except intents.PaymentUncertain:
        pass  # the order's page says that we are checking and that nobody shall pay twice
    except (
        machines.OutOfStock, machines.MachineNotReady, intents.PaymentNotStarted, sent_pictures.Busy
    ) as error:  # fmt: skip
        session.refresh_from_db()
        return page(request, session, design, problem=error)
    return HttpResponseRedirect(selectors.status_path(order))


def _waiting(session: VendingSession, price: Money) -> Order | None:
    """The session's order that was made for credits to pay a part of it, at the machine's price, and waits for the rest."""
    order = selectors.unpaid(session.order_no)
    return order if order is not None and order.total == price else None


_PROBLEMS = {
    "out_of_stock": "out_of_stock",
    "machine_not_ready": "machine_not_ready",
    "machine_busy": "machine_not_ready",
    "payment_not_started": "unavailable",
}


def _item(design: Design) -> dict[str, str]:
    shell = design.shell
    return {
        "brand": str(shell.model.brand),
        "model": str(shell.model),
        "color_name": str(shell.colour),
        "color": shell.colour.hex,
        "template_name": str(design.template) if design.template else "",
        "text": selectors.texts_of(design),
    }


def _said(
    problem: errors.ShopError | None, verdict: machines.Readiness, otherwise: str
) -> list[dict[str, object]]:
    if problem is not None:
        return [{"code": _PROBLEMS.get(problem.code, otherwise), "text": problem.message}]
    if verdict:
        return []
    code = "out_of_stock" if verdict.code == "out_of_stock" else "machine_not_ready"
    return [{"code": code, "text": verdict.message}]


def page(
    request: HttpRequest,
    session: VendingSession,
    design: Design,
    problem: errors.ShopError | None = None,
    otherwise: str = "unavailable",
) -> HttpResponse:
    """The summary, with what went wrong."""
    shell = design.shell
    verdict = machines.readiness(session.machine, shell)
    price = catalogue.case_price(shell, session.machine.currency)
    order = _waiting(session, price)
    due = credit_parts.due(order) if order else price
    user = spend.who(request)
    context = {
        "preview_url": reverse("studio-preview", args=[session.session_id]) + "?w=480",
        "item": _item(design),
        "price": price,
        "due": due,
        "part": credit_parts.told(order) if order else None,
        "spend": credit_payments.offer_of_case(shell, price, user, order) if user and verdict else None,
        "machine": session.machine,
        "seconds_left": max(0, int((session.expires_at - timezone.now()).total_seconds())),
        "low_resolution": design.low_resolution_accepted_at is not None,
        "problems": _said(problem, verdict, otherwise),
        "can_pay": bool(verdict),
        "idempotency_key": "",
        **_online(request, shell, due, offered=bool(verdict)),
        "urls": {
            "online": reverse("summary-online", args=[session.session_id]),
            "pay": reverse("summary", args=[session.session_id]),
            "credits": reverse("summary-credits", args=[session.session_id]),
            "edit": reverse("studio", args=[session.session_id]),
        },
    }
    return render(request, "orders/summary.html", context, status=problem.status if problem else 200)
