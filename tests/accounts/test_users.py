"""People: e-mail is NULL or unique, whatever its spelling."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, transaction

from accounts.models import User, normalise_email
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "kept"),
    [(" Alice@Example.COM ", "alice@example.com"), ("", None), ("   ", None), (None, None), ("a@b", "a@b")],
)
def test_how_an_address_is_kept(given: str | None, kept: str | None) -> None:
    assert normalise_email(given) == kept
    assert User.objects.create_user(given).email == kept


def test_an_address_belongs_to_one_person_whatever_its_case() -> None:
    factories.user("alice@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.user("ALICE@example.com")
    with pytest.raises(IntegrityError, match="user_email_lower_case"), transaction.atomic():
        User.objects.create(email="Alice@Example.com")  # past the manager
    assert User.objects.count() == 1


def test_many_may_have_none() -> None:
    first, second = factories.user(None), factories.user(None)
    assert (first.email, second.email) == (None, None)
    assert str(first) == f"user {first.pk}"


def test_a_person_has_two_ids() -> None:
    user = factories.user()
    assert isinstance(user.pk, int)
    assert isinstance(user.public_id, uuid.UUID)
    assert user.public_id != factories.user().public_id
    assert str(user) == user.email


def test_passwords_are_argon2(settings: Any) -> None:
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]  # without the quick one of the tests
    assert factories.user().password.startswith("argon2$argon2id$")


def test_log_in_by_address_and_password() -> None:
    user = factories.user("alice@example.com")
    assert authenticate(username="ALICE@example.com ", password=factories.PASSWORD) == user
    assert authenticate(username="alice@example.com", password="wrong") is None
    assert authenticate(username="bob@example.com", password=factories.PASSWORD) is None
    user.is_active = False
    user.save()
    assert authenticate(username="alice@example.com", password=factories.PASSWORD) is None


@pytest.mark.parametrize("address", ["", "  ", None])
def test_nobody_logs_in_as_somebody_without_an_address(address: str | None) -> None:
    factories.user(None)
    factories.user(None)
    assert authenticate(username=address, password=factories.PASSWORD) is None
    assert authenticate(username=address, password="") is None
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(address)


def test_without_a_password_nobody_gets_in() -> None:
    user = User.objects.create_user("alice@example.com")
    assert user.has_usable_password() is False
    assert authenticate(username="alice@example.com", password="") is None


def test_a_superuser_is_staff_and_has_an_address() -> None:
    root = User.objects.create_superuser("root@example.com", "x")
    assert (root.is_staff, root.is_superuser, root.is_active) == (True, True, True)
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_superuser("", "x")
    assert User.objects.count() == 1
