"""The list of simulated providers and the life of their books: create, fill, empty. A new provider is one line here."""

from sandbox import calls, database, faults, jobs, knobs
from sandbox.providers.airwallex.provider import PROVIDER as AIRWALLEX
from sandbox.providers.alipay.provider import PROVIDER as ALIPAY
from sandbox.providers.base import Provider
from sandbox.providers.mailbox.provider import PROVIDER as MAILBOX
from sandbox.providers.manufacturer.provider import PROVIDER as MANUFACTURER
from sandbox.providers.stripe.provider import PROVIDER as STRIPE
from sandbox.providers.wechat.provider import PROVIDER as WECHAT
from sandbox.providers.wechatpay.provider import PROVIDER as WECHATPAY

PROVIDERS: tuple[Provider, ...] = (MANUFACTURER, STRIPE, AIRWALLEX, ALIPAY, WECHATPAY, WECHAT, MAILBOX)

for _provider in PROVIDERS:
    faults.declare(_provider.name, _provider.faults)


def prepare_books() -> None:
    """Create missing tables and fill empty books. Idempotent: what is in the books stays."""
    database.create([part.SCHEMA for part in (knobs, faults, calls, jobs)] + [p.schema for p in PROVIDERS])
    for provider in PROVIDERS:
        provider.seed()


def reset() -> None:
    """Forget everything: calls, faults, knobs, jobs and every provider's rows; then fill the books anew."""
    with jobs.at_rest(), database.transaction():
        for table in ("knobs", "faults", "calls", "jobs", *(t for p in PROVIDERS for t in p.tables)):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are constants of this code
        for provider in PROVIDERS:
            provider.seed()
