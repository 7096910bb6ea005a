"""Python processes of the shop with an environment of their own, for what cannot be seen from inside the suite.

Such a process is no test to the settings (TESTING is False), so it runs as production would: pooled connections,
JSON logs, refused secrets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parents[2]


def test_database_url() -> str:
    """The URL of the database that this test process works on (inside a test that may use it)."""
    from django.conf import settings
    from django.db import connection

    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


test_database_url.__test__ = False  # type: ignore[attr-defined]


def python(*words: str, seconds: float = 180, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python <words>` in the project with the given variables on top of ours; answers its outputs."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
