"""The way out by mail: one message, and what an error of the mail server means. No call inside a transaction.

A message keeps its Message-ID however often it is tried: where an answer was lost, mail servers and programs that know
it show it once. `SandboxBackend` is Django's way out under SANDBOX: it posts the mail to the simulators' mailbox.
"""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from pimpshop.core import http
from pimpshop.core.http import wire
from pimpshop.core.notifications.letters import Written


@dataclass
class NotSent(Exception):
    """`permanent`: trying again cannot help. `unreachable`: nobody answered, so nothing else goes out now either.
    `wanted` False: its receiver does not want it, which is nobody's fault."""

    why: str
    permanent: bool = False
    unreachable: bool = False
    wanted: bool = True

    def __str__(self) -> str:
        return self.why


def message_id(number: int, again: int) -> str:
    """The Message-ID of a notification, the same on every try; sent again by staff it is another message."""
    host = urlsplit(settings.PUBLIC_BASE_URL).hostname or "localhost"
    return f"<notification-{number}-{again}@{host}>"


def send(written: Written, *, to: str, message_id: str) -> None:
    """Hand one mail to the mail server. Raises NotSent."""
    wire.assert_no_transaction()
    message = EmailMultiAlternatives(
        written.subject, written.text, to=[to],
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    message.attach_alternative(written.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        raise NotSent(f"refused: {codes}", permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPDataError as error:
        raise NotSent(f"refused: {error.smtp_code}", permanent=error.smtp_code >= 500) from error
    except (
        smtplib.SMTPResponseException
    ) as error:  # the log-in, the sender: ours to mend, so it is tried again
        raise NotSent(f"{type(error).__name__} {error.smtp_code}", unreachable=True) from error
    except (OSError, http.HttpError) as error:  # smtplib's other errors are OSErrors
        raise NotSent(type(error).__name__, unreachable=True) from error
    except ValueError as error:  # a line break in a header, an address that is none
        raise NotSent(f"not a mail: {type(error).__name__}", permanent=True) from error


class SandboxBackend(BaseEmailBackend):
    """Posts each mail, as it would travel, to the mailbox of the simulators (SANDBOX_URL/mailbox/). Fails as Django's own
    ways out do: with an OSError."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            try:
                answer = wire.exchange(
                    wire.shared_session(), "POST", f"{settings.SANDBOX_URL}/mailbox/api/messages",
                    timeout=wire.TIMEOUT, deadline=wire.DEADLINE, max_bytes=wire.MAX_BYTES,
                    data=message.message().as_bytes(), headers={"Content-Type": "message/rfc822"},
                )  # fmt: skip
            except http.HttpError as error:
                raise ConnectionError("the sandbox's mailbox does not answer") from error
            if answer.status != 200:
                raise ConnectionError(f"the sandbox's mailbox answered {answer.status}")
        return len(email_messages)
