"""Seals: proof that postings stay as they were written (docs/adr/0020)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Seal(models.Model):
    """All postings with ids above `after_id` up to `last_id`: `marks` holds the id (8 bytes) and the beginning of the
    SHA-256 (16 bytes) of each, in the order of ids; `digest` is the SHA-256 of the seal before it and these marks.
    Append-only, by a trigger (migration 0009)."""

    after_id = models.BigIntegerField(_("after posting"), unique=True)
    last_id = models.BigIntegerField(_("up to posting"), unique=True)
    count = models.PositiveIntegerField(_("postings"))
    marks = models.BinaryField(_("marks"))
    digest = models.BinaryField(_("digest"), max_length=32)
    made_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        constraints = [
            models.CheckConstraint(condition=Q(last_id__gt=F("after_id")), name="seal_goes_on"),
        ]

    def __str__(self) -> str:
        return f"{self.last_id}: {bytes(self.digest).hex()}"


class SealMark(models.Model):
    """How far the next seal will reach, once the transactions that were writing then have ended. One row."""

    last_id = models.BigIntegerField()
    writing = ArrayField(models.CharField(max_length=40))
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return str(self.last_id)
