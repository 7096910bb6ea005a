"""Demo people: members of staff of every role with their groups and second factors, and two shoppers.

Guarantees: idempotent; a person who stands keeps the password. Fixed passwords are only for SANDBOX and DEBUG (the
caller says so); otherwise each is random and can be read once, from the answer of the run that made the account.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import User
from accounts.services import roles, second_factor

_FIXED_PASSWORD = "demo-{name}-2025"  # noqa: S105  (known to everybody: only where nothing is real)


@dataclass(frozen=True, slots=True)
class Person:
    """A demo account. `name` is also the part before @example.com."""

    name: str
    role: str
    is_staff: bool = False
    is_superuser: bool = False
    group: str = ""

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


PEOPLE = (
    Person("admin", "administrator", is_staff=True, is_superuser=True),
    Person("support", "support", is_staff=True, group="support"),
    Person("finance", "finance", is_staff=True, group="finance"),
    Person("operator", "operator", is_staff=True, group="operator"),
    Person("developer", "developer", is_staff=True, group="developer"),
    Person("alice", "shopper"),
    Person("bob", "shopper"),
)


@dataclass(frozen=True, slots=True)
class LogIn:
    """How to log in as somebody; `password` is None when it was given out before and is not known here. `secret` is what
    an authenticator app takes, "" for who has no second factor or got the secret before."""

    person: Person
    password: str | None = field(repr=False)
    secret: str = field(default="", repr=False)


def seed(*, fixed_passwords: bool) -> list[LogIn]:
    """Make the groups and the people that are missing; answers how to log in as each."""
    with transaction.atomic():
        roles.keep()
        groups = {group.name: group for group in Group.objects.filter(name__in=roles.MAY)}
        return [_person(person, groups.get(person.group), fixed_passwords) for person in PEOPLE]


def _person(person: Person, group: Group | None, fixed: bool) -> LogIn:
    password = _FIXED_PASSWORD.format(name=person.name) if fixed else secrets.token_urlsafe(12)
    user = User.objects.filter(email=person.email).first()
    new = user is None
    if user is None:
        user = User.objects.create_user(
            person.email,
            password,
            name=person.name.capitalize(),
            is_staff=person.is_staff,
            is_superuser=person.is_superuser,
        )
        if group is not None:
            user.groups.add(group)
    if person.is_staff and (new or fixed):
        # Never from a password that is a secret: who has the one must not have the other.
        second_factor.give_demo(
            user, base64.b32encode(_digest(password) if fixed else secrets.token_bytes(20))
        )
    known = new or (fixed and user.check_password(password))
    secret = second_factor.secret_of(user) if new or fixed else ""
    return LogIn(person, password if known else None, secret)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:20]
