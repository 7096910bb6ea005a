"""What `make run` does before the shop starts: schema, demo data, static files; skipped while nothing has changed.

Here: deciding by fingerprints whether there is work, and doing it, with Django already set up. Not here: starting
anything (`pimpshop.run`).
Guarantees: safe to run at any time and again (migrate, seed_demo and collectstatic are). The stamp names the very
database it was made for, so a dropped or another database is prepared again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / ".data"
STAMP = DATA / "prepared.json"
SEED_REPORT = DATA / "seed_demo.txt"
CODE = ("pimpshop", "accounts", "catalog", "credits", "vending", "orders", "payments")


def fingerprint(*tops: str) -> str:
    """A hash over name, size and time of every file below the given paths (milliseconds, not a read of the bytes)."""
    digest = hashlib.sha256()
    for top in tops:
        root = PROJECT / top
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if "__pycache__" not in path.parts and path.is_file():
                found = path.stat()
                digest.update(f"{path.relative_to(PROJECT)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def database_identity(url: str) -> str:
    """Which database this is: the cluster's own identifier and the database's number in it."""
    import psycopg

    question = "select (select system_identifier from pg_control_system()), oid from pg_database"
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(f"{question} where datname = current_database()").fetchone()
    return ":".join(map(str, row or ()))


def state() -> dict[str, str]:
    """What the stamp must say for there to be nothing to do."""
    from django.conf import settings

    installed = f"{sys.prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    return {
        "database": database_identity(settings.DATABASE_URL),
        "code": fingerprint(*CODE, "requirements.txt"),
        "static": fingerprint("static", "pimpshop/settings.py", "requirements.txt")
        + str(os.stat(installed).st_mtime),
    }


def main() -> int:
    """Prepare what is not prepared. Prints one line per thing done; the exit status is that of the first failure."""
    now = state()
    then = json.loads(STAMP.read_text()) if STAMP.exists() else {}
    collecting = None
    if now["static"] != then.get("static") or not (PROJECT / "staticfiles").exists():
        print("Collecting static files.", flush=True)
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"]
        collecting = subprocess.Popen(command, cwd=PROJECT)  # (beside the migrations: there are two cores)
    if (now["database"], now["code"]) != (then.get("database"), then.get("code")) or not SEED_REPORT.exists():
        print("Bringing the database up to date.", flush=True)
        _migrate_and_seed(now["database"])
    if collecting and collecting.wait():
        return collecting.returncode
    STAMP.write_text(json.dumps(now))
    return 0


def _migrate_and_seed(database: str) -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    report = io.StringIO()
    call_command("seed_demo", stdout=report)
    if not (SEED_REPORT.exists() and SEED_REPORT.read_text().startswith(database)):
        SEED_REPORT.touch(mode=0o600)
        SEED_REPORT.write_text(
            f"{database}\n{report.getvalue()}"
        )  # later reports have no passwords: kept as it is
