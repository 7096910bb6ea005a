"""Designs made at home: whose they are, on which other devices they are open, what of them is shown to everybody."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.phones import Shell
from pimpshop.core.models import Timestamped


def case_path(shared: SharedDesign, filename: str) -> str:
    """Where a shared picture lies: by its row's id; its token may be taken back."""
    return f"shared/{shared.pk}.case.png"


def card_path(shared: SharedDesign, filename: str) -> str:
    return f"shared/{shared.pk}.card.png"


class Draft(Timestamped):
    """A design at home. Its photos and its Design belong to the owner "draft:<id>"; `updated_at`: last worked on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    keeper = models.CharField(max_length=120, help_text='Whose it is: "visitor:<id>" or "user:<id>".')
    link_nonce = models.CharField(
        max_length=24, blank=True, help_text="Empty: no link to other devices is good."
    )
    link_expires_at = models.DateTimeField(_("link good until"), null=True, blank=True)

    class Meta:
        verbose_name = _("design at home")
        verbose_name_plural = _("designs at home")
        indexes = [
            models.Index(fields=["keeper", "-updated_at"], name="draft_of_keeper"),
            models.Index(fields=["updated_at"], name="draft_to_forget"),
        ]

    def __str__(self) -> str:
        return str(self.pk)[:8]

    @property
    def owner(self) -> str:
        """The owner of its photos and its design."""
        return f"draft:{self.pk}"


class DraftPass(Timestamped):
    """A device that opened a draft by its link."""

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="passes")
    keeper = models.CharField(max_length=120, db_index=True)

    class Meta:
        verbose_name = _("device of a design at home")
        verbose_name_plural = _("devices of designs at home")
        constraints = [models.UniqueConstraint(fields=["draft", "keeper"], name="draft_pass_once")]

    def __str__(self) -> str:
        return f"{self.draft} {self.keeper}"


class TakenDownFor(models.TextChoices):
    """Why staff took a shared design down, in the words that its keeper reads."""

    RIGHTS = "rights", _("It shows a picture or a sign that belongs to somebody else.")
    PERSON = "person", _("It shows somebody who does not want to be shown.")
    HARMFUL = "harmful", _("It may hurt, frighten or insult people.")
    OTHER = "other", _("It does not fit what we show to everybody.")


class SharedDesign(Timestamped):
    """What a draft looked like when its keeper pressed "Share": two pictures that everybody with the address may see.
    Taken down by staff, the row stays without its pictures: its address says so, and it cannot be shared again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.OneToOneField(Draft, models.CASCADE, related_name="shared")
    token = models.CharField(max_length=32, unique=True)
    shell = models.ForeignKey(Shell, models.PROTECT, verbose_name=_("shell"))
    layout_hash = models.CharField(max_length=64)
    case = models.FileField(upload_to=case_path, blank=True)
    card = models.FileField(upload_to=card_path, blank=True)
    taken_down_at = models.DateTimeField(_("taken down"), null=True, blank=True)
    taken_down_for = models.CharField(
        _("why it was taken down"), max_length=16, blank=True, choices=TakenDownFor.choices
    )

    class Meta:
        verbose_name = _("shared design")
        verbose_name_plural = _("shared designs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(taken_down_at=None, taken_down_for="")
                | (models.Q(case="", card="", taken_down_at__isnull=False) & ~models.Q(taken_down_for="")),
                name="shared_or_taken_down",
            )
        ]

    def __str__(self) -> str:
        return f"{self.shell} {str(self.pk)[:8]}"
