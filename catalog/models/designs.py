"""Designs: the photos somebody uploaded and the layout made of them. Once ordered, a design is frozen for good."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.phones import DesignTemplate, Shell
from pimpshop.core.models import Timestamped


def photo_path(photo: Photo, filename: str) -> str:
    """Where a photo lies: by its own id, never by a name that came from outside."""
    return f"photos/{photo.pk}.{photo.extension}"


def working_copy_path(photo: Photo, filename: str) -> str:
    return f"photos/{photo.pk}.small.{photo.extension}"


def print_path(design: Design, filename: str) -> str:
    return f"designs/{design.pk}.print.png"


def preview_path(design: Design, filename: str) -> str:
    return f"designs/{design.pk}.preview.png"


class Photo(Timestamped):
    """One uploaded picture after intake: upright, without EXIF, re-encoded. `owner` is opaque ("session:…")."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=120, db_index=True)
    file = models.FileField(upload_to=photo_path)
    working_copy = models.FileField(upload_to=working_copy_path)
    extension = models.CharField(max_length=4)
    original_format = models.CharField(max_length=12)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    upload_id = models.CharField(
        max_length=64,
        blank=True,
        help_text="Made by the page for each photo that is chosen: a retry has the same.",
    )

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "upload_id"], condition=~models.Q(upload_id=""), name="photo_taken_in_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original_format} {self.width}×{self.height}"


class Design(Timestamped):
    """A customer's artwork on one shell. `frozen_at` set: layout, preview and print file are fixed and hashed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(
        max_length=120,
        db_index=True,
        help_text="Opaque, for example session:<session_id>.",
    )
    shell = models.ForeignKey(Shell, models.PROTECT, verbose_name=_("shell"))
    template = models.ForeignKey(
        DesignTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("template"),
    )
    layout: Any = models.JSONField(_("layout"), default=dict)
    layout_hash = models.CharField(max_length=64, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="How often a page has written.")
    written_by = models.CharField(max_length=16, blank=True, help_text="The window that wrote last.")
    low_resolution = models.BooleanField(_("low resolution"), default=False)
    low_resolution_accepted_at = models.DateTimeField(_("low resolution accepted"), null=True, blank=True)
    frozen_at = models.DateTimeField(_("frozen"), null=True, blank=True)
    forgotten_at = models.DateTimeField(
        _("pictures removed"),
        null=True,
        blank=True,
        help_text=_("Photos, words and files are gone; the hashes stay."),
    )
    preview = models.FileField(upload_to=preview_path, blank=True)
    preview_sha256 = models.CharField(max_length=64, blank=True)
    print_file = models.FileField(upload_to=print_path, blank=True)
    print_sha256 = models.CharField(_("hash of the print file"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("design")
        verbose_name_plural = _("designs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(frozen_at=None) | ~models.Q(print_sha256=""),
                name="design_frozen_with_hash",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shell} {str(self.pk)[:8]}"
