"""Signing up, logging in and out on the website: what each page answers, where it leads, what is mailed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests import factories
from tests.support.people import (
    CODE,
    LOG_IN,
    LOG_OUT,
    PASSWORD,
    SIGN_UP,
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
TOO_OFTEN = "That was too often. Please wait five minutes and try again."
WRONG = "That e-mail address and password do not go together."


def test_sign_up_code_log_out_log_in(client: Client) -> None:
    answer = sign_up(client, "New.Person@Example.com", next="/plans/?currency=CNY")
    assert (went(answer), who(client)) == ((302, CODE), None)
    user = User.objects.get()
    assert (user.email, user.language, user.is_staff) == ("new.person@example.com", "en", False)
    proofs = EmailAddress.objects.values_list("email", "verified", "primary")
    assert list(proofs) == [("new.person@example.com", False, True)]
    page = client.get(CODE)
    assert page.status_code == 200
    assert "new.person@example.com" in page.content.decode()
    code = mailed_code()
    assert mails() == [("new.person@example.com", f"{code} is your code for pimpshop")]
    assert f"<h1>{code}</h1>" in str(mail.outbox[0].alternatives[0][0])  # type: ignore[attr-defined]

    right = client.post(CODE, {"code": code.replace("-", "")})
    assert (went(right), who(client)) == ((302, "/plans/?currency=CNY"), user.pk)
    assert list(proofs.all()) == [("new.person@example.com", True, True)]

    assert client.get(LOG_OUT).status_code == 200
    assert who(client) == user.pk
    assert (went(client.post(LOG_OUT)), who(client)) == ((302, "/"), None)
    assert (went(log_in(client, " NEW.person@example.com", PASSWORD)), who(client)) == (
        (302, "/account/"),
        user.pk,
    )
    assert len(mail.outbox) == 1


def test_the_mail_is_in_the_language_of_the_page(client: Client) -> None:
    sign_up(Client(headers={"Accept-Language": "zh-CN"}), "lan@example.com")
    assert User.objects.get().language == "zh-hans"
    assert '<html lang="zh-hans">' in str(mail.outbox[0].alternatives[0][0])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("email", "password", "wrong"),
    [
        ("", PASSWORD, {"email": ["Please type an e-mail address."]}),
        ("nobody", PASSWORD, {"email": ["Please type an e-mail address."]}),
        ("a@example.com", "", {"password1": ["Please type a password."]}),
        ("a@example.com", "xq7-9", {"password1": ["That is too short: please take at least 8 characters."]}),
        ("a@example.com", "a@example.com", {"password1": ["The password is too similar to the e-mail."]}),
        ("a@example.com", "password", {"password1": ["This password is too common."]}),
        ("a@example.com", "x" * 1025, {"password1": ["Ensure this value has at most 1024 characters (it has 1025)."]}),
    ],
)  # fmt: skip
def test_what_cannot_be_an_account_says_why(
    client: Client, email: str, password: str, wrong: dict[str, list[str]]
) -> None:
    answer = sign_up(client, email, password)
    assert (answer.status_code, mistakes(answer)) == (200, wrong)
    assert (User.objects.count(), len(mail.outbox)) == (0, 0)


def test_a_known_address_gets_the_same_answer(client: Client) -> None:
    """Whoever asks cannot tell; the owner of the address is told by mail."""
    factories.user("alice@example.com")
    known, unknown = sign_up(client, "Alice@example.com"), sign_up(Client(), "eve@example.com")
    assert went(known) == went(unknown) == (302, CODE)
    assert (User.objects.count(), mails()[0]) == (2, ("alice@example.com", "You have an account already"))
    assert client.get(CODE).status_code == 200
    assert mistakes(client.post(CODE, {"code": "1234-5678"}), "verify_form") == {
        "code": ["That is not the right code. Please look again."]
    }
    mail.outbox.reverse()
    assert mailed_link() == "/accounts/password/reset/"
    assert who(client) is None


def test_both_cost_a_hash(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts import forms

    hashed: list[str] = []
    monkeypatch.setattr(forms, "make_password", hashed.append)
    factories.user("alice@example.com")
    sign_up(client, "alice@example.com")
    assert hashed == [PASSWORD]


def test_of_two_sign_ups_at_once_one_finds_it_taken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form saw nobody; the row is there when it is saved."""
    from allauth.account.internal.flows import manage_email

    factories.user("alice@example.com")
    monkeypatch.setattr(manage_email, "assess_unique_email", lambda email, user=None: True)
    assert went(sign_up(client, "alice@example.com")) == (302, CODE)
    assert User.objects.count() == 1
    assert mails() == [("alice@example.com", "You have an account already")]


