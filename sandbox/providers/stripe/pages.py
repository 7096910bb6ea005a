"""Stripe's pages: hosted Checkout with a card form and test cards, 3-D Secure, a receipt. They say that they are simulated.

A page never redirects a posted form to the shop: the content policy forbids it. It shows a page of its own that leads on.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_safe

from sandbox import database
from sandbox.pages.render import page, with_language
from sandbox.providers.stripe import books, charging, codes, methods, sessions
from sandbox.providers.stripe.refusal import Refusal

SHOWN = (
    "4242424242424242", "4000000000003220", "4000000000000002", "4000000000009995", "4000000000000069",
    "4000000000000127", "4100000000000019", "4000008400001629", "4000000000003089", "4000000000000259",
    "4000000000007726", "4000000000005126", "4000000000000010",
)  # fmt: skip


def _session(ident: str) -> books.Thing:
    found = books.find(ident, "checkout.session")
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest, ident: str) -> HttpResponse:
    """The hosted page; a POST pays."""
    session = _session(ident)
    if session["status"] == "open" and request.method == "POST":
        return _pay(request, session)
    if session["status"] == "complete":
        return HttpResponseRedirect(with_language(request, f"/stripe/c/pay/{ident}/back"))
    return _form(request, session, "")


def _pay(request: HttpRequest, session: books.Thing) -> HttpResponse:
    month, _, year = request.POST.get("expiry", "").replace(" ", "").partition("/")
    card = {"number": request.POST.get("number", ""), "exp_month": month, "exp_year": year,
            "cvc": request.POST.get("cvc", "")}  # fmt: skip
    email = request.POST.get("email", "")[:200]
    try:
        with database.transaction(keeps=(Refusal,)):
            done = sessions.pay(session, card, email=email, name=request.POST.get("name", "")[:200])
            intent = books.find(done["payment_intent"] or "", "payment_intent")
    except Refusal as refusal:
        return _form(request, _session(session["id"]), str(refusal))
    if intent and intent["status"] == "requires_action":
        return HttpResponseRedirect(with_language(request, f"/stripe/3ds/{intent['id']}"))
    return HttpResponseRedirect(with_language(request, f"/stripe/c/pay/{session['id']}/back"))


def _form(request: HttpRequest, session: books.Thing, problem: str) -> HttpResponse:
    chosen = request.GET.get("card", "")
    number = request.POST.get("number", "") or (chosen if chosen in codes.CARDS else "")
    intent = books.find(session["payment_intent"] or "", "payment_intent") or {}
    failed = (intent.get("last_payment_error") or {}).get("message", "")
    response = page(request, "stripe/checkout.html", {
        "session": session, "lines": [_line(line) for line in session["_lines"]],
        "total": codes.shown(session["amount_total"], session["currency"]), "problem": problem or failed,
        "cards": [{"number": n, "title": codes.CARDS[n].title} for n in SHOWN], "number": _spaced(number),
        "chosen": codes.CARDS[number.replace(" ", "")].title if number.replace(" ", "") in codes.CARDS else "",
        "email": request.POST.get("email") or session["customer_email"] or ("shopper@example.com" if chosen else ""),
        "name": request.POST.get("name") or ("Test Shopper" if chosen else ""), "expiry": request.POST.get("expiry") or ("12 / 34" if number else ""),
        "cvc": "123" if number and not problem else "",
    })  # fmt: skip
    response.status_code = 402 if problem else 200
    return response


def _spaced(number: str) -> str:
    digits = number.replace(" ", "")
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return line | {"shown": codes.shown(line["amount_total"], line["currency"])}


@require_safe
def back(request: HttpRequest, ident: str) -> HttpResponse:
    """Where a finished page leads: on to the shop; an unfinished one back to its form."""
    session = _session(ident)
    if session["status"] != "complete":
        return HttpResponseRedirect(with_language(request, f"/stripe/c/pay/{ident}"))
    url = session["success_url"].replace("{CHECKOUT_SESSION_ID}", ident)
    words = "Paid" if session["payment_status"] != "unpaid" else "Your payment is being processed"
    return page(request, "stripe/leaving.html", {"url": url, "words": words})


def _waiting(ident: str) -> tuple[books.Thing, str]:
    """(what waits for 3-D Secure, the amount in words)."""
    found = books.find(ident, "payment_intent") or books.find(ident, "setup_intent")
    if found is None:
        raise Http404
    setup = found["object"] == "setup_intent"
    return found, "" if setup else codes.shown(found["amount"], found["currency"])


@require_http_methods(["GET", "HEAD", "POST"])
def challenge(request: HttpRequest, ident: str) -> HttpResponse:
    """3-D Secure: the bank asks; a POST answers `approve` or `fail`."""
    found, amount = _waiting(ident)
    if request.method == "POST":
        answer(ident, approve=request.POST.get("answer") == "approve")
        return HttpResponseRedirect(with_language(request, f"/stripe/3ds/{ident}/back"))
    if found["status"] != "requires_action":
        return HttpResponseRedirect(with_language(request, f"/stripe/3ds/{ident}/back"))
    return page(request, "stripe/challenge.html", {"thing": found, "amount": amount})


def answer(ident: str, *, approve: bool) -> books.Thing:
    """The shopper's answer to the bank, whoever gives it. Idempotent."""
    with database.transaction():
        found, _ = _waiting(ident)
        if found["object"] == "payment_intent":
            done = charging.authenticated(found, approve=approve)
            sessions.follow(done)
            return done
        if found["status"] == "requires_action" and approve:
            return methods.finish_setup(found)
        if found["status"] == "requires_action":
            methods.refuse_setup(found, "setup_intent_authentication_failure")
        return books.get(ident, "setup_intent")


