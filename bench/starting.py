"""B5: create an order and start its payment, the provider answering at once. B6: the same request once more.

Ours is the whole of POST /api/v1/payments: key, scopes, limits, idempotency, order with line and event, attempt with
event, what the provider said. The floor of B5 is a bare create of Django REST framework, the floor of B6 one INSERT.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from bench import load, race, results, stage, webhooks
from bench.peers import shops

PATH = "/api/v1/payments"
_BODY = {
    "gateway_id": "stripe", "amount": 19.99, "currency": "GBP", "description": "one case",
    "customer_email": "buyer@example.com", "return_url": "http://127.0.0.1:8000/thanks",
}  # fmt: skip
_keys = itertools.count(1)


def posts(api_key: str, *, repeat: bool = False) -> Iterator[bytes]:
    """Requests that start a payment, each with an idempotency key of its own, or the same one again and again."""
    key = f"bench-{next(_keys)}"
    while True:
        yield load.post(
            PATH, json.dumps(_BODY).encode(), Authorization=f"Bearer {api_key}", Idempotency_Key=key
        )
        key = key if repeat else f"bench-{next(_keys)}"


def bare_creates() -> Iterator[bytes]:
    for number in itertools.count(1):
        yield load.post(
            "/purchases", json.dumps({"amount": "19.99", "currency": "GBP", "description": f"case {number}"}).encode()
        )  # fmt: skip


def run(ground: stage.Stage) -> list[results.Row]:
    ground.open()
    from accounts.services import api_keys

    key, _ = api_keys.create(kind="secret", name="bench")
    ours = race.Contender("ours", ground.api(), posts(key))
    again = race.Contender("replay", ground.api(), posts(key, repeat=True))
    create = race.Contender("create", ground.floor(), bare_creates(), expect=b"201")
    floor = race.Contender("floor", ground.floor(), webhooks.floor_posts("/store"))
    # The request that is repeated has had its answer: until then a repeat is told to come back.
    load.run(again.web.ports, again.requests, 1, again.expect)
    race.race([ours, again, create, floor], ground.size, slow=["ours"])
    race.weigh(ground.place, [ours, again])
    from bench.ours import provider

    # In this process too: the statements are counted here.
    provider.no_limits()
    provider.stripe_at_once()
    once_more = posts(key, repeat=True)
    first, replay = (ground.statements(next(once_more)) for _ in range(2))
    rows = [
        results.at_least(
            "B5", "order and payment started, against a bare create", race.ratio(ours, create), 0.45,
            ours=str(ours), floor=str(create),
        ),
        results.Row(number="B5", measure="statements of a started payment", ours=str(first)),
        results.at_least(
            "B6", "idempotent replay against the floor", race.ratio(again, floor), 0.8, ours=str(again),
            floor=str(floor),
        ),
        results.at_most("B6", "statements per replay beside authentication", replay - AUTHENTICATION, 1, "statement"),
        results.at_most("B6", "WAL per replay", again.wal, 50, "B"),
    ]  # fmt: skip
    return rows[:1] + shops.rows(ground, ours.cpu_ms) + rows[1:]


#: Statements that say who calls: the key's row with its user.
AUTHENTICATION = 1
