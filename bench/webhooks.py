"""B1 ingest, B3 a duplicate, B4 a forged post: the shop's real door, all of its middleware, against floor and peer."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from bench import load, race, results, rows, stage

PATH = "/api/chinese/order/payStatus"
STRIPE = "/api/stripe/webhook"
LIGHT = "balance.available"


def posts(first: int) -> Iterator[bytes]:
    """payStatus posts about known payments, each a new one."""
    number = first
    while True:
        yield pay_status(rows.third_id(rows.WAITING, number))
        number += 1


def pay_status(third_id: str) -> bytes:
    return load.post(PATH, json.dumps({"third_id": third_id, "status": 3}).encode())


_numbers = itertools.count(1)


def floor_events(posts: Iterator[bytes]) -> Iterator[bytes]:
    """What Stripe posts, to the floor."""
    for post in posts:
        yield post.replace(b" " + STRIPE.encode() + b" ", b" /store-event ", 1)


def floor_posts(path: str) -> Iterator[bytes]:
    """Posts of the same size that no earlier race of this run has sent."""
    for number in _numbers:
        yield load.post(path, json.dumps({"third_id": f"PYEN99{number:010d}", "status": 3}).encode())


def forged() -> Iterator[bytes]:
    """What is not theirs: no number, no status, not JSON."""
    while True:
        yield load.post(PATH, b'{"status": 3}')
        yield load.post(PATH, b'{"third_id": "PYEN251120000001"}')
        yield load.post(PATH, b"{not json")


def repeated(third_id: str) -> Iterator[bytes]:
    while True:
        yield pay_status(third_id)


def run_ingest(ground: stage.Stage) -> list[results.Row]:
    """B1 and B3 in one race: first deliveries, duplicates, floor, peer; for the machine's posts and for Stripe's."""
    ground.open()
    ours = race.Contender("ours", ground.shop(), posts(1))
    again = race.Contender("duplicate", ground.shop(), repeated(rows.third_id(rows.WAITING, ground.spare)))
    floor = race.Contender("floor", ground.floor(), floor_posts("/store"))
    light = race.Contender("stripe", ground.shop(), ground.stripe_events(LIGHT, path=STRIPE))
    event_floor = race.Contender(
        "event floor", ground.floor(), floor_events(ground.stripe_events(LIGHT, path=STRIPE))
    )
    peer = race.Contender("dj-stripe", ground.djstripe(), ground.stripe_events(LIGHT))
    everybody = [ours, again, floor, light, event_floor, peer]
    race.race(everybody, ground.size, slow=["dj-stripe"])
    race.weigh(ground.place, everybody)
    statements = ground.statements(pay_status(rows.third_id(rows.WAITING, ground.spare - 1)))
    repeats = ground.statements(pay_status(rows.third_id(rows.WAITING, ground.spare - 1)))
    once = next(ground.stripe_events(LIGHT, path=STRIPE))
    light_first, light_again = ground.statements(once), ground.statements(once)
    return [
        results.at_least(
            "B1", "Stripe's webhook, light event, against the floor", race.ratio(light, event_floor), 0.85,
            ours=str(light), floor=str(event_floor),
        ),
        results.at_least(
            "B1", "the same signed event against dj-stripe's view", race.ratio(light, peer), 8, ours=str(light),
            peer=str(peer),
        ),
        results.at_most(
            "B1", "statements per first delivery, Stripe and machine", max(light_first, statements), 1, "statement"
        ),
        results.at_least(
            "B1", "the machine's post against the floor", race.ratio(ours, floor), 0.85, ours=str(ours),
            floor=str(floor),
        ),
        results.at_least(
            "B3", "duplicate against the first delivery", race.ratio(again, ours), 1.3, ours=str(again),
            peer=f"first: {ours}",
        ),
        results.at_most("B3", "WAL per duplicate", again.wal, 50, "B"),
        results.at_most("B3", "statements per duplicate", max(repeats, light_again), 1, "statement"),
    ]  # fmt: skip


def run_forged(ground: stage.Stage) -> list[results.Row]:
    """B4."""
    ground.open()
    ours = race.Contender("ours", ground.shop(), forged(), expect=b"400")
    ping = race.Contender("ping", ground.floor(), floor_posts("/ping"))
    race.race([ours, ping], ground.size)
    race.weigh(ground.place, [ours])
    statements = max(ground.statements(next(request), refused=True) for request in [forged()] * 3)
    return [
        results.at_least(
            "B4",
            "forged webhook against a ping view",
            race.ratio(ours, ping),
            0.7,
            ours=str(ours),
            floor=str(ping),
        ),
        results.at_most("B4", "statements per forged post", statements, 0, "statements"),
        results.at_most("B4", "WAL per forged post", ours.wal, 0, "B"),
    ]
