"""`manage.py create_user_token EMAIL`: print a Bearer token of that user once, alone on the last line."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User, normalise_email
from accounts.services import tokens


class Command(BaseCommand):
    help = "Make a Bearer token (90 days) for a user. It is shown once: only its hash is stored."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normalise_email(options["email"]), is_active=True).first()
        if user is None:
            raise CommandError(f"nobody who may log in has the address {options['email']}")
        token, row = tokens.issue(user, label="manage.py")
        self.stdout.write(f"A token of {user}, until {row.expires_at:%Y-%m-%d}. It is shown this once:")
        self.stdout.write(token)
