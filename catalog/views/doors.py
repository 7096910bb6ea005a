"""How every door of the studio is entered: access, limits, length, CSRF; and how a script is refused.

Guarantees: nothing of an upload is read before access, length and rate are checked; JSON for the page's script, a page
for everybody else.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from catalog.forms import PhotoQuota
from catalog.services import strict_json
from catalog.views import places
from catalog.views.places import Place
from pimpshop.core import errors, throttles

#: (request, place, and what else its address names)
View = Callable[..., HttpResponseBase]

LOOK_PER_SESSION = throttles.Limit("studio-look", 600, 60)
CHANGE_PER_SESSION = throttles.Limit("studio-change", 240, 60)
CHANGE_PER_ADDRESS = throttles.Limit("studio-change-address", 1200, 60)  # a whole mall may share one address
UPLOAD_PER_SESSION = throttles.Limit("studio-upload", 60, 600)
UPLOAD_PER_ADDRESS = throttles.Limit("studio-upload-address", 600, 600)
#: At home anybody may come, and with a new cookie as often as they like: the address counts, and a household is small.
UPLOAD_AT_HOME_PER_ADDRESS = throttles.Limit("home-upload-address", 90, 600)
CHANGE_AT_HOME_PER_ADDRESS = throttles.Limit("home-change-address", 480, 60)
#: What a form weighs beside its photo.
FORM_BYTES = 256 * 1024
LAYOUT_BYTES = strict_json.MAX_TEXT


class NoLength(errors.ShopError):
    code, status, message = "length_required", 411, _("The length of the request is missing.")


class TooLarge(errors.ShopError):
    code, status = "too_large", 413
    message = _("This picture is too large. It may have up to 20 MB.")


def door(*, uploads: bool = False) -> Callable[[View], View]:
    """Access to the place of the address, limits before the body is read, then CSRF, then the view.

    CSRF comes last because its check reads the whole form: an upload must have passed the others before.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def enter(
            request: HttpRequest, session_id: str = "", draft_id: uuid.UUID | None = None, **more: Any
        ) -> HttpResponseBase:
            try:
                place = (
                    places.at_home(request, draft_id) if draft_id else places.at_machine(request, session_id)
                )
                if request.method == "POST":
                    _admit(request, place, uploads)
                else:
                    throttles.enforce(LOOK_PER_SESSION, place.counted)
                return place.leave(csrf_protect(view)(request, place, **more))
            except errors.ShopError as error:
                if not is_script(request):
                    raise  # a page: core's middleware
                return _refusal(error)

        return enter

    return decorate


def _admit(request: HttpRequest, place: Place, uploads: bool) -> None:
    """Rate and length of a POST, before anything of it is read; a quota for what is read then."""
    address = throttles.client_address(request)
    here, there = (
        (UPLOAD_PER_SESSION, UPLOAD_AT_HOME_PER_ADDRESS if place.is_open_to_all else UPLOAD_PER_ADDRESS)
        if uploads
        else (CHANGE_PER_SESSION, CHANGE_AT_HOME_PER_ADDRESS if place.is_open_to_all else CHANGE_PER_ADDRESS)
    )
    throttles.enforce(here, place.counted)
    throttles.enforce(there, address)
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        raise NoLength
    if int(length) > (settings.UPLOAD_MAX_BYTES + FORM_BYTES if uploads else LAYOUT_BYTES):
        raise TooLarge
    places.must_be_open(place)
    request.upload_handlers.insert(0, PhotoQuota(settings.UPLOAD_MAX_BYTES))


def is_script(request: HttpRequest) -> bool:
    return "application/json" in (request.headers.get("Accept", ""), request.content_type)


def _refusal(error: errors.ShopError) -> JsonResponse:
    response = JsonResponse({"detail": str(error.message), "code": error.code}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response
