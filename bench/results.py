"""The table of a run: one row per target, printed and written to bench/RESULTS.md."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("RESULTS.md")
HOW = (
    "Ratios are medians over rounds in which the contenders take turns in one run. Requests per second are reported, "
    "never asserted; CPU is that of the web processes."
)
HEAD = ("#", "measure", "ours", "floor", "peer", "ratio", "target", "met")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One target. `met` None: reported, no target."""

    number: str
    measure: str
    ours: str = ""
    floor: str = ""
    peer: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def cells(self) -> list[str]:
        said = "" if self.met is None else "yes" if self.met else "**no**"
        return [self.number, self.measure, self.ours, self.floor, self.peer, self.ratio, self.target, said]


def at_least(number: str, measure: str, value: float, target: float, **cells: str) -> Row:
    """A row whose ratio must reach `target`."""
    return Row(
        number=number, measure=measure, ratio=f"{value:.2f} x", target=f"≥ {target:g} x", met=value >= target, **cells
    )  # fmt: skip


def at_most(number: str, measure: str, value: float, target: float, unit: str, **cells: str) -> Row:
    """A row whose value must not pass `target`."""
    cells.setdefault("ours", f"{value:,.2f} {unit}" if value < 100 else f"{value:,.0f} {unit}")
    return Row(number=number, measure=measure, target=f"≤ {target:g} {unit}", met=value <= target, **cells)


def table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    return "\n".join([*lines, *("| " + " | ".join(row.cells()) + " |" for row in rows)])


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=FILE.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def machine() -> str:
    """Cores, memory and versions; no names and no paths."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GB memory, {platform.system()}, Python {platform.python_version()}"


def report(
    rows: list[Row],
    done: list[str],
    misses: list[str],
    *,
    quick: bool,
    asked: str,
    load_before: float,
    keep: bool,
) -> str:
    """The text of a run; with `keep` it is written to RESULTS.md."""
    today = datetime.datetime.now(datetime.UTC)
    commit = _said("git", "rev-parse", "--short", "HEAD")
    changed = (
        " with uncommitted changes" if _said("git", "status", "--porcelain", "--untracked-files=no") else ""
    )
    text = "\n".join(
        [
            "# Results of `make bench`",
            "",
            f"{today:%Y-%m-%d}, commit {commit}{changed}, {machine()}, {asked}, load at the start {load_before:.1f}."
            + (" A quick run: tiny rounds, for looking only." if quick else ""),
            "",
            table(rows),
            "",
            HOW,
            "",
            "## What was done to get there",
            "",
            *(f"- {note}" for note in done),
            "",
            "## What lies between",
            "",
            *(f"- {note}" for note in misses),
            "",
        ]
    )
    if keep:
        FILE.write_text(text)
    return text
