"""A posting: so many credits from one account to another. One row, so it cannot be unbalanced; and it stays as it is:
the database refuses to change or remove it (migration 0001)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from credits.models.accounts import CreditAccount

#: The ledger's rows point at each other without foreign keys in the database: each would lock the row it points at, and
#: the shop's own accounts are pointed at by everybody at once (docs/adr/0013). What is pointed at cannot be removed
#: (triggers, migrations 0001 and 0004), and credits/checks.py lists what points nowhere.
PLAIN: dict[str, Any] = {"db_constraint": False, "db_index": False}


class Posting(models.Model):
    """Idempotent by (kind, reference). `…_after` are the balances that it left, NULL for the shop's own accounts."""

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("bought")
        BONUS = "bonus", _("given")
        SPEND = "spend", _("spent")
        REVERSE = "reverse", _("taken back")
        REVERSE_EXPIRED = "reverse-expired", _("taken back, had expired")
        SHORTFALL = "shortfall", _("owed")
        RESTORE = "restore", _("restored")
        REPAY = "repay", _("debt paid")
        EXPIRE = "expire", _("expired")
        CLAIM = "claim", _("claimed")
        JOIN = "join", _("accounts joined")
        HOLD = "hold", _("held")
        RELEASE = "release", _("free again")
        GIVE_BACK = "give-back", _("given back")
        TAKE_AGAIN = "take-again", _("not given back after all")
        REPAY_BACK = "repay-back", _("debt paid by what came back")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    reference = models.CharField(_("reference"), max_length=120)
    source = models.ForeignKey(
        CreditAccount, models.PROTECT, related_name="sent", verbose_name=_("from"), **PLAIN
    )
    destination = models.ForeignKey(
        CreditAccount, models.PROTECT, related_name="received", verbose_name=_("to"), **PLAIN
    )
    amount = models.BigIntegerField(_("credits"))
    source_after = models.BigIntegerField(_("balance after (from)"), null=True)
    destination_after = models.BigIntegerField(_("balance after (to)"), null=True)
    actor = models.CharField(_("who"), max_length=120, blank=True)
    reason = models.CharField(_("why"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="posting_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="posting_amount_positive"),
            models.CheckConstraint(condition=~Q(source=F("destination")), name="posting_between_two"),
        ]
        indexes = [
            models.Index(
                fields=["source", "id"], condition=Q(source_after__isnull=False), name="posting_source"
            ),
            models.Index(
                fields=["destination", "id"],
                condition=Q(destination_after__isnull=False),
                name="posting_destination",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}: {self.amount}"
