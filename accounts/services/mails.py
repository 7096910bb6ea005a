"""Mails of logging in: in the person's language, as text and as plain html made from it, sent after the commit.

Codes and links live for minutes and are secrets, so no row keeps such a mail (messages that must arrive however long
the mail server is away are core.Notification). Guarantees: never sent inside a transaction; a mail that could not be
sent is said to whoever waits for it (MailNotSent), and only logged where the news was not waited for.
"""

from __future__ import annotations

import smtplib
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors

log = structlog.get_logger(__name__)


class MailNotSent(errors.ShopError):
    code = "mail_not_sent"
    status = 503
    message = _("We could not send the e-mail just now. Nothing is lost: please try again in a minute.")


def send(template: str, to: str, context: dict[str, Any], *, language: str, waited_for: bool) -> None:
    """Mail `<template>_subject.txt` and `<template>_message.txt` to `to`. Addresses of ours in `context` (`…_url`)
    begin with PUBLIC_BASE_URL, whatever host was asked. Raises MailNotSent, outside of a transaction."""
    ours = {name: absolute(value) for name, value in context.items() if name.endswith("_url")}
    with translation.override(language):
        said = {**context, **ours, "email": to, "shop_url": settings.PUBLIC_BASE_URL}
        subject = " ".join(render_to_string(f"{template}_subject.txt", said).split())
        text = render_to_string(f"{template}_message.txt", said).strip()
        parts = [part.strip() for part in text.split("\n\n") if part.strip()]
        html = render_to_string("account/email/frame.html", {**said, "subject": subject, "parts": parts})
    mail = EmailMultiAlternatives(subject, text + "\n", to=[to], headers={"Auto-Submitted": "auto-generated"})
    mail.attach_alternative(html, "text/html")
    transaction.on_commit(partial(_send, mail, template, waited_for))


def absolute(url: str) -> str:
    """That page of ours as everybody reaches it."""
    parts = urlsplit(url)
    return f"{settings.PUBLIC_BASE_URL}{parts.path}{f'?{parts.query}' if parts.query else ''}"


def _send(mail: EmailMultiAlternatives, template: str, waited_for: bool) -> None:
    try:
        mail.send()
    except (smtplib.SMTPException, OSError) as error:
        log.warning("mail_not_sent", template=template, error=type(error).__name__)
        if waited_for:
            raise MailNotSent from error
