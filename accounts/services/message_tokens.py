"""The mini program's shared access token for those who send subscription messages (core.notifications.subscription).

Core imports no app, so it is given to core when the app is ready. Guarantees: as the mini program's own calls, one renewal
for all processes; never inside a transaction.
"""

from __future__ import annotations

from accounts import registry
from accounts.gateways import mini_program
from pimpshop.core.notifications import subscription


def token(stale: str | None = None) -> str:
    """The shared access token; with `stale` one that is newer. Raises ConnectionError when WeChat gives none."""
    found = registry.get_mini_program()
    if found is None:
        raise ConnectionError("there is no mini program")
    try:
        return found.shared_token(stale)
    except mini_program.WeChatError as error:
        raise ConnectionError(f"no access token ({error.errcode})") from error


subscription.serve_tokens(subscription.Tokens(current=token, renewed=token))
