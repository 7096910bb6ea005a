"""The mailbox: the door at which the shop hands mails in, the list of them, and each as its receiver reads it."""

import hashlib
import json

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from sandbox import faults
from sandbox.pages.render import language, page
from sandbox.providers.mailbox import books


@csrf_exempt
@require_POST
def hand_in(request: HttpRequest) -> HttpResponse:
    """POST /mailbox/api/messages: a mail as it travels -> {id}."""
    if faults.strike(books.NAME, "down", books.CALL):
        return JsonResponse({"error": "the mailbox is closed"}, status=503)
    try:
        number = books.put(request.body)
    except books.NoMail as error:
        return JsonResponse({"error": str(error)}, status=400)
    if faults.strike(books.NAME, "error_after_accepting", books.CALL):
        return JsonResponse({"error": "the mail is kept, and nobody hears of it"}, status=500)
    return JsonResponse({"id": number})


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    """Every mail, newest first; ?to= shows one person's."""
    to = request.GET.get("to", "")
    return page(request, "mailbox/mails.html", {"mails": books.newest(to), "to": to})


@require_safe
def mails_part(request: HttpRequest) -> HttpResponse:
    """The part of the list that changes: 204 when it is shown already."""
    found = books.newest(request.GET.get("to", ""))
    state = [[mail["id"], mail["came"]] for mail in found]
    mark = hashlib.sha256(json.dumps([state, language(request)]).encode()).hexdigest()[:16]
    if request.GET.get("have") == mark:
        return HttpResponse(status=204)
    response = page(request, "mailbox/_mails.html", {"mails": found})
    response["X-State"] = mark
    return response


@require_safe
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """One mail, its text with links that can be followed."""
    return page(request, "mailbox/mail.html", {"mail": _found(number)})


@require_safe
def html(request: HttpRequest, number: int) -> HttpResponse:
    """The mail's HTML part as a page of its own; nothing of it runs or loads (the sandbox's policy)."""
    return HttpResponse(_found(number)["html"], headers={"Cache-Control": "no-store"})


def _found(number: int) -> books.database.Row:
    found = books.one(number)
    if found is None:
        raise Http404
    return found
