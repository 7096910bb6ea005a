"""`manage.py render_states [--check]`: write docs/states.md from the tables; with --check only say whether it is current.

The tables are found through the models that have them (`core.states.StateModel`), so a new one needs no edit here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pimpshop.core.states import StateModel, StateTable

PAGE = Path(settings.BASE_DIR) / "docs" / "states.md"
HEAD = """# States

Generated from the tables in `<app>/states.py` by `manage.py render_states`; do not edit by hand (a test compares).

`core.states.advance()` is the only writer of a state: one UPDATE that may say no, and the event row in the same
statement. Who loses the race gets False and returns quietly. A state without a way out is final.
"""


def tables() -> Iterator[tuple[str, StateTable]]:
    """("app.Model.column", table) of every state column, in the order of the apps."""
    for model in apps.get_models():
        if issubclass(model, StateModel):
            columns = {"status": model.STATES, **model.MORE_STATES}
            for column, table in columns.items():
                yield f"{model._meta.label}.{column}", table


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join([HEAD, *(_section(where, table) for where, table in tables())])


def _section(where: str, table: StateTable) -> str:
    name = table.name[0].upper() + table.name[1:]
    rows = [
        f"| `{status}` | {table.meanings.get(status, '')} | {_targets(table, status)} |"
        for status in table.statuses
    ]
    ends = [status for status in table.statuses if status in table.final]
    arrows = [f"    [*] --> {table.initial}"]
    arrows += [f"    {a} --> {b}" for a in table.statuses for b in table.statuses if table.allows(a, b)]
    arrows += [f"    {status} --> [*]" for status in ends]
    lines = [f"## {name}", "", f"`{where}`, starts as `{table.initial}`.", ""]
    lines += ["| state | what it means | may become |", "|---|---|---|", *rows, ""]
    lines += ["```mermaid", "stateDiagram-v2", *arrows, "```", ""]
    return "\n".join(lines)


def _targets(table: StateTable, status: str) -> str:
    """In the table's own order, so that the page does not change from run to run."""
    return ", ".join(f"`{to}`" for to in table.statuses if table.allows(status, to)) or "– (final)"


class Command(BaseCommand):
    help = "Write docs/states.md from the state tables."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; fail when the page is not current"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        fresh = page()
        if options["check"]:
            if not PAGE.exists() or PAGE.read_text() != fresh:
                raise CommandError("docs/states.md is not current: run manage.py render_states")
            return
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(fresh)
        self.stdout.write(f"{PAGE.relative_to(settings.BASE_DIR)}: {len(list(tables()))} tables")
