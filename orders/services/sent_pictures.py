"""A client's finished picture on its way to a frozen design: read, decoded, drawn for print.

Calls outside: at most one guarded fetch of a client's picture URL, before any transaction. Guarantees: the picture itself
wins over a link; our own links are resolved without a fetch; a process draws at most two cases for print at a time, for
each takes half a gigabyte; what is refused leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.models import Design, Shell
from catalog.services import designs, discards, photos, pictures
from pimpshop.core import errors, http

DRAWN_AT_ONCE = threading.BoundedSemaphore(2)
#: How long a request waits for its turn to draw, in seconds.
WAIT_TO_DRAW = 20.0


class Busy(errors.ShopError):
    code, status = "busy", 503
    message = _("Many pictures are being made right now. Nothing was ordered. Please try again in a moment.")


class PictureUnreachable(errors.ShopError):
    code = "picture_unreachable"
    message = _("We could not fetch the picture. Nothing was ordered. Send it as designImage instead.")


class PictureMissing(errors.ShopError):
    code = "picture_missing"
    message = _("Send the picture as designImage (a data URL) or as finalImagePublicUrl.")


@contextlib.contextmanager
def drawing() -> Iterator[None]:
    """A turn to decode and draw. Raises Busy (503 with Retry-After)."""
    if not DRAWN_AT_ONCE.acquire(timeout=WAIT_TO_DRAW):
        raise Busy(retry_after=5)
    try:
        yield
    finally:
        DRAWN_AT_ONCE.release()


def design_from(*, owner: str, shell: Shell, picture: str, picture_url: str) -> Design:
    """The frozen design of a client's picture: a data URL, else what its link leads to (fetched before the turn to draw).

    Raises PictureMissing, PictureUnreachable, Busy, photos.PictureNotTaken and what freezing refuses.
    """
    fetched = _linked(picture_url) if picture_url and not picture else None
    with drawing():
        return _frozen(owner, shell, _read(picture, fetched))


def _frozen(owner: str, shell: Shell, picture: pictures.Picture) -> Design:
    """Refused: what was stored for it is gone again."""
    design = designs.design_from_picture(
        owner=owner,
        shell=shell,
        picture=picture,
        template_slug="",  # the client's picture is finished: its template is drawn in it already
        accept_low_resolution=True,
    )
    try:
        return designs.freeze(design)
    except errors.ShopError:
        discards.discard(design)
        raise


def _read(picture: str, fetched: bytes | None) -> pictures.Picture:
    """The data URL wins over what the client's link led to."""
    if fetched is not None:
        return photos.read(fetched)
    if not picture:
        raise PictureMissing
    try:
        return photos.read(pictures.read_data_url(picture))
    except pictures.PictureRefused as refusal:
        raise photos.PictureNotTaken(refusal.message, code=f"picture_{refusal.code}") from refusal


def _linked(url: str) -> bytes:
    """What a client's link leads to: our own is resolved without a fetch, whatever is wrong with it; a foreign URL is
    fetched through the guard."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise PictureUnreachable from error
    if f"{parts.scheme}://{parts.netloc}".lower() != settings.PUBLIC_BASE_URL.lower():
        return _fetch(url)
    found = designs.read_linked_picture(parts.path)
    if found is None:
        raise PictureUnreachable
    return found


def _fetch(url: str) -> bytes:
    try:
        answer = http.guarded_get(
            url, max_bytes=settings.UPLOAD_MAX_BYTES, allowed_hosts=settings.OUTBOUND_ALLOWED_HOSTS
        )
    except http.HttpError as error:
        raise PictureUnreachable from error
    return answer.body
