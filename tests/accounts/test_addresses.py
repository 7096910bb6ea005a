"""Whose address counts as proven: who was made by staff, who was there before, and whom nobody has ever confirmed."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services import addresses, tokens
from pimpshop.core import sweeper
from tests import factories
from tests.support.people import CODE, sign_up, went

pytestmark = pytest.mark.django_db
ROUND = "sign-ups that nobody confirmed"


def proofs() -> list[tuple[str, bool, bool]]:
    return list(EmailAddress.objects.order_by("email").values_list("email", "verified", "primary"))


def test_who_makes_an_account_vouches_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", factories.PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", "Root@example.com", stdout=StringIO())
    User.objects.create_user("ada@example.com")
    User.objects.create_user(None)
    assert proofs() == [("ada@example.com", True, True), ("root@example.com", True, True)]


def test_the_desk_keeps_the_address_beside_the_person() -> None:
    desk = Client()
    desk.force_login(factories.staff(email="boss@example.com"))
    new = {"email": "Ada@example.com", "usable_password": "true", "password1": factories.PASSWORD,
           "password2": factories.PASSWORD}  # fmt: skip
    assert desk.post("/admin/accounts/user/add/", new).status_code == 302
    user = User.objects.get(email="ada@example.com")
    changes = {"email": "ada@work.example.com", "name": "Ada", "language": "en", "is_active": "on"}
    assert desk.post(f"/admin/accounts/user/{user.pk}/change/", changes).status_code == 302
    assert proofs() == [("ada@work.example.com", True, True), ("boss@example.com", True, True)]
    assert desk.post(f"/admin/accounts/user/{user.pk}/change/", {**changes, "email": ""}).status_code == 302
    assert proofs() == [("boss@example.com", True, True)]


def test_who_was_there_before_is_proven() -> None:
    User.objects.bulk_create([User(email="old@example.com"), User(email=None), User(email="b@example.com")])
    EmailAddress.objects.create(user=User.objects.get(email="b@example.com"), email="b@example.com")
    migration: Any = import_module("accounts.migrations.0004_proven_addresses")
    with connection.cursor() as cursor:
        cursor.execute(migration.FORWARDS)
        cursor.execute(migration.FORWARDS)
    assert proofs() == [("b@example.com", False, False), ("old@example.com", True, True)]


def test_an_unconfirmed_sign_up_is_forgotten_after_a_week(client: Client) -> None:
    sign_up(client, "ada@example.com")
    factories.user("bob@example.com")
    factories.user(None)
    with time_machine.travel(timezone.now() + addresses.UNPROVEN_FOR - timedelta(minutes=1)):
        assert sweeper._rounds[ROUND].run() == 0
    with time_machine.travel(timezone.now() + addresses.UNPROVEN_FOR + timedelta(minutes=1)):
        assert sweeper._rounds[ROUND].run() == 1
        assert went(sign_up(Client(), "ada@example.com")) == (302, CODE)
    assert sorted(str(user.email) for user in User.objects.all()) == [
        "None",
        "ada@example.com",
        "bob@example.com",
    ]


def test_who_has_ever_been_in_is_never_forgotten(client: Client) -> None:
    """Also not somebody whose proof was taken away since, nor one who is confirmed at this moment."""
    sign_up(client, "ada@example.com")
    user = User.objects.get()
    long_ago = timezone.now() - timedelta(days=30)
    User.objects.update(date_joined=long_ago, last_login=long_ago)
    assert addresses.forget_unproven() == 0
    User.objects.update(last_login=None)
    addresses.keep_as_proven(user)
    assert (addresses.forget_unproven(), addresses._forget(user.pk)) == (0, 0)
    assert tokens.issue(user)[1].user == user