def test_three_wrong_codes_and_an_old_one(client: Client) -> None:
    sign_up(client, "ada@example.com")
    code = mailed_code()
    tries = [client.post(CODE, {"code": wrong}) for wrong in ("", "0000-0000", "x")]
    assert [answer.status_code for answer in tries] == [200, 200, 302]
    assert mistakes(tries[0], "verify_form") == {"code": ["Please type the code."]}
    assert went(client.post(CODE, {"code": code})) == (302, LOG_IN)
    assert who(client) is None

    assert mistakes(log_in(client, "ada@example.com", PASSWORD)) == {
        "__all__": [TOO_OFTEN]
    }  # after ten seconds
    with time_machine.travel(timezone.now() + timedelta(seconds=11)) as clock:
        assert went(log_in(client, "ada@example.com", PASSWORD)) == (302, CODE)
        newer = mailed_code()
        clock.shift(15 * 60 + 1)
        assert went(client.post(CODE, {"code": newer})) == (302, LOG_IN)
    assert (who(client), EmailAddress.objects.get().verified) == (None, False)


def test_another_code_takes_the_place_of_the_first(client: Client) -> None:
    sign_up(client, "ada@example.com")
    first = mailed_code()
    assert went(client.post(CODE, {"action": "resend"})) == (429, "")  # not within ten seconds
    assert len(mail.outbox) == 1
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        assert went(client.post(CODE, {"action": "resend"})) == (302, CODE)
        assert (len(mail.outbox), mailed_code() == first) == (2, False)
        assert client.post(CODE, {"code": first}).status_code == 200
        assert went(client.post(CODE, {"code": mailed_code()})) == (302, "/account/")


def test_who_has_not_typed_the_code_is_asked_at_each_log_in(client: Client) -> None:
    sign_up(Client(), "ada@example.com")
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        assert went(log_in(client, "ada@example.com", PASSWORD, next="/credits/")) == (302, CODE)
        assert went(client.post(CODE, {"code": mailed_code()})) == (302, "/credits/")


def test_a_wrong_password_and_an_unknown_address_are_one_answer(client: Client) -> None:
    factories.user("alice@example.com")
    factories.user("off@example.com", is_active=False)
    answers = [
        log_in(client, "alice@example.com", "wrong"),
        log_in(client, "nobody@example.com"),
        log_in(client, "off@example.com"),
    ]
    assert [(answer.status_code, mistakes(answer)) for answer in answers] == [(200, {"__all__": [WRONG]})] * 3
    assert (who(client), len(mail.outbox)) == (None, 0)


def test_five_tries_an_account_and_no_more(client: Client) -> None:
    user = factories.user("alice@example.com")
    for host in ("testserver", "localhost", "127.0.0.1", "testserver", "localhost"):
        guess = {"login": "alice@example.com", "password": "wrong"}
        assert mistakes(client.post(LOG_IN, guess, headers={"Host": host})) == {"__all__": [WRONG]}
    late = log_in(Client(REMOTE_ADDR="192.0.2.9"), "ALICE@example.com")
    assert mistakes(late) == {"__all__": [TOO_OFTEN]}
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert (went(log_in(client, "alice@example.com")), who(client)) == ((302, "/account/"), user.pk)


