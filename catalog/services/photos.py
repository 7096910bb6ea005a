"""Photos of an owner: untrusted bytes become a row with two clean files.

Lives here: `add_photo` and the refusals in words for people. Not here: decoding (`pictures`), layouts (`designs`).
Guarantees: nothing is stored of what is refused; the files lie under the row's own id, never under a name from outside;
an upload that is sent again, after a lost connection or twice at once, is one photo.
"""

from __future__ import annotations

from typing import IO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from catalog.models import Photo
from catalog.services import pictures, screening
from pimpshop.core import errors

#: A smaller side than this cannot become a case, whatever is accepted.
MIN_SIDE_PX = 64
_TOO_LARGE = ("too_large", "too_many_pixels")


class PictureNotTaken(errors.ShopError):
    """The bytes are no picture that we print; `code` (picture_…) says why. 413 for too many bytes or pixels."""


def add_photo(*, owner: str, upload: bytes | IO[bytes] | pictures.Picture, upload_id: str = "") -> Photo:
    """Take in a picture: decoded, upright, without EXIF, encoded afresh, with a small copy for the page.

    `upload` is bytes, a file opened for reading, or what `pictures.read_picture` made of one. `upload_id` (the page makes
    one for each photo that is chosen): the same again answers the same photo, and nothing of the bytes is read. Raises
    PictureNotTaken, screening.PictureNotAllowed.
    """
    known = _known(owner, upload_id)
    if known is not None:
        return known
    picture = upload if isinstance(upload, pictures.Picture) else read(upload)
    screening.check_picture(picture)
    small = pictures.make_working_copy(picture)
    photo = Photo(
        owner=owner,
        upload_id=upload_id,
        extension=picture.extension.removeprefix("."),
        original_format=picture.original_format,
        width=picture.width,
        height=picture.height,
        bytes=len(picture.data),
        sha256=picture.sha256,
    )
    photo.file.save("photo", ContentFile(picture.data), save=False)
    photo.working_copy.save("photo", ContentFile(small.data), save=False)
    return keep(photo)


def keep(photo: Photo) -> Photo:
    """Write the row of files that lie there already; of two at once with the same upload id the first one's is answered,
    and the other's files go."""
    try:
        with transaction.atomic():
            photo.save(force_insert=True)
    except IntegrityError:
        known = _known(photo.owner, photo.upload_id)
        if known is None:
            raise
        for file in (photo.file, photo.working_copy):
            default_storage.delete(str(file.name))
        return known
    return photo


def _known(owner: str, upload_id: str) -> Photo | None:
    return Photo.objects.filter(owner=owner, upload_id=upload_id).first() if upload_id else None


def read(upload: bytes | IO[bytes]) -> pictures.Picture:
    """Decode untrusted bytes. Raises PictureNotTaken."""
    try:
        return pictures.read_picture(upload, min_side=MIN_SIDE_PX)
    except pictures.PictureRefused as refusal:
        status = 413 if refusal.code in _TOO_LARGE else 400
        raise PictureNotTaken(refusal.message, code=f"picture_{refusal.code}", status=status) from refusal
