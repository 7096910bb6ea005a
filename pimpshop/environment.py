"""Where settings come from: the environment, `.env`, `<NAME>_FILE`; and what is known before any of them.

Here: the reader and the two switches that decide about defaults. Not here: any setting's meaning (pimpshop.settings,
pimpshop.settings_providers).
"""

from __future__ import annotations

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / ".data"

env = environ.FileAwareEnv()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

#: 1: the simulators are every provider's base URL unless that is set.
SANDBOX: bool = env.bool("SANDBOX", default=False)
SANDBOX_URL: str = env.str("SANDBOX_URL", default="http://127.0.0.1:8001").rstrip("/")
