"""Accounts of credits: a user's, what waits for an e-mail address, a user's debt, and the shop's own.

The shop's own accounts (issuance, bonus, spent, held, expired) keep no running balance: every purchase would wait for the
same row. Their totals are sums of postings. The lock of the ledger is the row of the user's account.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CreditAccount(models.Model):
    """`balance` is in credits: never below zero, except a debt, which is never above. A user's is what they can spend
    now: what is held has left it (docs/adr/0015), so no hold, spending, expiry or take-back can use it twice.

    That an account is a user's, an address's or the shop's, and of one alone, a trigger keeps (migration 0004).
    """

    class Kind(models.TextChoices):
        USER = "user", _("user")
        WAITING = "waiting", _("waits for an address")
        DEBT = "debt", _("debt")
        SYSTEM = "system", _("the shop's")

    class System(models.TextChoices):
        ISSUANCE = "issuance", _("sold")
        BONUS = "bonus", _("given")
        SPENT = "spent", _("spent")
        HELD = "held", _("held")
        EXPIRED = "expired", _("expired")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("user"),
        db_index=False,
    )
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Whoever proves this address gets it."))
    name = models.CharField(_("name"), max_length=16, blank=True, choices=System)
    balance = models.BigIntegerField(_("balance"), default=0)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("credit account")
        verbose_name_plural = _("credit accounts")
        indexes = [models.Index(fields=["id"], condition=Q(kind="debt", balance__lt=0), name="account_owing")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"], condition=Q(user__isnull=False), name="account_user"
            ),
            models.UniqueConstraint(fields=["email"], condition=Q(kind="waiting"), name="account_email"),
            models.UniqueConstraint(fields=["name"], condition=Q(kind="system"), name="account_name"),
            models.CheckConstraint(
                condition=Q(kind__in=["user", "waiting"], balance__gte=0)
                | Q(kind="debt", balance__lte=0)
                | Q(kind="system", balance=0),
                name="account_balance_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name or self.email or self.user_id}"
