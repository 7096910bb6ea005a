"""The studio in front of a machine: `/studio/s/<session>/` and its parts. Doors: access, limits, one call, an answer.

Every door asks for the claim of the phone that took the session (cookie). Guarantees: nothing of an upload is read
before access, length and rate are checked; JSON for the page's script, a page for everybody else; a session whose
payment has started shows its summary and changes nothing any more.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import selectors
from catalog.forms import PhotoQuota, StudioForm
from catalog.models import Design, Shell
from catalog.services import designs, drawing, strict_json
from catalog.services import studio as studio_service
from catalog.views import studio_page
from pimpshop.core import errors, throttles
from pimpshop.core.templatetags import shop
from vending.services import machines, sessions

P = ParamSpec("P")
if TYPE_CHECKING:
    from vending.models import VendingSession

    View = Callable[Concatenate[HttpRequest, VendingSession, P], HttpResponseBase]

LOOK_PER_SESSION = throttles.Limit("studio-look", 600, 60)
CHANGE_PER_SESSION = throttles.Limit("studio-change", 240, 60)
CHANGE_PER_ADDRESS = throttles.Limit("studio-change-address", 1200, 60)  # a whole mall may share one address
UPLOAD_PER_SESSION = throttles.Limit("studio-upload", 60, 600)
UPLOAD_PER_ADDRESS = throttles.Limit("studio-upload-address", 600, 600)
#: What a form weighs beside its photo.
FORM_BYTES = 256 * 1024
LAYOUT_BYTES = strict_json.MAX_TEXT
PREVIEW_PX = (32, 1200)


class NoLength(errors.ShopError):
    code, status, message = "length_required", 411, _("The length of the request is missing.")


class TooLarge(errors.ShopError):
    code, status = "too_large", 413
    message = _("This picture is too large. It may have up to 20 MB.")


class PhotoMissing(errors.ShopError):
    code, message = "photo_missing", _("Please choose a photo.")


def door(
    *, uploads: bool = False
) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]]:
    """Access for the claiming phone, limits before the body is read, then CSRF, then the view.

    CSRF comes last because its check reads the whole form: an upload must have passed the others before.
    """

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
        @csrf_exempt
        @functools.wraps(view)
        def enter(
            request: HttpRequest, session_id: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            try:
                token = request.COOKIES.get(sessions.claim_cookie(session_id), "")
                session = sessions.claimed_session(session_id=session_id, token=token)
                if request.method == "POST":
                    _admit(request, session, uploads)
                else:
                    throttles.enforce(LOOK_PER_SESSION, session.session_id)
                return csrf_protect(view)(request, session, *args, **kwargs)
            except errors.ShopError as error:
                if not _is_script(request):
                    raise  # a page: core's middleware
                return _refusal(error)

        return enter

    return decorate


def _admit(request: HttpRequest, session: VendingSession, uploads: bool) -> None:
    """Rate and length of a POST, before anything of it is read; a quota for what is read then."""
    address = throttles.client_address(request)
    for limit, who in (
        (UPLOAD_PER_SESSION if uploads else CHANGE_PER_SESSION, session.session_id),
        (UPLOAD_PER_ADDRESS if uploads else CHANGE_PER_ADDRESS, address),
    ):
        throttles.enforce(limit, who)
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        raise NoLength
    if int(length) > (settings.UPLOAD_MAX_BYTES + FORM_BYTES if uploads else LAYOUT_BYTES):
        raise TooLarge
    if session.status not in sessions.OPEN:
        raise sessions.SummaryDiffers
    request.upload_handlers.insert(0, PhotoQuota(settings.UPLOAD_MAX_BYTES))


def _is_script(request: HttpRequest) -> bool:
    return "application/json" in (request.headers.get("Accept", ""), request.content_type)


def _refusal(error: errors.ShopError) -> JsonResponse:
    response = JsonResponse({"detail": str(error.message), "code": error.code}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


# --- The page ----------------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@door(uploads=True)
def studio(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """The page, and the whole form posted to it by any of its buttons."""
    if request.method == "POST":
        return _save_form(request, session)
    if session.status not in sessions.OPEN:
        return HttpResponseRedirect(reverse("summary", args=[session.session_id]))
    design = session.design or selectors.latest_design(studio_page.owner_of(session))
    fields = studio_page.initial_fields(design)
    return render(request, "catalog/studio.html", studio_page.context(session, fields, design=design))


def _save_form(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """Keep what is right in the form, say what is wrong, go on only when nothing is."""
    form = StudioForm(request.POST)
    fields: dict[str, Any] = dict(form.cleaned_data)
    problems: list[object] = [*form.complaints()]
    saved, status = None, 400
    try:
        photo = _uploaded(request, session)
        if photo is not None:
            fields["photo"] = photo
        shell = _chosen_shell(session, fields)
        if shell is not None and not problems:
            saved = _save_fields(session, shell, fields, fill=photo is not None)
            fields |= studio_page.initial_fields(saved.design)
        elif shell is None and fields.get("action") in ("preview", "continue"):
            problems.append(studio_page.missing_phone())
    except errors.ShopError as error:
        problems.append(error.message)
        status = error.status
    if fields.get("action") == "continue" and saved is not None:
        problems += _hindrances(saved.design)
        if not problems:
            return HttpResponseRedirect(reverse("summary", args=[session.session_id]))
    context = studio_page.context(
        session, fields, design=saved.design if saved else None, problems=problems,
        warnings=saved.warnings if saved else (),
    )  # fmt: skip
    return render(request, "catalog/studio.html", context, status=status if problems else 200)


def _chosen_shell(session: VendingSession, fields: dict[str, Any]) -> Shell | None:
    """The shell of the form; None when none is chosen or it belongs to the model chosen before."""
    if not fields.get("shell"):
        return None
    shell = selectors.shown_shell(fields["shell"])
    if fields.get("model") and shell.model_id != fields["model"]:
        return None
    _must_be_here(session, shell)
    return shell


def _must_be_here(session: VendingSession, shell: Shell) -> None:
    """Raises OutOfStock when the machine has none left, and NotSold without a price in its currency."""
    selectors.case_price(shell, session.machine.currency)
    stock = machines.stock_for(session.machine)
    if stock is not None and stock.get(shell.pk, 0) <= 0:
        raise machines.OutOfStock


def _save_fields(
    session: VendingSession, shell: Shell, fields: dict[str, Any], *, fill: bool
) -> designs.SavedLayout:
    owner = studio_page.owner_of(session)
    layout = studio_service.layout_from_fields(
        fields,
        shell=shell,
        template=selectors.template_by_slug(fields["template"]) if fields.get("template") else None,
        photo=selectors.photo_of(owner, fields["photo"]) if fields.get("photo") else None,
        fill=fill,
    )
    return _save(session, shell, layout, bool(fields.get("accept_low_resolution")))


def _save(session: VendingSession, shell: Shell, layout: dict[str, Any], accept: bool) -> designs.SavedLayout:
    saved = studio_service.save(
        owner=studio_page.owner_of(session), shell=shell, layout=layout, accept_low_resolution=accept
    )
    sessions.attach_design(session, saved.design)
    sessions.note_progress(session, "designing")
    return saved


def _hindrances(design: Design) -> list[object]:
    """Why a saved design cannot be ordered yet."""
    found: list[object] = []
    if not design.layout["items"]:
        found.append(studio_page.empty())
    if design.low_resolution and design.low_resolution_accepted_at is None:
        found.append(designs.LowResolutionNotAccepted.message)
    return found


@never_cache
@require_safe
@door()
def phone(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """Step 1 alone, for the brand and model of the query."""
    fields = StudioForm(request.GET).cleaned_data
    return render(request, "catalog/_phone.html", studio_page.phone_context(session, fields))


# --- Photos ------------------------------------------------------------------------------------------------------------
@never_cache
@require_POST
@door(uploads=True)
def photo(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """One photo, by the page's script; without it the whole page is answered."""
    if not _is_script(request):
        return _save_form(request, session)
    photo_id = _uploaded(request, session)
    if photo_id is None:
        raise PhotoMissing
    row = selectors.photo_of(studio_page.owner_of(session), photo_id)
    return JsonResponse(studio_page.photo_context(session, row))


