"""`manage.py seed_demo`: the demo data of every app, and the log-ins, printed. Idempotent; each app knows its own.
`--trouble` adds trouble of every kind, for the desk. Only under SANDBOX."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import seeding as people
from catalog.services import seeding as catalogue
from payments.services import trouble, trouble_cases, trouble_designs  # noqa: F401  (they register their makers)
from vending.services import seeding as machines


class Command(BaseCommand):
    help = "Put the demo data there: catalogue, machines, people. Safe to run again; nothing that stands is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--trouble",
            action="store_true",
            help="also trouble of every kind, once, for trying out the staff's desk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["trouble"] and not settings.SANDBOX:
            raise CommandError("Trouble is only made where no money moves (SANDBOX=1). Nothing was done.")
        catalogue.seed()
        found = machines.seed()
        self.stdout.write(f"Machines: {', '.join(machine.machine_id for machine in found)}")
        for log_in in people.seed(fixed_passwords=settings.SANDBOX or settings.DEBUG):
            secret = log_in.password or "(password given out before)"
            factor = f", second factor {log_in.secret}" if log_in.secret else ""
            self.stdout.write(f"{log_in.person.email:<22} {secret:<28} {log_in.person.role}{factor}")
        if options["trouble"]:
            made = trouble.seed()
            self.stdout.write(f"Trouble: {', '.join(made) if made else 'it was made before'}")
