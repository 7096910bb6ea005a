"""`manage.py sweep [--once]`: do whatever rows say is due now, without Celery; without `--once` stay and listen."""

from __future__ import annotations

import signal
import time
from typing import Any

import psycopg
import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections, connection

from pimpshop.core import bell, checks, sweeper

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0


class Command(BaseCommand):
    help = "Do whatever rows say is due. Without --once: stay, LISTEN, and look every second."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="run until nothing is due, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            moved = sweeper.walk_until_quiet()
            for name, count in sorted(moved.items()):
                if count > 0:
                    self.stdout.write(f"{name}: {count}")
            failed = sorted(name for name, count in moved.items() if count < 0)
            if failed:
                raise CommandError(f"failed: {', '.join(failed)} (the log says why)")
            return
        checks.refuse_unsafe_start()
        self._stop = False
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        self._listen_and_sweep()

    def _end(self, *args: Any) -> None:
        self._stop = True

    def _listen_and_sweep(self) -> None:
        ears: psycopg.Connection[Any] | None = None
        rang = True
        while not self._stop:
            # The bell rang: rounds of a few seconds are walked at once, slow ones keep their own time.
            sweeper.walk(ahead=5.0 if rang else 0.0)
            close_old_connections()
            try:
                if ears is None or ears.closed:
                    ears = _connect()
                rang = any(True for _ in ears.notifies(timeout=POLL_SECONDS, stop_after=1))
            except psycopg.Error as error:
                log.warning("sweeper_deaf", error=type(error).__name__)
                ears, rang = None, False
                time.sleep(POLL_SECONDS)


def _connect() -> psycopg.Connection[Any]:
    """A connection of our own for LISTEN, outside the pool."""
    params = connection.get_connection_params()
    params.pop("cursor_factory", None)
    params.pop("pool", None)
    params.pop("context", None)
    params.pop("prepare_threshold", None)
    ears = psycopg.connect(**params, autocommit=True)
    ears.execute(f"LISTEN {bell.CHANNEL}")
    return ears
