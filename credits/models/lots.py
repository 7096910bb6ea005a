"""Lots: the credits of one grant, bound to the payment that bought them; what changed them; what refunds took back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.models.accounts import CreditAccount
from credits.models.postings import PLAIN, Posting
from pimpshop.core.models import PREFIX


class Lot(models.Model):
    """`remaining` can be spent; `expired` ran out unused; `reversed` was taken back by refunds and disputes.

    All are running totals: of its changes, of its expiries, of its reversals. What was taken back because of this lot
    may have come from others or be owed, so remaining + expired + reversed is at most the amount.
    """

    class Origin(models.TextChoices):
        PURCHASED = "purchased", _("bought")
        BONUS = "bonus", _("given")

    account = models.ForeignKey(
        CreditAccount, models.PROTECT, related_name="lots", verbose_name=_("account"), **PLAIN
    )
    posting = models.OneToOneField(
        Posting, models.PROTECT, related_name="lot", verbose_name=_("granted by"), db_constraint=False
    )
    payment_reference = models.CharField(_("payment"), max_length=120, blank=True)
    origin = models.CharField(_("origin"), max_length=16, choices=Origin)
    amount = models.BigIntegerField(_("credits"))
    remaining = models.BigIntegerField(_("left"))
    expired = models.BigIntegerField(_("expired"), default=0)
    reversed = models.BigIntegerField(_("taken back"), default=0)
    #: Indexed instead of `remaining`: as long as it stays the same, changing a lot touches no index.
    is_open = models.GeneratedField(
        expression=Q(remaining__gt=0),  # type: ignore[arg-type]  # a condition is an expression
        output_field=models.BooleanField(),
        db_persist=True,
    )
    expires_at = models.DateTimeField(_("ends"), null=True)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("lot of credits")
        verbose_name_plural = _("lots of credits")
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, expired__gte=0, reversed__gte=0, amount__gt=0),
                name="lot_no_part_negative",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=F("remaining") + F("expired") + F("reversed")), name="lot_parts_fit"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "is_open", "expires_at", "origin", "id"], name="lot_of_account"),
            models.Index(fields=["payment_reference"], opclasses=[PREFIX], name="lot_payment"),
            models.Index(
                fields=["expires_at"], condition=Q(is_open=True, expires_at__isnull=False), name="lot_to_expire"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.amount} ({self.payment_reference or self.origin})"


class LotChange(models.Model):
    """How a posting changed `remaining` of a lot. Append-only, like postings."""

    posting = models.ForeignKey(Posting, models.PROTECT, related_name="changes", **PLAIN)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="changes", **PLAIN)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "posting"], name="lotchange_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="lotchange_not_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+d}"


class Reversal(models.Model):
    """A refund or dispute gave back `part` of `whole` minor units, so `credits` of the lot were taken back.

    `shortfall` of them were spent already and are owed. `restored_at`: the dispute was won, or the refund failed.
    """

    reference = models.CharField(_("reference"), max_length=120)
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="reversals")
    part = models.BigIntegerField(_("given back (minor units)"))
    whole = models.BigIntegerField(_("paid (minor units)"))
    credits = models.BigIntegerField(_("credits"))
    shortfall = models.BigIntegerField(_("owed"), default=0)
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    restored_at = models.DateTimeField(_("restored"), null=True)

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        constraints = [
            models.UniqueConstraint(fields=["reference", "lot"], name="reversal_once"),
            models.CheckConstraint(
                condition=Q(part__gt=0, whole__gte=F("part"), credits__gte=F("shortfall"), shortfall__gte=0),
                name="reversal_in_proportion",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.credits}"
