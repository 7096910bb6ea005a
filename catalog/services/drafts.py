"""Designs at home: begun by a browser or a person, opened on other devices by a link, carried to a machine, forgotten.

A keeper is opaque: "visitor:<id>" of a browser's signed cookie, "user:<id>" of somebody with an account. What a draft is
made of (photos, design) belongs to its own owner, "draft:<id>", so that it moves between keepers as one row.
Guarantees: what is another keeper's is not found (404); a keeper has at most MOST_DRAFTS and MOST_PHOTOS, also when two
requests ask at once (advisory lock). No call leaves but to the file storage and the content checks.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog import selectors
from catalog.models import Design, Draft, DraftPass, Photo, Shell
from catalog.services import designs, forgetting, pens, photos, sharing
from pimpshop.core import errors, ids

MOST_DRAFTS = 20
MOST_PHOTOS = 60
LINK_LIFE = timedelta(days=7)
#: Length of a link's token: the draft's id in hex, then the key of core.ids.
_ID, _KEY = 32, 22


class TooManyDrafts(errors.Conflict):
    code = "too_many_drafts"
    message = _("You have many designs here already. Please delete one, then there is room for another.")


class TooManyPhotos(errors.Conflict):
    code = "too_many_photos"
    message = _("You have many photos here already. Please delete a design that you do not need any more.")


class LinkExpired(errors.Gone):
    code = "link_expired"
    message = _(
        "This link has run out. Please make a new one on the other device. Your design is still there."
    )


# --- Whose ------------------------------------------------------------------------------------------------------------
def find(keeper: str, draft_id: uuid.UUID) -> Draft | None:
    """The draft, if it is the keeper's or was opened on their device; None when nobody has begun it yet.
    Raises NotFound for anybody else's."""
    draft = Draft.objects.filter(pk=draft_id).first()
    if draft is None or draft.keeper == keeper:
        return draft
    if keeper and draft.passes.filter(keeper=keeper).exists():
        return draft
    raise errors.NotFound


def own(keeper: str, draft_id: uuid.UUID) -> Draft:
    """The keeper's own draft: what only they may do with it. Raises NotFound, also for an opened one."""
    draft = Draft.objects.filter(pk=draft_id, keeper=keeper).first()
    if draft is None:
        raise errors.NotFound
    return draft


def kept(keeper: str) -> QuerySet[Draft]:
    """What the keeper has and has opened, what was worked on last first."""
    opened = DraftPass.objects.filter(draft=OuterRef("pk"), keeper=keeper)
    return Draft.objects.filter(Q(keeper=keeper) | Q(Exists(opened))).order_by("-updated_at")


def designs_of(drafts: list[Draft]) -> dict[str, Design]:
    """Owner -> design of drafts, with what is said about it; the open one where there are several."""
    rows = Design.objects.filter(owner__in=[draft.owner for draft in drafts], forgotten_at=None)
    rows = rows.select_related("shell__model__brand", "shell__colour").order_by("created_at")
    return {row.owner: row for row in rows}


def begin(*, keeper: str, draft_id: uuid.UUID) -> Draft:
    """The keeper's draft with that id, begun now if there is none. Raises NotFound, TooManyDrafts."""
    draft = find(keeper, draft_id)
    if draft is not None:
        Draft.objects.filter(pk=draft.pk).update(updated_at=timezone.now())
        return draft
    with transaction.atomic():
        designs.lock_owner(keeper)
        if Draft.objects.filter(keeper=keeper).count() >= MOST_DRAFTS:
            raise TooManyDrafts
        draft, _new = Draft.objects.get_or_create(pk=draft_id, defaults={"keeper": keeper})
    if draft.keeper != keeper:
        raise errors.NotFound
    return draft


def must_have_room(draft: Draft) -> None:
    """For one more photo. Photos of the draft that its design does not show make room first. Raises TooManyPhotos."""
    if _photos_of(draft.keeper).count() < MOST_PHOTOS:
        return
    forgetting.forget_unused_photos(draft.owner)
    if _photos_of(draft.keeper).count() >= MOST_PHOTOS:
        raise TooManyPhotos


def _photos_of(keeper: str) -> QuerySet[Photo]:
    return Photo.objects.filter(owner__in=_owners(Draft.objects.filter(keeper=keeper)))


def _owners(drafts: QuerySet[Draft]) -> list[str]:
    return [f"draft:{pk}" for pk in drafts.values_list("pk", flat=True)]


def hand_over(keeper: str, to: str) -> int:
    """Everything that `keeper` has and has opened is `to`'s from now on; answers how many drafts. Idempotent."""
    with transaction.atomic():
        moved = Draft.objects.filter(keeper=keeper).update(keeper=to)
        known = DraftPass.objects.filter(keeper=to).values("draft")
        DraftPass.objects.filter(keeper=keeper).exclude(draft__in=known).update(keeper=to)
        DraftPass.objects.filter(keeper=keeper).delete()
    return moved


