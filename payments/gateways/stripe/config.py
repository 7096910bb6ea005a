"""What the gateway is told from outside: keys, secrets, the API's address, a recorder. Immutable; no repr shows a secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pimpshop.core.http import Recorder

API_BASE = "https://api.stripe.com"


@dataclass(frozen=True, kw_only=True)
class Config:
    """`webhook_secrets`: each of them is accepted, so that one can be replaced. `raw_cards` False: card numbers are refused.

    `account` (acct_…) is what events of a connected account must name; empty: none may. `timeout` is (connect, read)
    in seconds. `session` replaces the process's HTTP session.
    """

    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_base: str = API_BASE
    raw_cards: bool = False
    account: str = ""
    recorder: Recorder | None = field(default=None, repr=False)
    timeout: tuple[float, float] = (3.0, 10.0)
    session: Any = field(default=None, repr=False)

    @property
    def live(self) -> bool:
        """Real money? The key says so."""
        return self.secret_key.startswith(("sk_live_", "rk_live_"))
