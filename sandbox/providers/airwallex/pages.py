"""The issuer's page of 3DS: approve or fail, then back to the shop. A phone shows it well; it says that it is a simulator.

The way back is a page of our own that leads on by itself: the strict policy lets a form end here alone.
"""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from sandbox import database
from sandbox.pages.render import page, with_language
from sandbox.providers.airwallex import books, codes, intents, vault
from sandbox.providers.airwallex.refusal import Declined, Refusal

APPROVE, FAIL = "approve", "fail"


def _challenge(key: str) -> database.Row:
    found = database.row("SELECT * FROM awx_challenges WHERE id = ?", key)
    if found is None:
        raise Http404
    return found


def _thing(challenge: database.Row) -> books.Object:
    kind = "payment_intents" if challenge["thing"].startswith("int_") else "payment_consents"
    return books.get(kind, challenge["thing"])


def answer(key: str, result: str) -> database.Row:
    """Approve or fail a challenge, once; later answers change nothing. Raises Http404, ValueError."""
    if result not in (APPROVE, FAIL):
        raise ValueError("approve or fail")
    with database.transaction(keeps=(Declined,)):
        challenge = _challenge(key)
        thing = _thing(challenge)
        if challenge["result"] or thing["status"] != codes.NEEDS_ACTION:
            return challenge
        database.execute("UPDATE awx_challenges SET result = ? WHERE id = ?", result, key)
        owner: Any = intents if challenge["thing"].startswith("int_") else vault
        try:
            if result == APPROVE:
                owner.finish(thing, challenge["card"])
            elif owner is intents:
                intents.decline(thing, "authentication_declined", "")
            else:
                vault.refuse(thing, "authentication_declined")
        except Declined:
            pass  # the issuer has refused after all; the books say so
        return _challenge(key)


@require_http_methods(["GET", "HEAD", "POST"])
def three_ds(request: HttpRequest, key: str) -> HttpResponse:
    """The challenge's page. A POST answers it and leads back to the shop."""
    if request.method == "POST":
        try:
            answer(key, request.POST.get("result", ""))
        except ValueError as error:
            return HttpResponse(str(error), status=400, content_type="text/plain")
        return HttpResponseRedirect(with_language(request, reverse("airwallex-3ds", args=[key])))
    challenge = _challenge(key)
    try:
        thing = _thing(challenge)
    except Refusal:
        raise Http404 from None
    over = bool(challenge["result"]) or thing["status"] != codes.NEEDS_ACTION
    return page(request, "airwallex/three_ds.html", {"challenge": challenge, "thing": thing, "over": over})


@csrf_exempt
@require_POST
def three_ds_by_hand(request: HttpRequest, key: str) -> JsonResponse:
    """The control API's answer to a challenge: {"result": "approve" | "fail"} -> the challenge."""
    try:
        return JsonResponse({"challenge": answer(key, str(json.loads(request.body)["result"]))})
    except (ValueError, KeyError, TypeError) as error:
        return JsonResponse({"error": str(error)}, status=400)
