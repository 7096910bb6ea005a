"""The second factor: set up, asked for, good once, demanded at the desk; and no way around it by the API."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import User
from accounts.services import second_factor, seeding, tokens
from pimpshop.core.cache import FailFastRedisCache
from pimpshop.core.models import AuditEntry
from tests import factories
from tests.support.people import AGAIN, LOG_IN, log_in, mails, mistakes, went, who

pytestmark = pytest.mark.django_db(transaction=True)  # mails go after the commit
CODE, FACTOR = "/accounts/2fa/authenticate/", "/accounts/2fa/"
SET_UP, TURN_OFF, SPARE = (
    f"{FACTOR}{page}/" for page in ("totp/activate", "totp/deactivate", "recovery-codes")
)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(secret: str = SECRET, steps: int = 0) -> str:
    """What the app shows now, or that many steps later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def with_app(user: User, secret: str = SECRET) -> User:
    from allauth.mfa.totp.internal.auth import TOTP

    from pimpshop.core import crypto

    TOTP(Authenticator.objects.create(user=user, type="totp", data={"secret": crypto.seal(secret)}))
    return user


def set_up(client: Client) -> str:
    """Through the pages; answers the secret."""
    assert went(client.get(SET_UP)) == (302, f"{AGAIN}?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F")
    assert went(client.post(AGAIN, {"password": factories.PASSWORD, "next": SET_UP})) == (302, SET_UP)
    secret = str(client.get(SET_UP).context["form"].secret)
    wrong = client.post(SET_UP, {"code": "000000"})
    assert mistakes(wrong) == {"code": ["That is not the right code. Please look again."]}
    assert wrong.context["form"].secret == secret
    assert went(client.post(SET_UP, {"code": code(secret)})) == (302, SPARE)
    return secret


def test_from_setting_it_up_to_turning_it_off(client: Client) -> None:
    user = factories.user("alice@example.com")
    log_in(client, "alice@example.com")
    assert client.get(FACTOR).status_code == 200
    secret = set_up(client)
    shown = client.get(SPARE)
    spare = shown.context["unused_codes"]
    assert "no-store" in shown["Cache-Control"]
    assert (len(spare), client.get(FACTOR).status_code) == (10, 200)
    stored = str(list(Authenticator.objects.values("data")))
    assert (secret in stored, spare[0] in stored, second_factor.is_set(user)) == (False, False, True)
    assert client.get(f"{SPARE}download/").content.decode().split() == spare

    other = Client()
    assert (went(log_in(other, "alice@example.com", next="/plans/")), who(other)) == ((302, CODE), None)
    page = other.get(CODE)
    assert page.status_code == 200
    assert went(other.post(CODE, {"code": code(secret, 1)})) == (302, "/plans/")
    assert who(other) == user.pk

    assert client.get(TURN_OFF).status_code == 200
    assert went(client.post(TURN_OFF)) == (302, FACTOR)
    assert Authenticator.objects.count() == 0
    assert [subject for _, subject in mails()] == [
        "A second factor was set up",
        "The second factor was turned off",
    ]
    assert went(log_in(Client(), "alice@example.com")) == (302, "/account/")


def test_a_code_is_good_once_in_all_the_time_that_it_is_good(client: Client) -> None:
    with_app(factories.user("alice@example.com"))
    with time_machine.travel(timezone.now().replace(second=1), tick=False) as clock:
        good = code(steps=1)
        log_in(client, "alice@example.com")
        assert went(client.post(CODE, {"code": good})) == (302, "/account/")
        other = Client()
        log_in(other, "alice@example.com")
        assert mistakes(other.post(CODE, {"code": good})) == {
            "code": ["That is not the right code. Please look again."]
        }
        # allauth forgets a code after its own thirty seconds; it is good for ninety.
        cache.delete(f"allauth.mfa.totp.used?user={User.objects.get().pk}&code={good}")
        clock.shift(45)
        assert list(mistakes(other.post(CODE, {"code": good}))) == ["code"]
    assert who(other) is None


def test_a_recovery_code_is_good_once(client: Client) -> None:
    user = factories.user("alice@example.com")
    log_in(client, "alice@example.com")
    set_up(client)
    spare = client.get(SPARE).context["unused_codes"][3]
    other = Client()
    log_in(other, "alice@example.com")
    assert went(other.post(CODE, {"code": spare})) == (302, "/account/")
    again = Client()
    log_in(again, "alice@example.com")
    assert list(mistakes(again.post(CODE, {"code": spare}))) == ["code"]
    assert (who(other), who(again)) == (user.pk, None)
    assert len(client.get(SPARE).context["unused_codes"]) == 9
    generate = f"{SPARE}generate/"
    assert client.get(generate).status_code == 200
    assert went(client.post(generate)) == (302, SPARE)
    assert spare not in client.get(SPARE).context["unused_codes"]
    assert mails()[-1][1] == "There are new recovery codes"


