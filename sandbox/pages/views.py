"""The sandbox's own pages: index of all providers, fault switchboard, call log, and the static files."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.static import serve

from sandbox import calls, database, faults, knobs, registry
from sandbox.pages.render import page, with_language


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The bare address leads to the index."""
    return HttpResponseRedirect(with_language(request, reverse("index")))


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """For whoever starts this process: it answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def static_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file of `sandbox/static`."""
    return serve(request, path, document_root=str(settings.STATIC_ROOT))


@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """All providers with their links; a POST forgets everything."""
    if request.method == "POST":
        registry.reset()
        return HttpResponseRedirect(with_language(request, reverse("index")))
    posts = database.row("SELECT count(*) AS n, coalesce(sum(acknowledged), 0) AS good FROM posts")
    counted = database.row(
        "SELECT (SELECT count(*) FROM payments) AS payments, (SELECT count(*) FROM orders) AS orders,"
        " (SELECT count(*) FROM calls) AS calls, (SELECT count(*) FROM faults WHERE is_on) AS faults"
    )
    providers = [{"title": found.title, "links": found.links()} for found in registry.PROVIDERS]
    context = {"providers": providers, "shop_url": knobs.get("shop_url"), "posts": posts, "counted": counted}
    return page(request, "sandbox/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def fault_board(request: HttpRequest) -> HttpResponse:
    """Every fault of every provider with its switch."""
    problem = ""
    if request.method == "POST":
        try:
            _switch(request)
            return HttpResponseRedirect(with_language(request, reverse("faults")))
        except ValueError as error:
            problem = str(error)
    boards = [{"provider": found, "rows": _board(found.name)} for found in registry.PROVIDERS]
    response = page(request, "sandbox/faults.html", {"boards": boards, "problem": problem})
    response.status_code = 400 if problem else 200
    return response


def _switch(request: HttpRequest) -> None:
    count, seconds = request.POST.get("count", ""), request.POST.get("seconds", "")
    faults.switch(
        request.POST.get("provider", ""),
        request.POST.get("name", ""),
        on=request.POST.get("on") == "1",
        count=int(count) if count else None,
        seconds=float(seconds) if seconds else None,
        target=request.POST.get("target", ""),
    )


def _board(provider: str) -> list[dict[str, Any]]:
    switches = faults.board(provider)
    return [
        {"kind": kind, "switches": [found for found in switches if found["name"] == kind.name]}
        for kind in faults.kinds(provider)
    ]


@require_safe
def call_log(request: HttpRequest) -> HttpResponse:
    """The newest calls, filtered by direction and name."""
    direction, name = request.GET.get("direction", ""), request.GET.get("name", "")
    context = {"calls": calls.newest(name=name, direction=direction), "direction": direction, "name": name}
    return page(request, "sandbox/calls.html", context)
