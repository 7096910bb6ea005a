"""The studio's doors: the page, its photo, layout and preview, wherever somebody designs (`places`).

In front of a machine: `/studio/s/<session>/`, for the phone that claimed the session; one whose payment has started
shows its summary and changes nothing any more. At home: `/studio/h/<draft>/`. Each is an access with limits (`doors`), one call, an answer.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import selectors
from catalog.forms import PhotoQuota, StudioForm
from catalog.models import Design, Shell
from catalog.services import designs, drawing, pens, photos, pictures, strict_json
from catalog.services import studio as studio_service
from catalog.views import home_page, phone_hints, places, studio_page
from catalog.views.doors import TooLarge, door, is_script
from catalog.views.places import Place
from pimpshop.core import errors
from pimpshop.core.templatetags import shop

PREVIEW_PX = (32, 1200)
#: Sizes of a photo on a page; static/js/studio/pictures.js chooses one.
PHOTO_PX = ("160", "640", "960", "1280")
_UPLOAD_ID = re.compile(r"[0-9a-f]{16,64}\Z", re.ASCII)


class PhotoMissing(errors.ShopError):
    code, message = "photo_missing", _("Please choose a photo.")


# --- The page ----------------------------------------------------------------------------------------------------------
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@door(uploads=True)
def studio(request: HttpRequest, place: Place) -> HttpResponse:
    """The page, and the whole form posted to it by any of its buttons."""
    if request.method == "POST":
        return _save_form(request, place)
    if not place.is_open():
        return HttpResponseRedirect(place.next_page())
    design = place.design()
    fields = studio_page.initial_fields(design)
    if design is None:
        fields["brand_hint"] = phone_hints.brand(request.headers.get("User-Agent", ""))
    context = studio_page.context(place, fields, design=design) | home_page.beside(request, place, design)
    return render(request, "catalog/studio.html", context)


def _save_form(request: HttpRequest, place: Place) -> HttpResponse:
    """Keep what is right in the form, say what is wrong, go on only when nothing is."""
    form = StudioForm(request.POST)
    fields: dict[str, Any] = dict(form.cleaned_data)
    problems: list[object] = [*form.complaints()]
    saved, status = None, 400
    try:
        photo = _uploaded(request, place)
        if photo is not None:
            fields["photo"] = photo
        shell = _chosen_shell(place, fields)
        if shell is not None and not problems:
            saved = _save_fields(request, place, shell, fields, fill=photo is not None)
            fields |= {"layout": "", **studio_page.initial_fields(saved.design)}
        elif shell is None and fields.get("action") in ("preview", "continue"):
            problems.append(studio_page.missing_phone())
    except errors.ShopError as error:
        problems.append(error.message)
        status = error.status
    if fields.get("action") == "continue" and saved is not None:
        problems += _hindrances(saved.design)
        if not problems:
            return HttpResponseRedirect(place.next_page())
    context = studio_page.context(
        place, fields, design=saved.design if saved else None, problems=problems,
        warnings=saved.warnings if saved else (),
    ) | home_page.beside(request, place, place.design())  # fmt: skip
    return render(request, "catalog/studio.html", context, status=status if problems else 200)


def _chosen_shell(place: Place, fields: dict[str, Any]) -> Shell | None:
    """The shell of the form; None when none is chosen or it belongs to the model chosen before."""
    if not fields.get("shell"):
        return None
    shell = selectors.shown_shell(fields["shell"])
    if fields.get("model") and shell.model_id != fields["model"]:
        return None
    places.must_have(place, shell)
    return shell


def _save_fields(
    request: HttpRequest, place: Place, shell: Shell, fields: dict[str, Any], *, fill: bool
) -> designs.SavedLayout:
    """The whole layout where the script wrote one (and no photo came along), else what the form's fields make of it."""
    accept = bool(fields.get("accept_low_resolution"))
    if fields.get("layout") and not fill:
        return _save(request, place, shell, fields["layout"], accept)
    layout = studio_service.layout_from_fields(
        fields,
        shell=shell,
        template=selectors.template_by_slug(fields["template"]) if fields.get("template") else None,
        photo=selectors.photo_of(place.owner, fields["photo"]) if fields.get("photo") else None,
        fill=fill,
        saved=place.design(),
    )
    return _save(request, place, shell, layout, accept)


