"""Designs of an owner: layouts saved and previewed, frozen when ordered, handed out by signed links.

Lives here: every write to a Design. Not here: photos (`photos`), drawing (`drawing`), who an owner is: `owner` is
opaque, for example "session:<session id>".
Guarantees: a frozen design never changes, for every write is one UPDATE that says so; what belongs to another owner is
not found (404). Pictures are drawn outside of any transaction; no call leaves but to the file storage.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import structlog
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import models, selectors
from catalog.models import Design, DesignTemplate, Photo, Shell
from catalog.services import doubts, drawing, layouts, photos, pictures, screening
from catalog.services.doubts import LOW_RESOLUTION, Warned
from catalog.services.layouts import Layout
from pimpshop.core import errors, storage

log = structlog.get_logger(__name__)

#: Width of the preview that is kept with a frozen design.
PREVIEW_WIDTH_PX = 600
#: A layout may change while it is drawn for good; then it is drawn again, but not for ever.
FREEZE_TRIES = 3
_PICTURE_PATH = re.compile(r"/pictures/([A-Za-z0-9_-]{1,100})\.png\Z", re.ASCII)


class DesignFrozen(errors.Conflict):
    code = "design_frozen"
    message = _("This design was ordered and cannot be changed any more. A copy of it can.")


class DesignMoving(errors.Conflict):
    code = "design_changing"
    message = _(
        "The design was changed at the same moment. Nothing was ordered. Please look at it and try again."
    )


class LowResolutionNotAccepted(errors.Conflict):
    code = LOW_RESOLUTION
    message = _(
        "The photo is small and may look blurred. Please accept that, or choose another one. Nothing was ordered."
    )


@dataclass(frozen=True, slots=True)
class SavedLayout:
    """A design as it was saved, and what the customer should know about it."""

    design: Design
    warnings: list[Warned]


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A file in the private storage and the SHA-256 of its bytes."""

    kind: str
    design_id: uuid.UUID
    name: str
    sha256: str


def add_photo(*, owner: str, upload: bytes | IO[bytes] | pictures.Picture) -> Photo:
    """Take in a picture for an owner's designs. Raises photos.PictureNotTaken (400, 413)."""
    return photos.add_photo(owner=owner, upload=upload)


# --- The open design of an owner ---------------------------------------------------------------------------------------
def design_for(*, owner: str, shell: Shell) -> Design:
    """The owner's open design, on `shell`: the one there is, a copy of the one ordered last, or a new one.

    Guarantees: one open design per owner, also when two requests ask at once (an advisory lock on the owner).
    """
    with transaction.atomic():
        lock_owner(owner)
        design = selectors.latest_design(owner)
        if design is None:
            return Design.objects.create(owner=owner, shell=shell, **_fields(Layout(None, "#ffffff", ())))
        design = editable_copy(design=design)
        return design if design.shell_id == shell.pk else set_shell(design=design, shell=shell)


