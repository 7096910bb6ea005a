"""Calls to the outside: the only place of the shop that talks HTTP. Import this package, not its modules.

Lives here: `Client` for providers, whose base URLs are settings and trusted; `guarded_get` and `guarded_post` for
addresses that a client gave us. Not here: signatures and meanings (gateways, manufacturer), where records are kept (core.calls).

Guarantees: connect and read timeouts and a total deadline; answers capped in bytes; no redirects, cookies, proxies
or .netrc; TLS always verified; refuses to run inside a database transaction; each call of a `Client` gives one
redacted `CallRecord`, and a recorder that fails never breaks the call. Nothing is ever sent twice.
"""

from pimpshop.core.http.client import CallRecord, Client, Recorder
from pimpshop.core.http.guard import check_address, guarded_get, guarded_post, is_public
from pimpshop.core.http.wire import (
    Answer,
    HttpBadBody,
    HttpError,
    HttpRedirected,
    HttpRefused,
    HttpTimeout,
    HttpTooLarge,
    HttpUnavailable,
    OpenTransaction,
    assert_no_transaction,
    new_session,
    shared_session,
)

__all__ = [
    "Answer",
    "CallRecord",
    "Client",
    "HttpBadBody",
    "HttpError",
    "HttpRedirected",
    "HttpRefused",
    "HttpTimeout",
    "HttpTooLarge",
    "HttpUnavailable",
    "OpenTransaction",
    "Recorder",
    "assert_no_transaction",
    "check_address",
    "guarded_get",
    "guarded_post",
    "is_public",
    "new_session",
    "shared_session",
]
