"""The acts on a credit account: give and take, with what somebody has afterwards; they count for the limits of staff."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from credits import selectors
from credits.models import CreditAccount
from credits.services import adjusting, ledger
from pimpshop.core.admin import words
from pimpshop.core.admin.acts import WHY, Act, Did, Doing, Preview
from pimpshop.core.money import Money

_CREDITS = "CREDITS"


def _words(amount: int) -> str:
    return words.money(amount, _CREDITS) if amount else "0"


def _of_giving(account: CreditAccount, doing: Doing) -> Preview:
    user_id = adjusting.owner_of(account)
    told: dict[str, Any] = {"who": str(account.user)}
    if not doing.amount:
        has = {**told, "has": _words(selectors.balance(user_id))}
        return Preview([gettext("%(who)s has %(has)s now. Type how many credits.") % has])
    amount, owed = adjusting.amount_of(doing.amount), selectors.debt(user_id)
    told |= {
        "amount": _words(amount),
        "after": _words(selectors.balance(user_id) + amount - min(owed, amount)),
    }
    lines = [gettext("%(who)s gets %(amount)s, and has %(after)s then.") % told]
    if owed:
        lines.append(gettext("%(paid)s of them pay a debt.") % {"paid": _words(min(owed, amount))})
    return Preview(lines, [Money(amount, _CREDITS)])


def _of_taking(account: CreditAccount, doing: Doing) -> Preview:
    user_id = adjusting.owner_of(account)
    can_spend = selectors.available(user_id)
    told: dict[str, Any] = {"who": str(account.user), "has": _words(can_spend)}
    if not doing.amount:
        return Preview([gettext("%(who)s can spend %(has)s now. Type how many credits.") % told])
    amount = adjusting.amount_of(doing.amount)
    if amount > can_spend:
        raise ledger.NotEnoughCredits(details={"available": can_spend, "asked": amount})
    told |= {"amount": _words(amount), "after": _words(can_spend - amount)}
    line = gettext("%(amount)s are taken from %(who)s, who can spend %(after)s then.") % told
    return Preview([line], [Money(amount, _CREDITS)])


def _give(account: CreditAccount, doing: Doing) -> Did:
    amount = adjusting.amount_of(doing.amount)
    posting = adjusting.give(account=account, amount=amount, actor=doing.actor, reason=doing.reason)
    return Did(reference=posting.reference)


def _take(account: CreditAccount, doing: Doing) -> Did:
    amount = adjusting.amount_of(doing.amount)
    posting = adjusting.take(account=account, amount=amount, actor=doing.actor, reason=doing.reason)
    return Did(reference=posting.reference)


def _users(account: CreditAccount) -> bool:
    return account.kind == CreditAccount.Kind.USER


_BOTH: dict[str, Any] = {
    "reason": WHY, "amount": _("How many credits?"), "audited": True, "on_lists": False, "lock": adjusting.locked,
    "possible": _users,
}  # fmt: skip

ACTS = (
    Act(
        "give-credits", _("Give credits"), _("They count as given, not as bought."), _give, icon="redeem",
        preview=_of_giving, **_BOTH,
    ),
    Act(
        "take-credits", _("Take credits"), _("Only what can be spent now. It stands in the person's statement."), _take,
        icon="remove_circle", preview=_of_taking, **_BOTH,
    ),
)  # fmt: skip