def lock_owner(owner: str) -> None:
    """One request at a time changes an owner's designs, until the caller's transaction ends."""
    digest = hashlib.sha256(f"design:{owner}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)])


def editable_copy(*, design: Design) -> Design:
    """A new open design with the layout of a frozen one; an open design is answered as it is."""
    if design.frozen_at is None:
        return design
    return Design.objects.create(
        owner=design.owner,
        shell=design.shell,
        template=design.template,
        layout=design.layout,
        layout_hash=design.layout_hash,
        low_resolution=design.low_resolution,
        low_resolution_accepted_at=design.low_resolution_accepted_at,
    )


def save_layout(
    *, design: Design, layout: str | bytes | Mapping[str, object], accept_low_resolution: bool
) -> SavedLayout:
    """Store a layout (JSON text or object, millimetres) after reading it strictly; say what looks doubtful.

    Low resolution is accepted for this very layout only. Raises drawing.LayoutNotTaken, selectors.TemplateUnknown
    (400), NotFound for a photo of somebody else, DesignFrozen (409).
    """
    parsed, template = drawing.read_layout(layout)
    return _save(design, parsed, template, accept_low_resolution)


def set_shell(*, design: Design, shell: Shell) -> Design:
    """Put an open design on another shell; its layout stays, in millimetres. Raises DesignFrozen."""
    _update_open(design, shell=shell)
    return design


def set_template(*, design: Design, template: DesignTemplate | None) -> Design:
    """Lay the photos of an open design out anew in another template (None: the whole case); texts stay.

    The acceptance of low resolution ends, for the photos may be larger now. Raises DesignFrozen.
    """
    old, _template = drawing.read_layout(design.layout)
    found = [
        selectors.photo_of(design.owner, key) for key in dict.fromkeys(item.photo for item in old.photos)
    ]
    fresh = layouts.cover_layout(
        [(str(photo.pk), (photo.width, photo.height)) for photo in found],
        drawing.geometry_of(design.shell),
        drawing.spec_of(template),
        template.slug if template else None,
    )
    layout = Layout(fresh.template, fresh.background, (*fresh.items, *old.texts))
    return _save(design, layout, template, accept_low_resolution=False).design


def _save(
    design: Design, layout: Layout, template: DesignTemplate | None, accept_low_resolution: bool
) -> SavedLayout:
    found = [selectors.photo_of(design.owner, item.photo) for item in layout.photos]
    sizes = {str(photo.pk): (photo.width, photo.height) for photo in found}
    low = layouts.low_resolution(layout, sizes)
    fields = _fields(layout)
    accepted = timezone.now() if low and accept_low_resolution else None
    if accepted and design.low_resolution_accepted_at and design.layout_hash == fields["layout_hash"]:
        accepted = (
            design.low_resolution_accepted_at
        )  # this very layout was accepted before: that moment counts
    _update_open(
        design, template=template, low_resolution=bool(low), low_resolution_accepted_at=accepted, **fields
    )
    return SavedLayout(design, doubts.about(layout, drawing.geometry_of(design.shell), sizes))


def _fields(layout: Layout) -> dict[str, object]:
    return {"layout": layouts.as_json(layout), "layout_hash": layouts.layout_hash(layout)}


def _update_open(design: Design, **fields: object) -> None:
    """Write to a design that is not frozen, then the same values onto the object. Raises DesignFrozen."""
    fields["updated_at"] = timezone.now()
    if not Design.objects.filter(pk=design.pk, frozen_at=None).update(**fields):
        raise DesignFrozen
    for name, value in fields.items():
        setattr(design, name, value)


def preview(*, design: Design, width_px: int, image_format: str = "WEBP") -> bytes:
    """What the case will look like, `width_px` (32 to 2000) wide, WEBP or PNG. A frozen design answers its own PNG,
    whatever was asked for: nothing is ever drawn again of what was ordered."""
    if design.frozen_at is None:
        return drawing.draw_preview(design, width_px, image_format)
    return _bytes_of(str(design.preview.name))


def _bytes_of(name: str) -> bytes:
    with default_storage.open(name) as file:
        data: bytes = file.read()
        return data


# --- Freezing ----------------------------------------------------------------------------------------------------------
def freeze(design: Design) -> Design:
    """Fix a design for good: print file and preview drawn, checked, stored, hashed. Answers it up to date.

    Guarantees: idempotent; any number of callers at once freeze it once, with one set of files; drawing and storing
    happen outside of a transaction, then ONE UPDATE makes them count. Raises LowResolutionNotAccepted,
    drawing.DesignEmpty, DesignMoving, screening.TextNotAllowed: then nothing changed and nothing is left in storage.
    """
    for _try in range(FREEZE_TRIES):
        design.refresh_from_db()
        if design.frozen_at is not None:
            return design
        if design.low_resolution and design.low_resolution_accepted_at is None:
            raise LowResolutionNotAccepted
        screening.check_text(texts_of(design), owner=design.owner)
        png = drawing.draw_print(design)
        small = drawing.draw_preview(design, PREVIEW_WIDTH_PX, "PNG", small=False)
        # The storage gives each file a name of its own, so callers at once never write into each other's.
        names = (
            default_storage.save(models.designs.print_path(design, ""), ContentFile(png)),
            default_storage.save(models.designs.preview_path(design, ""), ContentFile(small)),
        )
        if _freeze_row(design, names, (_sha256(png), _sha256(small))):
            design.refresh_from_db()
            log.info("design_frozen", design=str(design.pk), print_sha256=design.print_sha256)
            return design
        for name in names:
            default_storage.delete(name)
    raise DesignMoving


def texts_of(design: Design) -> str:
    """The words on the case, for summaries; "" without any."""
    return " · ".join(item["text"] for item in design.layout.get("items", []) if item["kind"] == "text")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _freeze_row(design: Design, names: tuple[str, str], hashes: tuple[str, str]) -> bool:
    """Make the files count if the design is still open and still what was drawn."""
    now = timezone.now()
    asked = {"layout_hash": design.layout_hash, "shell_id": design.shell_id,
             "low_resolution_accepted_at": design.low_resolution_accepted_at}  # fmt: skip
    layout, _template = drawing.read_layout(design.layout)
    return bool(
        Design.objects.filter(pk=design.pk, frozen_at=None, **asked).update(
            frozen_at=now,
            updated_at=now,
            layout_hash=layouts.layout_hash(layout),
            print_file=names[0],
            print_sha256=hashes[0],
            preview=names[1],
            preview_sha256=hashes[1],
        )
    )


def verify_print(design: Design) -> bool:
    """Are the stored bytes still those that were hashed when the design was frozen? False also when they are gone."""
    if not (design.print_file and design.print_sha256):
        return False
    try:
        return _sha256(_bytes_of(str(design.print_file.name))) == design.print_sha256
    except OSError:
        return False


# --- A finished picture of an API client -------------------------------------------------------------------------------
def design_from_picture(
    *,
    owner: str,
    shell: Shell,
    picture: bytes | pictures.Picture,
    template_slug: str = "",
    accept_low_resolution: bool = False,
) -> Design:
    """The design of a picture that is finished already (seed 1's designImage): it covers the whole print area.

    The template is only remembered, for its overlay is in the picture; a name that we do not know is left out.
    Idempotent: the same picture for the same owner, shell and template answers the same design, frozen or not.
    Raises photos.PictureNotTaken (400, 413).
    """
    template = DesignTemplate.objects.filter(slug=template_slug.replace("\x00", "")).first()
    taken = picture if isinstance(picture, pictures.Picture) else photos.read(picture)
    known = Photo.objects.filter(owner=owner, sha256=taken.sha256).order_by("created_at").first()
    photo = known or photos.add_photo(owner=owner, upload=taken)
    layout = layouts.cover_layout([(str(photo.pk), taken.size)], drawing.geometry_of(shell))
    wanted = {"owner": owner, "shell": shell, "template": template}
    with transaction.atomic():
        lock_owner(owner)
        same = Design.objects.filter(layout_hash=layouts.layout_hash(layout), **wanted).order_by("created_at")
        design = same.first() or Design.objects.create(**wanted, **_fields(layout))
    with contextlib.suppress(
        DesignFrozen
    ):  # it was ordered before: that very picture, so nothing is left to save
        _save(design, layout, template, accept_low_resolution)
    return design


# --- What was ordered, seen from outside -------------------------------------------------------------------------------
def print_link(design: Design) -> str:
    """The signed absolute address of the print file: no query, ends in .png, works for 30 days, as often as asked."""
    return storage.public_url(storage.picture_path("print", design.pk, storage.PRINT_LINK_LIFE))


def preview_link(design: Design) -> str:
    """The signed path of a frozen design's preview; works for 12 hours."""
    return storage.picture_path("preview", design.pk, storage.PREVIEW_LINK_LIFE)


def stored_picture(token: str) -> StoredPicture:
    """What a signed link names. Forged, expired, of a design that is not frozen or was forgotten: NotFound (404)."""
    found = storage.read_token(token)
    kept = Design.objects.filter(forgotten_at=None).exclude(frozen_at=None)
    design = kept.filter(pk=found[1]).first() if found else None
    if found is None or design is None:
        raise errors.NotFound
    kind = found[0]
    file, sha256 = (
        (design.print_file, design.print_sha256)
        if kind == "print"
        else (design.preview, design.preview_sha256)
    )
    return StoredPicture(kind, design.pk, str(file.name), sha256)


def read_linked_picture(path: str) -> bytes | None:
    """The bytes behind one of our own signed links, by its path; None when the link is no good."""
    match = _PICTURE_PATH.match(path)
    try:
        return _bytes_of(stored_picture(match[1]).name) if match else None
    except (errors.NotFound, OSError):
        return None
