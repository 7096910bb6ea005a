"""django-hordak's crew in the peers' interpreter: transfers between people's accounts (DATABASE_URL). `prepare` makes
its tables and accounts."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable

import dj_database_url
import django
from django.conf import settings

from bench import crew

PEOPLE = 200
settings.configure(
    SECRET_KEY="for-benchmarks-only",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "mptt",
        "djmoney",
        "hordak",
    ],
    DATABASES={"default": dj_database_url.parse(os.environ["DATABASE_URL"])},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    CURRENCIES=["GBP"],
    DEFAULT_CURRENCY="GBP",
)


def prepare() -> None:
    from django.core.management import call_command
    from hordak.models import Account, AccountType

    call_command("migrate", verbosity=0)
    for number in range(PEOPLE):
        Account.objects.create(
            name=f"person {number}", code=f"{number:03d}", type=AccountType.asset, currencies=["GBP"]
        )


def transfers() -> Callable[[], object]:
    from hordak.models import Account
    from moneyed import Money

    accounts = list(Account.objects.all())

    def do() -> object:
        one, other = random.sample(accounts, 2)
        return one.transfer_to(other, Money(100, "GBP"))

    return do


if __name__ == "__main__":
    django.setup()
    if "prepare" in sys.argv:
        prepare()
    else:
        crew.answer(transfers)
