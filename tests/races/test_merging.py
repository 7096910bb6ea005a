"""Joining two accounts while everything else goes on: payments, spending, log-ins, the same join twenty times."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.gateways.mini_program import Person
from accounts.models import User, WeChatIdentity
from accounts.services import wechat
from credits.models import CreditAccount, Posting
from credits.services import ledger
from orders.models import Order
from payments.models import JoinedAccount
from payments.services import merging, proving
from pimpshop.core import invariants
from pimpshop.core.models import AuditEntry
from tests import factories
from tests.support.threads import together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
SOMEBODY = Person("oONE", "uONE")


def _books_balance() -> None:
    found = [str(v) for v in invariants.violations() if "joined" in v.check or v.check.startswith("3")]
    assert found == []


def _balance(user: User) -> int:
    row = CreditAccount.objects.filter(user=user, kind="user").first()
    return row.balance if row else 0


def test_the_same_join_twenty_times_moves_everything_once() -> None:
    user, into = factories.user(None), factories.user()
    for _ in range(5):
        factories.posting(user, 10)
    together(20, lambda _: merging.join(user=user, into=into, actor="test").pk)
    assert (_balance(user), _balance(into)) == (0, 50)
    assert (JoinedAccount.objects.count(), AuditEntry.objects.count()) == (1, 1)
    assert Posting.objects.filter(kind="join").count() == 5
    _books_balance()


def test_grants_and_spending_go_on_while_accounts_are_joined() -> None:
    user, into = factories.user(None), factories.user()
    factories.posting(user, 100)
    factories.posting(into, 100)

    def work(n: int) -> int:
        if n == 0:
            merging.join(user=user, into=into, actor="test")
        elif n % 2:
            ledger.grant(user_id=user.pk, amount=1, reference=f"G{n}")
        else:
            try:
                ledger.spend(user_id=into.pk, amount=1, reference=f"S{n}")
            except ledger.NotEnoughCredits:
                return 0
        return 1

    done = together(16, work)
    while merging.due():
        for pk in merging.due():
            merging.gather(pk)
    spent = sum(done[2::2])
    assert (_balance(user), _balance(into)) == (0, 200 + 8 - spent)
    _books_balance()


def test_binding_and_logging_in_at_once_end_as_one_account() -> None:
    alice = factories.user("alice@example.com")

    def work(n: int) -> int:
        if n % 2:
            return wechat.user_of("wxapp", SOMEBODY).pk
        return proving.is_at_wechat(alice, "wxapp", SOMEBODY).user.pk

    together(10, work)
    assert WeChatIdentity.objects.get().user == alice
    assert {row.into_id for row in JoinedAccount.objects.all()} <= {alice.pk}
    assert User.objects.filter(is_active=True).count() == 1


def test_two_people_who_bind_the_same_identity_do_not_both_get_it() -> None:
    alice, bob = factories.user("alice@example.com"), factories.user("bob@example.com")

    def work(n: int) -> str:
        try:
            proving.is_at_wechat((alice, bob)[n % 2], "wxapp", SOMEBODY)
        except merging.CannotJoin:
            return "refused"
        return "bound"

    outcomes = together(8, work)
    assert outcomes.count("refused") == 4
    assert WeChatIdentity.objects.count() == 1


def test_orders_of_both_sides_lock_in_one_order() -> None:
    pairs = [(factories.user(None), factories.user()) for _ in range(4)]
    for user, into in pairs:
        factories.created(factories.order(user=user))
        factories.created(factories.order(user=into))
    joins: list[Callable[[], User]] = [
        lambda user=user, into=into: merging.join(user=user, into=into, actor="test") for user, into in pairs
    ]  # fmt: skip
    together(8, lambda n: joins[n % 4]().pk)
    assert [Order.objects.filter(user=into).count() for _user, into in pairs] == [2] * 4
    assert JoinedAccount.objects.count() == 4