# --- On another device ------------------------------------------------------------------------------------------------
def make_link(draft: Draft) -> str:
    """The token of a link that opens the draft elsewhere: signed, good for LINK_LIFE, one at a time. A good one is
    answered again."""
    now = timezone.now()
    if not draft.link_nonce or draft.link_expires_at is None or draft.link_expires_at <= now:
        draft.link_nonce, draft.link_expires_at = secrets.token_hex(8), now + LINK_LIFE
        Draft.objects.filter(pk=draft.pk).update(
            link_nonce=draft.link_nonce, link_expires_at=draft.link_expires_at
        )
    return f"{draft.pk.hex}{_key(draft)}"


def _key(draft: Draft) -> str:
    return ids.link_key("draft", f"{draft.pk} {draft.link_nonce}")


def living_link(draft: Draft) -> str:
    """The token of the link that is good now; "" without one."""
    good = draft.link_nonce and draft.link_expires_at and draft.link_expires_at > timezone.now()
    return make_link(draft) if good else ""


def linked(token: str) -> Draft:
    """What a link opens. Raises NotFound for a forged or revoked one, LinkExpired (410)."""
    try:
        key = uuid.UUID(hex=token[:_ID]) if len(token) == _ID + _KEY else None
    except ValueError:
        key = None
    draft = Draft.objects.filter(pk=key).exclude(link_nonce="").first() if key else None
    if draft is None or not hmac.compare_digest(_key(draft).encode(), token[_ID:].encode()):
        raise errors.NotFound
    if draft.link_expires_at is None or draft.link_expires_at <= timezone.now():
        raise LinkExpired
    return draft


def open_here(draft: Draft, *, keeper: str) -> None:
    """The keeper's device may work on the draft from now on, until the link is revoked."""
    if draft.keeper != keeper:
        DraftPass.objects.get_or_create(draft=draft, keeper=keeper)


@transaction.atomic
def revoke_link(draft: Draft) -> None:
    """The link is good no longer, and whoever came by it is out."""
    Draft.objects.filter(pk=draft.pk).update(link_nonce="", link_expires_at=None)
    draft.passes.all().delete()


# --- To a machine -----------------------------------------------------------------------------------------------------
def carry(draft: Draft, *, to_owner: str, shell: Shell) -> Design:
    """A copy of the draft's design, on `shell`, as the open design of `to_owner`; the photos are copied too, so that
    each owner's can be forgotten alone. Raises NotFound without a design, designs' refusals."""
    design = selectors.latest_design(draft.owner)
    if design is None:
        raise errors.NotFound
    wanted = {item["photo"] for item in design.layout.get("items", []) if "photo" in item}
    copies = {key: _copied(selectors.photo_of(draft.owner, key), to_owner) for key in sorted(wanted)}
    layout = dict(design.layout)
    layout["items"] = [
        {**item, "photo": str(copies[item["photo"]].pk)} if "photo" in item else item
        for item in design.layout.get("items", [])
    ]
    ours = pens.take(owner=to_owner, shell=shell, tab=None)  # windows that are open there are old now
    accepted = design.low_resolution_accepted_at is not None
    return designs.save_layout(design=ours, layout=layout, accept_low_resolution=accepted).design


def _copied(photo: Photo, owner: str) -> Photo:
    """The same picture for another owner; the same row when it was carried there before."""
    upload_id = f"carried-{photo.pk}"
    known = Photo.objects.filter(owner=owner, upload_id=upload_id).first()
    if known is not None:
        return known
    copy = Photo(
        owner=owner, upload_id=upload_id, extension=photo.extension, original_format=photo.original_format,
        width=photo.width, height=photo.height, bytes=photo.bytes, sha256=photo.sha256,
    )  # fmt: skip
    for field, source in ((copy.file, photo.file), (copy.working_copy, photo.working_copy)):
        with source.open("rb") as file:
            field.save("photo", ContentFile(file.read()), save=False)
    return photos.keep(copy)


# --- The end ----------------------------------------------------------------------------------------------------------
def delete(draft: Draft) -> None:
    """The draft, its design, its photos, and what was shared of it."""
    with transaction.atomic():
        sharing.stop(draft)
        forgetting.forget_owner(draft.owner)
        draft.delete()


def forget_keeper(keeper: str) -> int:
    """Everything that the keeper has; answers how many drafts."""
    mine = list(Draft.objects.filter(keeper=keeper).order_by("pk"))
    for draft in mine:
        delete(draft)
    DraftPass.objects.filter(keeper=keeper).delete()
    return len(mine)


def forget_old(limit: int = 50) -> int:
    """Drafts that nobody has worked on for PHOTOS_KEPT_DAYS; a sweep round. Answers how many."""
    if not settings.PHOTOS_KEPT_DAYS:
        return 0
    until = timezone.now() - timedelta(days=settings.PHOTOS_KEPT_DAYS)
    old = list(Draft.objects.filter(updated_at__lt=until).order_by("updated_at")[:limit])
    for draft in old:
        delete(draft)
    return len(old)
