"""The phone in somebody's hand: who uses the mini program, and the code that wx.login gives them. And the control API's
part for tests."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox import database
from sandbox.pages.render import page
from sandbox.providers.wechat import books


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, each with a button that gives a code; and a form for one more."""
    given = {"code": "", "openid": ""}
    if request.method == "POST":
        openid = request.POST.get("openid", "")
        if not openid:
            openid = books.new_openid()
            books.add_person(openid, unionid="u" + openid[1:], name=request.POST.get("name", "").strip()[:60])
        elif books.person(openid) is None:
            raise Http404
        given = {"code": books.give_code(openid), "openid": openid}
    return page(request, "wechat/people.html", {"people": books.people(), "given": given})


@csrf_exempt
@require_http_methods(["POST"])
def control_code(request: HttpRequest) -> JsonResponse:
    """POST sandbox/api/wechat/code {openid?, unionid?, name?} -> {code, openid}: what wx.login gives that person (the first
    one when none is named; one that is not there is made)."""
    try:
        sent: Any = json.loads(request.body or b"{}")
        openid = str(sent.get("openid") or books.people()[0]["openid"])
        with database.transaction():
            books.add_person(openid, unionid=str(sent.get("unionid") or ""), name=str(sent.get("name") or ""))
            code = books.give_code(openid)
    except (ValueError, AttributeError) as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse({"code": code, "openid": openid})
