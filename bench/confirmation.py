"""B2: a whole confirmation, committed. Online: a signed post of Stripe is taken in, and order, credits, posting and
all events are written. At the machine: from a stored hint to paid order, print job and session."""

from __future__ import annotations

import json
from collections.abc import Iterator

from bench import load, race, results, rows, stage, webhooks

PAID = "payment_intent.succeeded"


def confirmations(first: int) -> Iterator[bytes]:
    """One request per stored event that is due."""
    number = first
    while True:
        yield load.post("/confirm", json.dumps({"event": number}).encode())
        number += 1


def run(ground: stage.Stage) -> list[results.Row]:
    ground.open()
    online = race.Contender(
        "online", ground.confirmations(), ground.stripe_events(PAID, path="/online", name=rows.online_number)
    )
    ours = race.Contender("ours", ground.confirmations(), confirmations(ground.first_event))
    floor = race.Contender("floor", ground.floor(), webhooks.floor_posts("/store"))
    peer = race.Contender("dj-stripe", ground.djstripe(), ground.stripe_events(PAID))
    everybody = [online, ours, floor, peer]
    race.race(everybody, ground.size, slow=["dj-stripe"])
    race.weigh(ground.place, everybody)
    return [
        results.at_least(
            "B2", "online confirmation against the floor", race.ratio(online, floor), 0.5, ours=str(online),
            floor=str(floor),
        ),
        results.at_least(
            "B2", "the same signed event against dj-stripe, payment_intent.succeeded", race.ratio(online, peer), 8,
            ours=str(online), peer=str(peer),
        ),
        results.at_most("B2", "WAL per online confirmation", online.wal / 1024, 3.5, "KB"),
        results.Row(
            number="B2", measure="statements per online confirmation",
            ours=str(ground.statements_of_online_confirmation()),
        ),
        results.at_least(
            "B2", "confirmation at the machine against the floor", race.ratio(ours, floor), 0.5, ours=str(ours),
            floor=str(floor),
        ),
        results.at_most("B2", "WAL per confirmation at the machine", ours.wal / 1024, 3.5, "KB"),
        results.Row(
            number="B2", measure="statements per confirmation at the machine",
            ours=str(ground.statements_of_confirmation()),
        ),
    ]  # fmt: skip
