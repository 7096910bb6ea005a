"""`python -m bench [B1 B2 …] [--quick]`: measure and print one table; a whole run writes it to bench/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable

from bench import notes, results, servers, stage


def _ingest(ground: stage.Stage) -> list[results.Row]:
    from bench import webhooks

    return webhooks.run_ingest(ground)


def _forged(ground: stage.Stage) -> list[results.Row]:
    from bench import webhooks

    return webhooks.run_forged(ground)


def _confirmation(ground: stage.Stage) -> list[results.Row]:
    from bench import confirmation

    return confirmation.run(ground)


def _starting(ground: stage.Stage) -> list[results.Row]:
    from bench import starting

    return starting.run(ground)


def _ledger(ground: stage.Stage) -> list[results.Row]:
    from bench import ledger

    return ledger.run(ground)


def _hops(ground: stage.Stage) -> list[results.Row]:
    from bench import hops

    return hops.run(ground)


def _pictures(ground: stage.Stage) -> list[results.Row]:
    from bench import pictures

    return pictures.run(ground)


def _growth(ground: stage.Stage) -> list[results.Row]:
    from bench import growth

    return growth.run(ground)


def _pages(ground: stage.Stage) -> list[results.Row]:
    from bench import pages

    return pages.run(ground)


def _startup(ground: stage.Stage) -> list[results.Row]:
    from bench import startup

    return startup.run(ground)


#: Which part of a run answers which numbers.
PARTS: list[tuple[tuple[str, ...], Callable[[stage.Stage], list[results.Row]]]] = [
    (("B1", "B3"), _ingest),
    (("B2",), _confirmation),
    (("B4",), _forged),
    (("B5", "B6"), _starting),
    (("B7",), _ledger),
    (("B8",), _hops),
    (("B10",), _pictures),
    (("B9",), _growth),
    (("B11",), _pages),
    (("B12", "B13"), _startup),
]


def _measured(
    numbers: tuple[str, ...], part: Callable[[stage.Stage], list[results.Row]], ground: stage.Stage
) -> list[results.Row]:
    """The rows of a part; one that fails is a row that says so, and the others go on."""
    try:
        return part(ground)
    except Exception as error:
        traceback.print_exc()
        ground.place.show_logs()
        why = " ".join(str(error).split())[:120]
        return [
            results.Row(number=number, measure=f"not measured: {type(error).__name__} {why}", met=False)
            for number in numbers
        ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = [number for numbers, _ in PARTS for number in numbers]
    parser.add_argument(
        "numbers", nargs="*", metavar="B1", help=f"which of {' '.join(known)}; all by default"
    )
    parser.add_argument("--quick", action="store_true", help="tiny rounds, for looking only")
    parser.add_argument("--long", action="store_true", help="a million rows (B9), a thousand buys (B13)")
    asked = parser.parse_args()
    wanted = {number.upper() for number in asked.numbers} or set(known)
    if wanted - set(known):
        parser.error(f"not known: {' '.join(sorted(wanted - set(known)))}")
    load_before = os.getloadavg()[0]
    rows: list[results.Row] = []
    with servers.Place() as place:
        ground = stage.Stage(place, quick=asked.quick, long=asked.long)
        for numbers, part in PARTS:
            if wanted & set(numbers):
                started = time.monotonic()
                print(f"{' '.join(numbers)} …", end="", flush=True, file=sys.stderr)
                rows += _measured(numbers, part, ground)
                print(f" {time.monotonic() - started:.0f} s", file=sys.stderr)
    rows.sort(key=lambda row: int(row.number[1:]))
    whole = wanted == set(known)
    text = results.report(
        rows,
        [note for number, note in notes.DONE.items() if number in wanted],
        [note for number, note in notes.MISSES.items() if number in wanted],
        quick=asked.quick,
        asked="all measures" if whole else f"only {' '.join(sorted(wanted))}",
        load_before=load_before,
        keep=whole and not asked.quick,
    )
    print(text)
    return int(any(row.measure.startswith("not measured") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