@require_safe
def challenge_back(request: HttpRequest, ident: str) -> HttpResponse:
    """After 3-D Secure: to the hosted page, or to the shop with what Stripe appends."""
    found, _ = _waiting(ident)
    if found.get("_session"):
        return HttpResponseRedirect(with_language(request, f"/stripe/c/pay/{found['_session']}/back"))
    kind = found["object"]
    good = found["status"] in ("succeeded", "processing", "requires_capture")
    told = {kind: ident, f"{kind}_client_secret": found["client_secret"],
            "redirect_status": "succeeded" if good else "failed"}  # fmt: skip
    url = found["_return_url"]
    if not url:
        raise Http404
    head, mark, fragment = url.partition("#")
    url = f"{head}{'&' if '?' in head else '?'}{urlencode(told)}{mark}{fragment}"
    return page(
        request, "stripe/leaving.html", {"url": url, "words": "Thank you" if good else "Not confirmed"}
    )


@require_safe
def receipt(request: HttpRequest, ident: str) -> HttpResponse:
    """A charge's receipt."""
    charge = books.find(ident, "charge")
    if charge is None or not charge["paid"]:
        raise Http404
    total = codes.shown(charge["amount"], charge["currency"])
    given = codes.shown(charge["amount_refunded"], charge["currency"]) if charge["amount_refunded"] else ""
    kind = charge["payment_method_details"]["type"]
    last4 = charge["payment_method_details"][kind].get("last4", "")
    context = {"charge": charge, "total": total, "given": given, "last4": last4}
    return page(request, "stripe/receipt.html", context)


@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """The account's newest payments, pages and posts, for whoever looks what happened."""
    found = []
    for intent in books.newest("payment_intent", limit=50):
        found.append(intent | {"shown": codes.shown(intent["amount"], intent["currency"])})
    waiting = books.newest("checkout.session", lambda thing: thing["status"] == "open", 20)
    for session in waiting:
        session["shown"] = codes.shown(session["amount_total"], session["currency"])
    posts = database.rows("SELECT * FROM stripe_posts ORDER BY id DESC LIMIT 40")
    prices = [
        price | {"shown": codes.shown(price["unit_amount"], price["currency"])}
        for price in books.newest("price")
    ]
    context = {"intents": found, "sessions": waiting, "posts": posts, "prices": prices}
    return page(request, "stripe/payments.html", context)
