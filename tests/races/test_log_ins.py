"""Several log in at once: what waits for an address comes once, a code is good once, an address is taken once."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from accounts.models import User
from accounts.services import second_factor
from credits import selectors as credits
from credits.models import PlanTerm, Posting
from credits.services import ledger, terms
from orders.models import Order
from orders.services import claiming
from pimpshop.core import crypto
from tests import factories
from tests.support import threads
from tests.support.people import CODE, sign_up, went

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_two_log_ins_claim_everything_once() -> None:
    user = factories.user("ada@example.com")
    for number in range(3):
        ledger.grant(email="ada@example.com", amount=100, reference=f"P{number}/1")
    terms.grant_term(email="ada@example.com", plan_sku="monthly", days=30, reference="P9/2")
    orders = [factories.order(user=None, email="ada@example.com") for _ in range(3)]

    claimed = threads.together(4, lambda _n: claiming.claim_for(User.objects.get(pk=user.pk)))

    assert sorted(one.credits for one in claimed) == [0, 0, 0, 300]
    assert (credits.balance(user.pk), Posting.objects.filter(kind="claim").count()) == (300, 3)
    assert PlanTerm.objects.get().user_id == user.pk
    assert set(Order.objects.values_list("user_id", flat=True)) == {user.pk}
    assert [order.events.filter(source="account").count() for order in orders] == [1, 1, 1]


def test_one_code_lets_one_in() -> None:
    user = factories.user("ada@example.com")
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    Authenticator.objects.create(user=user, type="totp", data={"secret": crypto.seal(secret)})
    spare = RecoveryCodes.activate(user).get_unused_codes()[0]
    for code in (format_hotp_value(hotp_value(secret, int(time.time()) // 30)), spare):
        good = threads.together(6, lambda _n, code=code: second_factor.check(user, code))  # type: ignore[misc]
        assert sorted(good) == [False] * 5 + [True]


def test_of_six_sign_ups_with_one_address_one_is_an_account() -> None:
    answers = threads.together(6, lambda _n: went(sign_up(Client(), "ada@example.com")))
    assert User.objects.count() == 1
    assert set(answers) <= {(302, CODE), (429, "")}  # a code in ten seconds is enough
    assert (302, CODE) in answers
