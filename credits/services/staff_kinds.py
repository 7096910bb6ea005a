"""What can wait for a person about credits, and the sweep that finds who owes some (pimpshop.core.staff_kinds)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from credits.models import CreditAccount
from pimpshop.core import staff_items
from pimpshop.core.staff_kinds import Kind, register

OWED_KIND = "credits_owed"

register(
    Kind(
        OWED_KIND, _("Somebody owes credits"),
        _("They spent credits whose money went back. New credits pay the debt first; or let it be, and say so."),
        leads="credit account",
        acts=("give-credits",),
    )
)  # fmt: skip


def tell_of_debts() -> int:
    """An item for each user who owes credits; it closes by itself when nothing is owed. Idempotent; a sweep round."""
    owing = CreditAccount.objects.filter(kind=CreditAccount.Kind.DEBT, balance__lt=0)
    found = {
        f"account {account.pk}": {
            "title": f"{-account.balance} credits are owed by user {account.user_id}",
            "detail": "They spent credits whose money went back.",
            "minor": -account.balance,
            "currency": "CREDITS",
        }
        for account in owing.order_by("pk")
    }
    return staff_items.keep(kind=OWED_KIND, found=found, passed="nothing is owed any more")
