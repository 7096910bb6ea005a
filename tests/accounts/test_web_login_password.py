"""Passwords on the website: forgotten, changed, and what a new one ends."""

from __future__ import annotations

import time
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.services import tokens
from tests import factories
from tests.support.people import (
    CHANGE,
    LOG_IN,
    PASSWORD,
    RESET,
    log_in,
    mailed_link,
    mails,
    mistakes,
    sign_up,
    went,
    who,
)

pytestmark = pytest.mark.django_db(transaction=True)  # mails go after the commit
NEW = "another case for every phone"


def ask(client: Client, email: str) -> tuple[int, str]:
    return went(client.post(RESET, {"email": email}))


def open_link(client: Client, path: str) -> Any:
    """The mailed link leads to the form, whose address does not have the secret."""
    first = client.get(path)
    return client.get(first["Location"]) if first.status_code == 302 else first


def test_a_forgotten_password(client: Client) -> None:
    user = factories.user("alice@example.com")
    other, device = Client(), tokens.issue(user)[0]
    log_in(other, "alice@example.com")
    assert ask(client, "Alice@Example.com") == (302, "/accounts/password/reset/done/")
    assert client.get("/accounts/password/reset/done/").status_code == 200
    assert mails() == [("alice@example.com", "Choose a new password")]
    link = mailed_link()
    form = open_link(client, link)
    assert (form.status_code, form.context["action_url"].endswith("-set-password/")) == (200, True)

    done = client.post(form.context["action_url"], {"password1": NEW})
    assert (went(done), who(client)) == ((302, "/account/"), user.pk)
    assert mails()[1:] == [("alice@example.com", "Your password was changed")]
    assert "http://127.0.0.1:8000/accounts/password/reset/" in mail.outbox[1].body
    user.refresh_from_db()
    assert (user.check_password(NEW), tokens.find(device)) == (True, None)
    assert went(other.get("/accounts/")) == (302, f"{LOG_IN}?next=/accounts/")

    again = open_link(Client(), link)
    assert (again.status_code, again.context["token_fail"]) == (200, True)
    refused = Client().post(link, {"password1": PASSWORD})
    assert (refused.status_code, refused.context["token_fail"]) == (200, True)
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_an_old_link_opens_nothing(client: Client) -> None:
    user = factories.user("alice@example.com")
    ask(client, "alice@example.com")
    link = mailed_link()
    # Not to a date: it would bring its time zone along, and Django counts a link's age in local time.
    with time_machine.travel(time.time() + 86_405):
        late = open_link(client, link)
        assert (late.status_code, late.context["token_fail"]) == (200, True)
        assert "This link does not work any more" in late.content.decode()
    user.refresh_from_db()
    assert user.check_password(factories.PASSWORD)


def test_an_unknown_address_gets_the_same_answer(client: Client) -> None:
    factories.user("alice@example.com")
    assert ask(client, "alice@example.com") == ask(client, "nobody@example.com")
    assert mails()[1] == ("nobody@example.com", "There is no account with your address")
    assert "http://127.0.0.1:8000/accounts/signup/" in mail.outbox[1].body
    assert mistakes(client.post(RESET, {"email": "x"})) == {"email": ["Please type an e-mail address."]}


def test_a_switched_off_account_gets_no_link(client: Client) -> None:
    factories.user("off@example.com", is_active=False)
    ask(client, "off@example.com")
    assert [subject for _, subject in mails()] == ["There is no account with your address"]


def test_five_links_a_minute_and_no_more(client: Client) -> None:
    factories.user("alice@example.com")
    assert [ask(client, "alice@example.com")[0] for _ in range(6)] == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_a_link_proves_the_address_that_somebody_else_signed_up_with(client: Client) -> None:
    """Their password is gone, and the owner of the mailbox is in without a second mail."""
    sign_up(Client(), "alice@example.com")
    ask(client, "alice@example.com")
    form = open_link(client, mailed_link())
    assert went(client.post(form.context["action_url"], {"password1": NEW})) == (302, "/account/")
    assert who(client) == User.objects.get().pk
    stranger = Client()
    assert list(mistakes(log_in(stranger, "alice@example.com", PASSWORD))) == ["__all__"]
    assert who(stranger) is None


def test_the_link_is_for_our_address_whatever_host_was_asked(client: Client) -> None:
    factories.user("alice@example.com")
    client.post(RESET, {"email": "alice@example.com"}, headers={"Host": "localhost"})
    assert mailed_link().startswith("/accounts/password/reset/key/")


def test_a_changed_password_ends_the_others(client: Client) -> None:
    user = factories.user("alice@example.com")
    other, device = Client(), tokens.issue(user)[0]
    for one in (client, other):
        log_in(one, "alice@example.com")
    wrong = client.post(CHANGE, {"oldpassword": "wrong", "password1": NEW})
    assert mistakes(wrong) == {"oldpassword": ["That is not your password."]}
    assert tokens.find(device) is not None
    weak = client.post(CHANGE, {"oldpassword": factories.PASSWORD, "password1": "alice"})
    assert list(mistakes(weak)) == ["password1"]
    done = client.post(CHANGE, {"oldpassword": factories.PASSWORD, "password1": NEW})
    assert (went(done), who(client)) == ((302, "/account/"), user.pk)
    assert client.get("/accounts/").status_code == 200
    assert other.get("/accounts/").status_code == 302
    assert tokens.find(device) is None
    assert mails() == [("alice@example.com", "Your password was changed")]


def test_who_has_no_password_chooses_one(client: Client) -> None:
    user = User.objects.create_user("alice@example.com")
    client.force_login(user)
    assert went(client.get(CHANGE)) == (302, "/accounts/password/set/")
    assert went(client.post("/accounts/password/set/", {"password1": NEW})) == (302, "/account/")
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_nobody_changes_without_being_logged_in(client: Client) -> None:
    for page in (CHANGE, "/accounts/password/set/", "/accounts/email/"):
        assert went(client.post(page, {"password1": NEW})) == (302, f"{LOG_IN}?next={page}")