def test_one_caller_does_not_try_many_accounts(client: Client, settings: Any) -> None:
    """By the address that TRUSTED_PROXIES allows to believe."""
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    def come(caller: str, number: int) -> list[str]:
        body = {"login": f"p{number}@example.com", "password": "wrong"}
        return mistakes(client.post(LOG_IN, body, headers={"X-Forwarded-For": caller}))["__all__"]

    assert [come("192.0.2.1", number) for number in range(11)] == [[WRONG]] * 10 + [[TOO_OFTEN]]
    assert come("192.0.2.2", 99) == [WRONG]


@pytest.mark.parametrize(
    ("back", "leads"),
    [
        ("/orders/P1/?k=abc", "/orders/P1/?k=abc"),
        ("//evil.example.com/", "/account/"),
        ("/\\evil.example.com", "/account/"),
        ("https://evil.example.com/", "/account/"),
        ("http://testserver/credits/", "/account/"),
        ("http://127.0.0.1:8000/credits/", "/account/"),
        ("javascript:alert(1)", "/account/"),
        ("credits/", "/account/"),
        ("/" + "x" * 500, "/account/"),
    ],
)
def test_the_way_back_is_one_of_our_own_paths(client: Client, back: str, leads: str) -> None:
    factories.user("alice@example.com")
    assert went(log_in(client, "alice@example.com", next=back)) == (302, leads)


def test_who_is_logged_in_already_goes_on(client: Client) -> None:
    client.force_login(factories.user())
    for page in (LOG_IN, SIGN_UP):
        assert went(client.get(page, {"next": "/plans/"})) == (302, "/plans/")


def test_the_head_knows_who_is_there(client: Client) -> None:
    guest = client.get("/plans/?currency=CNY").content.decode()
    assert 'href="/accounts/login/?next=%2Fplans%2F%3Fcurrency%3DCNY"' in guest
    assert "Log out" not in guest
    handed_on = client.get(LOG_IN, {"next": "/plans/"}).content.decode()
    assert 'href="/accounts/signup/?next=%2Fplans%2F"' in handed_on
    assert handed_on.count("next=%2Faccounts") == 0
    client.force_login(factories.user("alice@example.com"))
    mine = client.get("/plans/").content.decode()
    assert ("Log in" in mine, 'action="/accounts/logout/"' in mine) == (False, True)


def test_how_somebody_logs_in_is_theirs_to_see(client: Client) -> None:
    assert went(client.get("/accounts/")) == (302, f"{LOG_IN}?next=/accounts/")
    client.force_login(factories.user("alice@example.com"))
    page = client.get("/accounts/")
    assert (page.status_code, "alice@example.com" in page.content.decode()) == (200, True)


def test_a_form_from_elsewhere_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    factories.user("alice@example.com")
    assert log_in(strict, "alice@example.com").status_code == 403
    assert sign_up(strict, "eve@example.com").status_code == 403
    assert (who(strict), User.objects.count()) == (None, 1)


def test_a_mail_server_that_is_away_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account stands, the next try mails the code."""
    from django.core.mail import EmailMultiAlternatives

    def away(self: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(EmailMultiAlternatives, "send", away)
        answer = sign_up(client, "ada@example.com")
    assert answer.status_code == 503
    assert "We could not send the e-mail just now." in answer.content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        assert went(log_in(client, "ada@example.com", PASSWORD)) == (302, CODE)
        assert went(client.post(CODE, {"code": mailed_code()})) == (302, "/account/")


def test_the_api_wants_a_proven_address_too(client: Client) -> None:
    sign_up(client, "ada@example.com")
    body = {"email": "ada@example.com", "password": PASSWORD}
    answer = client.post("/api/auth/token", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "email_not_verified")
    assert User.objects.get().tokens.count() == 0