def test_five_guesses_and_no_more(client: Client) -> None:
    with_app(factories.user("alice@example.com"))
    log_in(client, "alice@example.com")
    for _ in range(5):
        assert list(mistakes(client.post(CODE, {"code": "000000"}))) == ["code"]
    late = client.post(CODE, {"code": code()})
    assert mistakes(late) == {"code": ["That was too often. Please wait five minutes and try again."]}
    assert who(client) is None


def test_the_page_of_the_code_is_for_who_had_the_password(client: Client) -> None:
    assert went(client.get(CODE)) == (302, LOG_IN)
    assert went(client.post(CODE, {"code": "000000"})) == (302, LOG_IN)


def test_a_new_password_by_mail_does_not_go_around_it(client: Client) -> None:
    from tests.support.people import mailed_link

    with_app(factories.user("alice@example.com"))
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    form = client.get(client.get(mailed_link())["Location"])
    answer = client.post(form.context["action_url"], {"password1": "another case for every phone"})
    assert (went(answer), who(client)) == ((302, CODE), None)
    assert went(client.post(CODE, {"code": code()})) == (302, "/account/")


def ask_for_token(client: Client, email: str, **more: str) -> tuple[int, str]:
    body = {"email": email, "password": factories.PASSWORD, **more}
    answer = client.post("/api/auth/token", body, content_type="application/json")
    return answer.status_code, answer.json().get("code", "")


def test_the_api_asks_for_it_too(client: Client, settings: Any) -> None:
    user = with_app(factories.user("alice@example.com"))
    assert ask_for_token(client, "alice@example.com") == (400, "second_factor_needed")
    assert ask_for_token(client, "alice@example.com", code=" ") == (400, "second_factor_needed")
    assert ask_for_token(client, "alice@example.com", code="000000") == (400, "second_factor_wrong")
    assert user.tokens.count() == 0
    good = code()
    assert ask_for_token(client, "alice@example.com", code=f"{good[:3]} {good[3:]}") == (200, "")
    assert ask_for_token(client, "alice@example.com", code=good) == (400, "second_factor_wrong")
    assert user.tokens.count() == 1
    with pytest.raises(tokens.WrongCredentials):  # whoever has no password learns nothing of it
        tokens.log_in(email="alice@example.com", password="wrong")


def test_staff_without_one_get_no_token_where_the_desk_demands_it(client: Client, settings: Any) -> None:
    factories.staff(email="boss@example.com")
    assert ask_for_token(client, "boss@example.com") == (200, "")
    settings.SANDBOX = False
    assert ask_for_token(client, "boss@example.com") == (400, "second_factor_missing")


