"""`manage.py check_invariants`: print each violation with its row; exit 1 when there is one."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from pimpshop.core import invariants


class Command(BaseCommand):
    help = "Verify what must always hold on this database."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(invariants.violations())
        for violation in found:
            self.stdout.write(str(violation))
        if found:
            self.stderr.write(f"{len(found)} violation(s).")
            sys.exit(1)
        self.stdout.write(f"{len(invariants.names())} invariants hold.")
