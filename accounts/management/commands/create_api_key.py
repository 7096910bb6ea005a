"""`manage.py create_api_key --kind secret --name N`: print a new key once, alone on the last line."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiKey, User, normalise_email
from accounts.services import api_keys


class Command(BaseCommand):
    help = "Make an API key. It is shown once: only its hash is stored."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--kind", required=True, choices=ApiKey.Kind.values)
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--user", metavar="EMAIL", help="the owner, who alone is acted for; without: the shop"
        )
        parser.add_argument(
            "--scopes",
            nargs="+",
            default=[],
            metavar="SCOPE",
            help="for a restricted key, with blanks or commas between: " + " ".join(api_keys.SCOPES),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = None
        if options["user"]:
            owner = User.objects.filter(email=normalise_email(options["user"])).first()
            if owner is None:
                raise CommandError(f"nobody has the address {options['user']}")
        scopes = [scope for given in options["scopes"] for scope in given.split(",")]
        try:
            key, row = api_keys.create(kind=options["kind"], name=options["name"], user=owner, scopes=scopes)
        except api_keys.BadKey as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{row.kind} key “{row.name}” ({row.pk}). It is shown this once:")
        self.stdout.write(key)
