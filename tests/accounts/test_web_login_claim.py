"""A proven address: what waited for it is claimed once, and it takes the place of the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from credits import selectors as credits
from credits.models import PlanTerm, Posting
from credits.services import ledger, terms
from orders.models import Order
from orders.services import claiming
from tests import factories
from tests.support.people import (
    ADDRESS,
    AGAIN,
    CODE,
    PASSWORD,
    log_in,
    mailed_code,
    mailed_link,
    mails,
    mistakes,
    sign_up,
    went,
    who,
)

pytestmark = pytest.mark.django_db(transaction=True)  # mails go after the commit


def waiting_for(email: str, reference: str = "P1", amount: int = 500) -> Order:
    """A guest has bought a pack and a plan with that address."""
    ledger.grant(email=email, amount=amount, reference=f"{reference}/1")
    terms.grant_term(email=email, plan_sku="monthly", days=30, reference=f"{reference}/2")
    return factories.order(user=None, email=email, kind=Order.Kind.CREDITS)


def balance(user: User) -> int:
    return credits.balance(user.pk)


def confirm(client: Client) -> tuple[int, str]:
    return went(client.post(CODE, {"code": mailed_code()}))


def test_what_waited_is_claimed_with_the_code_and_not_before(client: Client) -> None:
    order = waiting_for("ada@example.com")
    sign_up(client, "ada@example.com")
    user = User.objects.get()
    assert (balance(user), PlanTerm.objects.get().user_id) == (0, None)
    assert confirm(client) == (302, "/account/")
    page = client.get("/plans/").content.decode()
    assert "500 credits waited for you. They are yours now." in page
    order.refresh_from_db()
    assert (balance(user), PlanTerm.objects.get().user_id, order.user) == (500, user.pk, user)
    assert [event.reason for event in order.events.filter(source="account")] == [
        "claimed by the owner of the address"
    ]
    client.post("/accounts/logout/")
    log_in(client, "ada@example.com", PASSWORD)
    assert (balance(user), Posting.objects.filter(kind="claim").count()) == (500, 1)
    assert order.events.filter(source="account").count() == 1


def test_what_somebody_buys_as_a_guest_later_comes_with_the_next_log_in(client: Client) -> None:
    user = factories.user("ada@example.com")
    waiting_for("ada@example.com", "P1")
    assert log_in(client, "ada@example.com", "wrong").status_code == 200
    assert balance(user) == 0
    log_in(client, "ada@example.com")
    assert balance(user) == 500
    waiting_for("ada@example.com", "P2", 7)
    log_in(Client(), "ada@example.com")
    assert balance(user) == 507


def test_a_new_password_by_mail_claims_too(client: Client) -> None:
    user = factories.user("ada@example.com")
    waiting_for("ada@example.com")
    client.post("/accounts/password/reset/", {"email": "ada@example.com"})
    form = client.get(client.get(mailed_link())["Location"])
    client.post(form.context["action_url"], {"password1": PASSWORD})
    assert (who(client), balance(user)) == (user.pk, 500)


def test_a_token_of_the_api_claims_nothing(client: Client) -> None:
    user = factories.user("ada@example.com")
    waiting_for("ada@example.com")
    body = {"email": "ada@example.com", "password": factories.PASSWORD}
    assert client.post("/api/auth/token", body, content_type="application/json").status_code == 200
    assert balance(user) == 0


def test_only_the_guests_own_orders_are_claimed() -> None:
    ada, bob = factories.user("ada@example.com"), factories.user("bob@example.com")
    mine = factories.order(user=None, email="Ada@Example.com", kind=Order.Kind.CASE)
    others = [
        factories.order(user=bob, email="ada@example.com"),
        factories.order(user=None, email="", kind=Order.Kind.CASE),
        factories.order(user=None, email="ada@example.com", kind=Order.Kind.MERCHANT),
    ]
    before = [order.user_id for order in others]
    claiming.claim_for(ada)
    claiming.claim_for(factories.user(None))
    for order in (mine, *others):
        order.refresh_from_db()
    assert (mine.user, [order.user_id for order in others]) == (ada, before)


def prove_again(client: Client, page: str, password: str = factories.PASSWORD) -> tuple[int, str]:
    """Before something that matters the password is asked for once more."""
    return went(client.post(AGAIN, {"password": password, "next": page}))


def start_change(client: Client, email: str) -> Any:
    """From the form to the code."""
    body = {"action_add": "1", "email": email}
    assert went(client.post(ADDRESS, body)) == (302, f"{AGAIN}?next=%2Faccounts%2Femail%2F")
    return client.post(AGAIN, {"password": factories.PASSWORD, "next": ADDRESS})


def test_another_address_takes_the_place_of_the_old_one(client: Client) -> None:
    user = factories.user("ada@example.com")
    waiting_for("ada@work.example.com")
    log_in(client, "ada@example.com")
    assert client.get(ADDRESS).status_code == 200
    assert went(start_change(client, "Ada@Work.example.com")) == (302, CODE)
    assert mails()[0][0] == "ada@work.example.com"
    user.refresh_from_db()
    assert (user.email, balance(user)) == ("ada@example.com", 0)
    assert confirm(client) == (302, "/account/")
    user.refresh_from_db()
    assert (user.email, balance(user)) == ("ada@work.example.com", 500)
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("ada@work.example.com", True, True)
    ]
    assert mails()[1:] == [("ada@example.com", "Your e-mail address was changed")]
    assert "from ada@example.com to ada@work.example.com" in mail.outbox[1].body


def test_a_wrong_password_changes_no_address(client: Client) -> None:
    factories.user("ada@example.com")
    log_in(client, "ada@example.com")
    client.post(ADDRESS, {"action_add": "1", "email": "ada@work.example.com"})
    assert prove_again(client, ADDRESS, "wrong") == (200, "")
    assert (len(mail.outbox), went(client.get(CODE))) == (0, (302, ADDRESS))


def test_an_address_of_another_account_is_not_taken(client: Client) -> None:
    """Nobody is told before the code; whoever has the mailbox learns it."""
    factories.user("bob@example.com")
    user = factories.user("ada@example.com")
    log_in(client, "ada@example.com")
    assert went(start_change(client, "bob@example.com")) == (302, CODE)
    answer = client.post(CODE, {"code": mailed_code()})
    assert mistakes(answer, "verify_form") == {"code": ["This address belongs to another account already."]}
    user.refresh_from_db()
    assert user.email == "ada@example.com"


def test_an_address_that_is_taken_at_the_last_moment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is half done: neither proof nor claim."""
    user = factories.user("ada@example.com")
    waiting_for("ada@work.example.com")
    log_in(client, "ada@example.com")
    start_change(client, "ada@work.example.com")

    def taken(self: EmailAddress, conditional: bool = False) -> bool:
        raise IntegrityError

    monkeypatch.setattr(EmailAddress, "set_as_primary", taken)
    assert confirm(client) == (302, ADDRESS)
    user.refresh_from_db()
    assert (user.email, balance(user), EmailAddress.objects.get().email) == (
        "ada@example.com", 0, "ada@example.com",
    )  # fmt: skip


def test_an_expired_code_changes_nothing(client: Client) -> None:
    user = factories.user("ada@example.com")
    log_in(client, "ada@example.com")
    start_change(client, "ada@work.example.com")
    code = mailed_code()
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        assert went(client.post(CODE, {"code": code})) == (302, ADDRESS)
    user.refresh_from_db()
    assert user.email == "ada@example.com"
