"""`/pictures/<token>.png`: print files and previews by signed link, for the manufacturer's machines; `.webp`: the same
preview for a page, at most PAGE_WIDTH_PX wide and a tenth of the bytes.

Guarantees: no session, no cookie, no redirect, no query; the same answer to every address and User-Agent, as often as
somebody asks, until the link expires (manufacturer.md, "pic": fetched 29 times in 61 seconds, from two addresses).
"""

from __future__ import annotations

import structlog
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from catalog.services import designs
from catalog.services import pictures as drawn
from pimpshop.core import errors

log = structlog.get_logger(__name__)

#: What a frozen design looks like never changes; a copy may stay as long as the longest link lives.
CACHE = "private, max-age=2592000, immutable"


#: A page shows a case about 200 CSS pixels wide; phones have two to three pixels for each.
PAGE_WIDTH_PX = 420


@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file that the token names, or a short 404 for a forged, expired or foreign one."""
    try:
        found = designs.stored_picture(token)
        file = default_storage.open(found.name)
    except (errors.NotFound, OSError) as error:
        log.info("picture_refused", reason=type(error).__name__)
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    log.info("picture_served", kind=found.kind, design=str(found.design_id))
    etag = quote_etag(found.sha256)
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        file.close()
        return unchanged
    return _told(FileResponse(file, content_type="image/png"), file.size, etag)


@require_safe
def page_picture(request: HttpRequest, token: str) -> HttpResponseBase:
    """The preview that the token names, small; 404 as above, and for a print file."""
    try:
        found = designs.stored_picture(token)
        etag = quote_etag(f"{found.sha256}-{PAGE_WIDTH_PX}")
        unchanged = get_conditional_response(request, etag=etag)
        if unchanged is not None:
            return unchanged
        if found.kind != "preview":
            raise errors.NotFound
        with default_storage.open(found.name) as file:
            body = drawn.small(file, PAGE_WIDTH_PX)
    except (errors.NotFound, OSError) as error:
        log.info("picture_refused", reason=type(error).__name__)
        return HttpResponseNotFound("Not found.", content_type="text/plain")
    return _told(HttpResponse(body, content_type="image/webp"), len(body), etag)


def _told(response: HttpResponseBase, size: int, etag: str) -> HttpResponseBase:
    response["Content-Length"] = str(size)
    response["ETag"] = etag
    response["Cache-Control"] = CACHE
    response["Content-Disposition"] = "inline"
    return response
