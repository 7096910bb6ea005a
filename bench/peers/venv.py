"""A virtualenv of their own for peers that would not go with the shop's packages. Made on demand, never by the shop.

BENCH_PEERS names where it lies (default .data/bench-peers, kept between runs). Without a network the peers are "not here".
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench import servers

HOME = Path(os.environ.get("BENCH_PEERS") or servers.PROJECT / ".data" / "bench-peers")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PATIENCE = 150


def python() -> str | None:
    """The interpreter that has the peers, made if need be; None when they cannot be had here."""
    own, made = HOME / "venv" / "bin" / "python", HOME / "venv" / "made-from"
    if made.exists() and made.read_text() == REQUIREMENTS.read_text():
        return str(own)
    print(" (installing the peers)", end="", flush=True, file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(HOME / "venv")], check=True, capture_output=True)
        install = [
            str(own),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-r",
            str(REQUIREMENTS),
        ]
        subprocess.run(install, check=True, capture_output=True, timeout=PATIENCE)
    except (subprocess.SubprocessError, OSError):
        return None
    made.write_text(REQUIREMENTS.read_text())
    return str(own)


def pgledger() -> list[Path] | None:
    """pgledger's SQL (github.com/pgr0ss/pgledger), in the order of loading; None when nobody has put it here."""
    names = ("ulid-to-uuid.sql", "uuid-to-ulid.sql", "pgledger.sql")
    files = [HOME / "pgledger" / name for name in names]
    return files if all(file.exists() for file in files) else None
