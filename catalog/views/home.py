"""Designs at home: `/studio/` and what can be done with one of them. Doors: one call, then a template.

The designing itself is the studio (`views.studio`) at `/studio/h/<draft>/`: the id is made here and its row with the first
save, so that looking leaves nothing behind. What is somebody else's is not found (404).
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import selectors
from catalog.models import Draft
from catalog.services import drafts, sharing
from catalog.views import home_page, visitors
from catalog.views.doors import door
from catalog.views.places import AtHome, Place
from pimpshop.core import errors, storage, throttles
from pimpshop.core.money import Money
from vending.services import machines

LINKS_PER_ADDRESS = throttles.Limit("draft-link", 60, 600)
SHARES_PER_KEEPER = throttles.Limit("draft-share", 30, 3600)


@never_cache
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """`/studio/`: what there is already; whoever has nothing yet comes straight to an empty case."""
    visitor = visitors.meet(request)
    shown = home_page.cards(visitor.keeper)
    if not shown:
        return visitor.leave(_fresh())
    return visitor.leave(render(request, "catalog/designs.html", {"designs": shown}))


@never_cache
@require_safe
def new(request: HttpRequest) -> HttpResponseBase:
    """`/studio/new/`: an empty case."""
    return visitors.meet(request).leave(_fresh())


def _fresh() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("home-studio", args=[uuid.uuid4()]))


@never_cache
@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponseBase:
    """`/account/designs/`: the same list among the pages of one's account."""
    visitor = visitors.meet(request)
    context = {"designs": home_page.cards(visitor.keeper), "tab": "account-designs"}
    return visitor.leave(render(request, "catalog/my_designs.html", context))


# --- What to do with one ----------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@door()
def ready(request: HttpRequest, place: Place) -> HttpResponse:
    """`/studio/h/<draft>/ready/`: where to print it; to another device; show it to others; delete it. POST {do}."""
    if not isinstance(place, AtHome) or place.draft is None:
        return HttpResponseRedirect(place.url())
    if request.method == "POST":
        return _act(request, place, drafts.own(place.visitor.keeper, place.key))
    return render(request, "catalog/ready.html", _ready_context(place, place.draft))


def _act(request: HttpRequest, place: AtHome, draft: Draft) -> HttpResponse:
    do = request.POST.get("do", "")
    if do == "delete":
        drafts.delete(draft)
        messages.success(request, _("The design is deleted."))
        return HttpResponseRedirect(
            reverse("account-designs" if place.visitor.has_account else "studio-home")
        )
    if do == "link":
        drafts.make_link(draft)
    elif do == "unlink":
        drafts.revoke_link(draft)
    elif do == "share":
        throttles.enforce(SHARES_PER_KEEPER, draft.keeper)
        try:
            sharing.share(draft)
        except errors.ShopError as error:
            messages.error(request, str(error.message))
    elif do == "unshare":
        sharing.stop(draft)
    return HttpResponseRedirect(f"{place.url('ready')}#{'share' if 'share' in do else 'device'}")


def _ready_context(place: AtHome, draft: Draft) -> dict[str, Any]:
    design = place.design()
    mine = draft.keeper == place.visitor.keeper
    token = drafts.living_link(draft) if mine else ""
    known = sharing.of(draft) if mine else None
    shared = None if known is None or known.taken_down_at else known
    return {
        "picture": home_page.picture(draft, design, 480),
        "name": home_page.named(design.shell) if design else "",
        "price": _price(place),
        "mine": mine,
        "link": storage.public_url(reverse("draft-link", args=[token])) if token else "",
        "link_until": draft.link_expires_at,
        "shared": storage.public_url(reverse("shared", args=[shared.token])) if shared else "",
        "shared_is_old": bool(shared and design and not sharing.is_current(shared, design)),
        "taken_down": known.get_taken_down_for_display() if known and known.taken_down_at else "",
        "machines": [{"name": m.name, "location": m.location} for m in machines.in_use()],
        "urls": {"edit": place.url(), "ready": place.url("ready"), "new": reverse("studio-new")},
    }


def _price(place: AtHome) -> Money | None:
    """What the case of the design costs; None before one is chosen or where it is not sold."""
    design = place.design()
    try:
        return selectors.case_price(design.shell, place.currency) if design else None
    except selectors.NotSold:
        return None


# --- On another device ------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponseBase:
    """`/studio/go/<token>/`: opens a design on this device. Looking opens nothing: programs look at links too."""
    throttles.enforce(LINKS_PER_ADDRESS, throttles.client_address(request))
    draft = drafts.linked(token)
    if request.method != "POST":
        found = drafts.designs_of([draft]).get(draft.owner)
        return render(request, "catalog/link.html", {"name": home_page.named(found.shell) if found else ""})
    visitor = visitors.meet(request)
    drafts.open_here(draft, keeper=visitor.keeper)
    return visitor.leave(HttpResponseRedirect(reverse("home-studio", args=[draft.pk])))


# --- At a machine -----------------------------------------------------------------------------------------------------
@never_cache
@require_POST
@door()
def bring(request: HttpRequest, place: Place) -> HttpResponse:
    """`/studio/s/<session>/from-home/`: POST {draft}: that design is on the case here, if this machine has one for it."""
    draft = _chosen(request)
    design = drafts.designs_of([draft]).get(draft.owner)
    if design is None:
        raise errors.NotFound
    shell = home_page.fitting(place, design.shell)
    if shell is None:
        told = _("This machine has no case for %(phone)s. Your design is still there: try another machine.")
        messages.warning(request, told % {"phone": design.shell.model})
        return HttpResponseRedirect(place.url())
    place.saved(drafts.carry(draft, to_owner=place.owner, shell=shell))
    if shell.pk == design.shell_id:
        messages.success(request, _("Here is your design from home."))
    else:
        told = _(
            "Here is your design from home. This machine has no %(wanted)s case, so it is on %(colour)s."
        )
        messages.info(request, told % {"wanted": design.shell.colour, "colour": shell.colour})
    return HttpResponseRedirect(place.url())


def _chosen(request: HttpRequest) -> Draft:
    """The draft of the form, if it is this browser's. Raises NotFound."""
    try:
        draft = drafts.find(visitors.recognise(request), uuid.UUID(request.POST.get("draft", "")))
    except ValueError:
        draft = None
    if draft is None:
        raise errors.NotFound
    return draft
