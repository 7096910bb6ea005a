"""B5's peers: whole shops that make an order. They are compared by CPU, since each runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from bench import results, servers, stage
from bench.peers import venv


def rows(ground: stage.Stage, our_cpu_ms: float) -> list[results.Row]:
    """django-oscar; pretix wants a system of its own (node, several services) and is not measured here."""
    cpu_ms = _oscar(ground)
    if cpu_ms is None:
        return [
            results.Row(
                number="B5", measure="CPU against oscar's place_order: this peer is not here", target="≥ 3 x"
            )
        ]
    return [
        results.at_least(
            "B5", "CPU against django-oscar's basket and place_order", cpu_ms / our_cpu_ms, 3,
            ours=f"{our_cpu_ms:.2f} ms CPU, through the whole API", peer=f"{cpu_ms:.2f} ms CPU, no page, no payment",
        ),
    ]  # fmt: skip


def _oscar(ground: stage.Stage) -> float | None:
    python = venv.python()
    if python is None:
        return None
    env = ground.place.environment(ground.place.new_database("oscar"))
    orders = "20" if ground.quick else "150"
    done = subprocess.run(
        [python, "-m", "bench.peers.oscar_work", orders], cwd=servers.PROJECT, env=env, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if line.startswith("=")]
    if not said:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    return float(said[0][1:])