def test_without_the_cache_no_code_is_good(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    user = with_app(factories.user("alice@example.com"))

    def away(*args: Any, **more: Any) -> None:
        raise RedisAway

    monkeypatch.setattr(FailFastRedisCache, "add", away)
    assert ask_for_token(client, "alice@example.com", code=code())[0] == 503
    assert user.tokens.count() == 0
    answer = log_in(client, "alice@example.com")
    assert (answer.status_code, answer["Retry-After"], who(client)) == (503, "10", None)
    assert "This is not available right now." in answer.content.decode()


def test_the_desk_demands_it_and_leads_to_it(client: Client, settings: Any) -> None:
    settings.SANDBOX = False
    factories.staff(email="boss@example.com")
    assert went(log_in(client, "boss@example.com", next="/admin/")) == (302, "/admin/")
    assert went(client.get("/admin/")) == (302, "/admin/login/?next=/admin/")
    assert went(client.get("/admin/login/?next=/admin/")) == (302, f"{SET_UP}?next=%2Fadmin%2F")
    assert went(client.post("/admin/core/staffitem/"))[1].startswith("/admin/login/")
    set_up(client)
    assert client.get("/admin/").status_code == 200


def test_a_session_from_before_does_not_profit(client: Client, settings: Any) -> None:
    """Somebody with the password alone was logged in already when the owner set it up."""
    settings.SANDBOX = False
    user = factories.staff(email="boss@example.com")
    log_in(client, "boss@example.com")
    with_app(user)
    assert client.get("/admin/").status_code == 302
    again = f"{FACTOR}reauthenticate/"
    assert went(client.get("/admin/login/?next=/admin/")) == (302, f"{again}?next=%2Fadmin%2F")
    assert client.get(again).status_code == 200
    assert list(mistakes(client.post(again, {"code": "000000", "next": "/admin/"}))) == ["code"]
    assert client.get("/admin/").status_code == 302
    assert went(client.post(again, {"code": code(), "next": "/admin/"})) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_the_pages_cookie_opens_no_more_of_the_api_than_of_the_desk(client: Client, settings: Any) -> None:
    url = f"/api/chinese/debug/session-validation/{factories.session().session_id}"
    user = factories.staff(email="boss@example.com")
    log_in(client, "boss@example.com")
    assert client.get(url).status_code == 200
    settings.SANDBOX = False
    assert client.get(url).status_code == 401
    with_app(user)
    other = Client()
    log_in(other, "boss@example.com")
    other.post(CODE, {"code": code()})
    assert (client.get(url).status_code, other.get(url).status_code) == (401, 200)


def test_the_demo_accounts_have_one_that_the_sandbox_does_not_ask_for(client: Client, settings: Any) -> None:
    found = {log_in.person.name: log_in for log_in in seeding.seed(fixed_passwords=True)}
    assert [(name, bool(found[name].secret)) for name in found] == [
        ("admin", True), ("support", True), ("finance", True), ("operator", True), ("developer", True),
        ("alice", False), ("bob", False),
    ]  # fmt: skip
    assert re.fullmatch(r"[A-Z2-7]{32}", found["admin"].secret)
    email, password = "admin@example.com", str(found["admin"].password)
    assert went(log_in(client, email, password, next="/admin/")) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200
    settings.SANDBOX = False
    other = Client()
    assert went(log_in(other, email, password, next="/admin/")) == (302, CODE)
    assert went(other.post(CODE, {"code": code(found["admin"].secret)})) == (302, "/admin/")
    assert other.get("/admin/").status_code == 200
    again = {one.person.name: one.secret for one in seeding.seed(fixed_passwords=True)}
    assert again == {name: one.secret for name, one in found.items()}


def test_random_secrets_are_printed_once_and_never_changed() -> None:
    first = {one.person.name: one for one in seeding.seed(fixed_passwords=False)}
    rows = list(Authenticator.objects.order_by("pk").values("data"))
    again = {one.person.name: one.secret for one in seeding.seed(fixed_passwords=False)}
    assert {len(first[name].secret) for name in ("admin", "support", "finance", "operator", "developer")} == {
        32
    }
    assert len({one.secret for one in first.values()}) == 6  # five and ""
    assert set(again.values()) == {""}
    assert list(Authenticator.objects.order_by("pk").values("data")) == rows


def test_staff_take_a_lost_one_away_with_a_reason() -> None:
    desk = Client()
    desk.force_login(factories.staff(email="boss@example.com"))
    user = with_app(factories.user("alice@example.com"))
    page = f"/admin/accounts/user/{user.pk}/act/remove-second-factor/"
    assert (desk.post(page).status_code, second_factor.is_set(user)) == (200, True)
    assert (desk.post(page, {"reason": "lost the phone"}).status_code, second_factor.is_set(user)) == (
        302,
        False,
    )
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.reason) == (
        "boss@example.com", f"user {user.pk}", "lost the phone",
    )  # fmt: skip


def test_a_password_set_at_the_desk_ends_the_tokens() -> None:
    desk, user = Client(), factories.user("alice@example.com")
    desk.force_login(factories.staff())
    token = tokens.issue(user)[0]
    new = {
        "password1": "another case for all",
        "password2": "another case for all",
        "usable_password": "true",
    }
    answer = desk.post(f"/admin/accounts/user/{user.pk}/password/", new)
    assert (answer.status_code, tokens.find(token)) == (302, None)


def test_a_key_that_cannot_be_read_opens_nothing(client: Client) -> None:
    """An empty secret would have codes that anybody can work out."""
    Authenticator.objects.create(
        user=factories.user("alice@example.com"), type="totp", data={"secret": "touched"}
    )
    log_in(client, "alice@example.com")
    answer = client.post(CODE, {"code": code("")})
    assert (answer.status_code, who(client)) == (503, None)
    assert ask_for_token(Client(), "alice@example.com", code=code(""))[0] == 503


def test_later_codes_are_not_good_yet(client: Client) -> None:
    with_app(factories.user("alice@example.com"))
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        log_in(client, "alice@example.com")
        for steps in (-2, 2):
            assert list(mistakes(client.post(CODE, {"code": code(steps=steps)}))) == ["code"]
        assert went(client.post(CODE, {"code": code(steps=-1)})) == (302, "/account/")
    assert mail.outbox == []
