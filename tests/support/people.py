"""Somebody who signs up, logs in and reads their mail: the steps that the tests of logging in share."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.core import mail
from django.test import Client

from tests import factories

LOG_IN, LOG_OUT, SIGN_UP, CODE = (
    f"/accounts/{page}/" for page in ("login", "logout", "signup", "confirm-email")
)
RESET, CHANGE, ADDRESS, AGAIN = (
    f"/accounts/{page}/" for page in ("password/reset", "password/change", "email", "reauthenticate")
)
PASSWORD = "a case for every phone"


def sign_up(client: Client, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(SIGN_UP, {"email": email, "password1": password, **more})


def log_in(client: Client, email: str | None, password: str = factories.PASSWORD, **more: Any) -> Any:
    return client.post(LOG_IN, {"login": email, "password": password, **more})


def mailed_code() -> str:
    """The code in the newest mail."""
    found = re.search(r"^\d{4}-\d{4}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[0]


def mailed_link() -> str:
    """The path of the link that stands alone in its line of the newest mail."""
    found = re.search(r"^http://127\.0\.0\.1:8000(/\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return urlsplit(found[1]).path


def mails() -> list[tuple[str, str]]:
    """(to, subject) of every mail, oldest first."""
    return [(message.to[0], message.subject) for message in mail.outbox]


def who(client: Client) -> int | None:
    """The id of whoever is logged in."""
    found = client.session.get("_auth_user_id")
    return int(found) if found else None


def went(answer: Any) -> tuple[int, str]:
    """(status, where it leads)."""
    return answer.status_code, answer.get("Location", "")


def mistakes(answer: Any, form: str = "form") -> dict[str, list[str]]:
    """What a form says is wrong, by field."""
    found: dict[str, list[str]] = answer.context[form].errors
    return dict(found)
