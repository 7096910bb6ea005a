#!/usr/bin/env python
"""Django's command line. Makes sure the embedded servers run while a command needs them; adds nothing to its output."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pimpshop import embedded

DATA = Path(__file__).resolve().parent / ".data"
NEEDS_NO_SERVERS = {
    *("help", "version", "check", "diffsettings", "spectacular"),
    *("collectstatic", "findstatic", "makemessages", "compilemessages"),
}


@contextlib.contextmanager
def servers_for(arguments: list[str]) -> Iterator[None]:
    """Hold a lease on the embedded servers, unless the settings name others or the command needs none."""
    if not embedded.wanted():
        yield
        return
    embedded.own_secret_key(DATA)
    command = next((word for word in arguments if not word.startswith("-")), "help")
    if command in NEEDS_NO_SERVERS or {"--help", "-h", "--version"} & set(arguments):
        yield
        return
    try:
        lease = embedded.start(DATA)
    except embedded.EmbeddedServersError as error:
        sys.exit(str(error))
    with lease:
        try:
            yield
        finally:
            _hang_up()


def _hang_up() -> None:
    """Close our connections before the servers may go, so that their end is no error of ours."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        if close_pool := getattr(connection, "close_pool", None):  # PostgreSQL's; the base class has none
            close_pool()


def main() -> None:
    """Run one command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pimpshop.settings")
    from django.core.management import execute_from_command_line

    with servers_for(sys.argv[1:]):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