def _save(request: HttpRequest, place: Place, shell: Shell, layout: Any, accept: bool) -> designs.SavedLayout:
    """With `tab` in the address, an old window does not write over what a newer one has saved; with `mine` it does."""
    place.prepare()
    saved = studio_service.save(
        owner=place.owner,
        shell=shell,
        layout=layout,
        accept_low_resolution=accept,
        tab=pens.read_tab(request.GET.get("tab", "")),
        by_force="mine" in request.GET,
    )
    place.saved(saved.design)
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
def phone(request: HttpRequest, place: Place) -> HttpResponse:
    """Step 1 alone, for the brand and model of the query."""
    fields = StudioForm(request.GET).cleaned_data
    return render(request, "catalog/_phone.html", studio_page.phone_context(place, fields))


# --- Photos ------------------------------------------------------------------------------------------------------------
@never_cache
@require_POST
@door(uploads=True)
def photo(request: HttpRequest, place: Place) -> HttpResponse:
    """One photo, by the page's script; without it the whole page is answered."""
    if not is_script(request):
        return _save_form(request, place)
    photo_id = _uploaded(request, place)
    if photo_id is None:
        raise PhotoMissing
    row = selectors.photo_of(place.owner, photo_id)
    return JsonResponse(studio_page.photo_context(place, row))


def _uploaded(request: HttpRequest, place: Place) -> Any:
    """The id of the photo that came along, taken in; None without one. Raises TooLarge, PictureNotTaken."""
    file = request.FILES.get("photo_file")
    if any(isinstance(handler, PhotoQuota) and handler.exceeded for handler in request.upload_handlers):
        raise TooLarge
    if file is None:
        return None
    place.prepare(photo=True)
    upload_id = request.POST.get("upload_id", "")
    return photos.add_photo(
        owner=place.owner, upload=file, upload_id=upload_id if _UPLOAD_ID.match(upload_id) else ""
    ).pk


@require_safe
@door()
def photo_copy(request: HttpRequest, place: Place, photo_id: Any) -> HttpResponseBase:
    """The small upright copy of a photo; with `w` as WebP for the stage or the tray, so many pixels on its longer side."""
    row = selectors.photo_of(place.owner, photo_id)
    width = request.GET.get("w")
    response: HttpResponseBase
    if width is None:
        content_type = "image/png" if row.extension == "png" else "image/jpeg"
        response = FileResponse(row.working_copy.open("rb"), content_type=content_type)
    elif width in PHOTO_PX:
        with row.working_copy.open("rb") as file:
            response = HttpResponse(pictures.for_a_page(file, int(width)), content_type="image/webp")
    else:
        raise errors.NotFound
    response["Cache-Control"] = "private, max-age=86400, immutable"
    return response


# --- Layout and preview ------------------------------------------------------------------------------------------------
@never_cache
@require_POST
@door()
def layout(request: HttpRequest, place: Place) -> HttpResponse:
    """{shell, layout, accept_low_resolution} -> {preview_url, warnings, low_resolution, layout_hash, price}."""
    if request.content_type != "application/json":
        return _save_form(request, place)
    shell_id, wanted, accept = _layout_body(request.body)
    shell = selectors.shown_shell(shell_id)
    places.must_have(place, shell)
    saved = _save(request, place, shell, wanted, accept)
    return JsonResponse(
        {
            "preview_url": studio_page.preview_url(place, saved.design),
            "warnings": [{"code": warned.code, "text": warned.text} for warned in saved.warnings],
            "low_resolution": saved.design.low_resolution,
            "layout_hash": saved.design.layout_hash,
            "price": shop.money(selectors.case_price(shell, place.currency)),
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
def preview(request: HttpRequest, place: Place) -> HttpResponse:
    """The session's design, `w` pixels wide (32 to 1200). With `v` it may be kept: another look has another address."""
    width = request.GET.get("w", str(studio_page.PREVIEW_PX))
    if not (width.isascii() and width.isdecimal() and PREVIEW_PX[0] <= int(width[:6]) <= PREVIEW_PX[1]):
        raise errors.ShopError(_("A preview is 32 to 1200 pixels wide."), code="bad_width")
    design = place.design()
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