def _uploaded(request: HttpRequest, session: VendingSession) -> Any:
    """The id of the photo that came along, taken in; None without one. Raises TooLarge, PictureNotTaken."""
    file = request.FILES.get("photo_file")
    if any(isinstance(handler, PhotoQuota) and handler.exceeded for handler in request.upload_handlers):
        raise TooLarge
    if file is None:
        return None
    return designs.add_photo(owner=studio_page.owner_of(session), upload=file).pk


@require_safe
@door()
def photo_copy(request: HttpRequest, session: VendingSession, photo_id: Any) -> HttpResponseBase:
    """The small upright copy of a photo, for the stage."""
    row = selectors.photo_of(studio_page.owner_of(session), photo_id)
    content_type = "image/png" if row.extension == "png" else "image/jpeg"
    response = FileResponse(row.working_copy.open("rb"), content_type=content_type)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


# --- Layout and preview ------------------------------------------------------------------------------------------------
@never_cache
@require_POST
@door()
def layout(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """{shell, layout, accept_low_resolution} -> {preview_url, warnings, low_resolution, layout_hash, price}."""
    if request.content_type != "application/json":
        return _save_form(request, session)
    shell_id, wanted, accept = _layout_body(request.body)
    shell = selectors.shown_shell(shell_id)
    _must_be_here(session, shell)
    saved = _save(session, shell, wanted, accept)
    return JsonResponse(
        {
            "preview_url": studio_page.preview_url(session, saved.design),
            "warnings": [{"code": warned.code, "text": warned.text} for warned in saved.warnings],
            "low_resolution": saved.design.low_resolution,
            "layout_hash": saved.design.layout_hash,
            "price": shop.money(selectors.case_price(shell, session.machine.currency)),
        }
    )


def _layout_body(raw: bytes) -> tuple[str, Any, bool]:
    """Shell, layout and acceptance of a JSON body. Raises LayoutNotTaken, ShellUnknown."""
    try:
        body = strict_json.load(raw)
    except strict_json.LayoutRefused as refusal:
        raise drawing.LayoutNotTaken(refusal.message, code=f"layout_{refusal.code}") from refusal
    if not isinstance(body, dict) or not isinstance(body.get("shell"), str | int):
        raise selectors.ShellUnknown
    return str(body["shell"]), body.get("layout"), body.get("accept_low_resolution") is True


@require_safe
@door()
def preview(request: HttpRequest, session: VendingSession) -> HttpResponse:
    """The session's design, `w` pixels wide (32 to 1200). With `v` it may be kept: another look has another address."""
    width = request.GET.get("w", str(studio_page.PREVIEW_PX))
    if not (width.isascii() and width.isdecimal() and PREVIEW_PX[0] <= int(width[:6]) <= PREVIEW_PX[1]):
        raise errors.ShopError(_("A preview is 32 to 1200 pixels wide."), code="bad_width")
    design = session.design or selectors.latest_design(studio_page.owner_of(session))
    if design is None:
        raise errors.NotFound
    webp = design.frozen_at is None and "image/webp" in request.headers.get("Accept", "")
    look = f"{design.layout_hash}:{design.shell_id}:{width}:{webp}:{design.preview_sha256}"
    etag = quote_etag(hashlib.sha256(look.encode()).hexdigest())
    response = get_conditional_response(request, etag=etag)
    if response is None:
        data = designs.preview(design=design, width_px=int(width), image_format="WEBP" if webp else "PNG")
        response = HttpResponse(data, content_type="image/webp" if webp else "image/png")
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=3600" if "v" in request.GET else "private, no-cache"
    patch_vary_headers(response, ["Accept"])
    return response
