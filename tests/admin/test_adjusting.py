"""Credits that staff give and take, and what they decide about refunds that were made elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from credits import selectors as credits
from credits.models import CreditAccount, Posting
from credits.services import ledger
from payments.gateways import base
from payments.models import Refund
from payments.services import refund_notices
from pimpshop.core import invariants, staff_items
from pimpshop.core.models import AuditEntry, StaffItem, StaffMove, StaffRequest
from pimpshop.core.money import Money
from tests import factories
from tests.support.bought import bought, pay

pytestmark = pytest.mark.django_db
ACCOUNT = "credits_creditaccount"


def somebody(has: int = 500) -> tuple[Any, CreditAccount]:
    user = factories.user()
    ledger.grant(user_id=user.pk, amount=has, reference=f"G{user.pk}", payment_reference=f"G{user.pk}")
    return user, CreditAccount.objects.get(kind="user", user=user)


def send(desk: Any, account: CreditAccount, act: str, **typed: str) -> Any:
    return desk.send(ACCOUNT, account, act, **{"reason": "late case", **typed})


def test_credits_are_given_once_with_a_reason(member: Any) -> None:
    desk, (user, account) = member("finance"), somebody()
    assert desk.shown(ACCOUNT, account, "give-credits", amount="100") == [
        f"{user} gets 100 credits, and has 600 credits then."
    ]
    for _ in range(2):
        send(desk, account, "give-credits", amount="100", once="this form")
    posting = Posting.objects.get(kind="bonus")
    assert (posting.amount, posting.actor, posting.reason) == (100, desk.user.email, "late case")
    assert credits.balance(user.pk) == 600
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.data["credits"]) == ("give credits", f"user {user.pk}", 100)
    assert StaffMove.objects.get().reference == posting.reference
    assert [str(v) for v in invariants.violations()] == []


def test_credits_are_taken_and_never_more_than_there_are(member: Any) -> None:
    desk, (user, account) = member("finance"), somebody()
    assert send(desk, account, "take-credits", amount="200").status_code == 302
    assert credits.balance(user.pk) == 300
    said = desk.said(send(desk, account, "take-credits", amount="301"))
    assert "not enough credits" in said[0]
    assert (credits.balance(user.pk), StaffMove.objects.count(), AuditEntry.objects.count()) == (300, 1, 1)
    assert [str(v) for v in invariants.violations()] == []


@pytest.mark.parametrize("amount", ["", "0", "-5", "1.5", "1,5", "1e3", "many", "1000001", "9" * 20])
@pytest.mark.parametrize("act", ["give-credits", "take-credits"])
def test_what_is_no_amount_moves_nothing(member: Any, act: str, amount: str) -> None:
    desk, (user, account) = member("finance"), somebody()
    send(desk, account, act, amount=amount)
    assert (credits.balance(user.pk), StaffMove.objects.count(), AuditEntry.objects.count()) == (500, 0, 0)


@pytest.mark.parametrize(("amount", "credits_"), [("1,500", 1500), ("１５", 15), (" 15 ", 15)])
def test_what_people_write_for_thousands_is_understood(member: Any, amount: str, credits_: int) -> None:
    desk, (user, account) = member("finance"), somebody()
    assert send(desk, account, "give-credits", amount=amount).status_code == 302
    assert (credits.balance(user.pk), StaffMove.objects.get().amount_minor) == (500 + credits_, credits_)


def test_a_decimal_comma_is_refused_with_what_to_type_instead(member: Any) -> None:
    """ "1,5" credits were 15 once."""
    desk, (user, account) = member("finance"), somebody()
    said = desk.said(send(desk, account, "give-credits", amount="1,5"))
    assert "Decimals come after a point" in said[0]
    assert (credits.balance(user.pk), StaffMove.objects.count(), AuditEntry.objects.count()) == (500, 0, 0)


def test_many_credits_want_a_second_person(member: Any) -> None:
    desk, (user, account) = member("finance"), somebody()
    send(desk, account, "give-credits", amount="10001")
    assert (credits.balance(user.pk), StaffRequest.objects.count()) == (500, 1)
    other = member("finance")
    other.act("core_staffrequest", StaffRequest.objects.get(), "approve", "it was our fault")
    assert credits.balance(user.pk) == 10501
    assert (Posting.objects.get(kind="bonus").actor, StaffRequest.objects.get().status) == (
        desk.user.email,
        "done",
    )


def test_what_stays_for_good_has_no_customers_address(member: Any) -> None:
    """Requests and the audit are never changed again; who asks to be forgotten must not stand there."""
    desk, other, (user, account) = member("finance"), member("finance"), somebody()
    send(desk, account, "give-credits", amount="10001")
    row, item = StaffRequest.objects.get(), StaffItem.objects.get(kind="second_person")
    assert row.lines == ["[email] gets 10,001 credits, and has 10,501 credits then."]
    assert str(user.email) in other.shown("core_staffrequest", row, "approve")[1]  # who decides reads it
    other.act("core_staffrequest", row, "approve", "it was our fault")
    kept = [row.subject, *row.lines, item.title, item.detail]
    kept += [str(value) for entry in AuditEntry.objects.all() for value in (entry.subject, entry.data)]
    kept += [move.subject for move in StaffMove.objects.all()]
    assert (len(kept), [text for text in kept if user.email in text]) == (9, [])


def test_the_shops_own_accounts_are_not_adjusted(member: Any) -> None:
    somebody()
    shop = CreditAccount.objects.filter(kind="system").first()
    send(member("finance"), shop, "give-credits", amount="5")
    assert (Posting.objects.count(), AuditEntry.objects.count()) == (1, 0)


# --- refunds that were made elsewhere
def elsewhere() -> Refund:
    intent = bought(user=factories.user())
    pay(intent)
    refund_notices.note_total(intent, Money(1000, "CNY"), source="webhook")
    return Refund.objects.get(origin="provider")


@pytest.mark.parametrize(("act", "word", "items"), [("was-ours", "ours", 0), ("was-not-ours", "not ours", 1)])
def test_staff_say_once_what_an_external_refund_was(member: Any, act: str, word: str, items: int) -> None:
    desk, refund = member("finance"), elsewhere()
    assert StaffItem.objects.get(resolved_at=None).kind == "external_refund"
    assert desk.shown("payments_refund", refund, act)[0].startswith("CN¥10.00 is away already")
    assert desk.act("payments_refund", refund, act, "asked everybody").status_code == 302
    refund.refresh_from_db()
    assert refund.metadata["decided"] == {"word": word, "by": desk.user.email}
    assert refund.status == str(base.RefundStatus.SUCCEEDED)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason) == (f"external refund: {word}", "asked everybody")
    open_ = StaffItem.objects.filter(resolved_at=None)
    assert [item.kind for item in open_] == ["external_refund_not_ours"] * items
    again = desk.said(desk.act("payments_refund", refund, "was-ours", "again"))
    assert "decided about already" in again[-1]
    assert AuditEntry.objects.count() == 1


def test_our_own_refund_is_not_decided_about(member: Any) -> None:
    refund = factories.refund()
    desk = member("finance")
    assert "or was made here" in desk.said(desk.act("payments_refund", refund, "was-not-ours", "hm"))[0]
    refund.refresh_from_db()
    assert (refund.metadata, AuditEntry.objects.count(), StaffItem.objects.count()) == ({}, 0, 0)


# --- money that came late
def test_late_money_is_accepted_once_and_nothing_moves(member: Any) -> None:
    desk, intent = member("finance"), factories.intent(status="succeeded", captured_minor=1999)
    page = "payments_paymentintent"
    said = desk.said(desk.act(page, intent, "accept-late", "hm"))
    assert "did not come late" in said[0]
    assert AuditEntry.objects.count() == 0
    staff_items.open_item(kind="paid_late", subject=intent.out_trade_no, title="late")
    assert desk.shown(page, intent, "accept-late") == [
        f"£19.99 stays, and order {intent.order.order_no} is made as it was ordered. No money moves now."
    ]
    assert desk.act(page, intent, "accept-late", "she still wants it").status_code == 302
    assert StaffItem.objects.get().resolution == "accepted: she still wants it"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == (
        desk.user.email,
        "accept late payment",
        intent.out_trade_no,
    )
    desk.act(page, intent, "accept-late", "again")
    assert (AuditEntry.objects.count(), StaffMove.objects.count(), Refund.objects.count()) == (1, 0, 0)
