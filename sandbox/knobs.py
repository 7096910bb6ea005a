"""Knobs: how the simulated world behaves when nothing is wrong with it (times, addresses, which id it uses).

Each knob has a default, an environment variable `SANDBOX_<NAME>` that overrides it for the process, and a row that
overrides both until the next reset. What is wrong with the world is in `faults`.
"""

import os
import random

from django.conf import settings

from sandbox import database

SCHEMA = "CREATE TABLE IF NOT EXISTS knobs (name TEXT PRIMARY KEY, value TEXT NOT NULL);"

DEFAULTS = {
    "shop_url": "",  # where the shop is; empty: SANDBOX_SHOP_URL
    "print_seconds": "4",  # how long the printing of one case takes
    "step_seconds": "1",  # pause between the smaller steps of the machine
    "card_seconds": "1.5",  # how long the card reader thinks
    "repeat_seconds": "5-10",  # between repeats of a payment post that was not acknowledged
    "echo_seconds": "8-20",  # from our payStatus (pay_type 12) to their payment post
    "order_repeat_seconds": "9-11",  # between repeats of an order status post
    "poll_seconds": "5-15",  # the machine asking for the payment's status
    "session_poll_seconds": "3",  # the machine's screen asking for the session's status
    "picture_fetches": "3",  # how often each picture is fetched
    "picture_gap_seconds": "2-5",  # between those fetches
    "token_minutes": "1440",
    "order_id_kind": "oren",  # which id getOrderStatus and the order posts use: oren | msor
    "pay_status_path": "/api/chinese/order/payStatus",
    "order_status_path": "/api/chinese/order-status-update",
    "order_post_names": "snake",  # field names of the order posts: snake | camel
    "order_post_form": "0",  # 1: the order posts are form-encoded
    "sign_posts": "0",  # 1: what is posted to the shop carries the header `sign`
    "alipay_repeat_seconds": "10-20",  # between repeats of an Alipay notice that was not acknowledged
    "wechat_keys": "public_key",  # what WeChat Pay signs with: public_key | certificate
    "wechat_refund_seconds": "3",  # how long a refund is on its way
    "wechat_first_repeat_seconds": "15",  # the first pause between attempts of a notice; the later ones in proportion
    "wechat_early_bills": "0",  # 1: a bill of today can be had, and yesterday's before 10:00
    "unattended": "0",  # 1: machines renew their sessions although nobody looks at their screen
    "airwallex_repeat_seconds": "5-10",  # between repeats of an Airwallex webhook that was not acknowledged
    "airwallex_settle_seconds": "3",  # between the steps of a refund at Airwallex
    "stripe_webhook_path": "/api/stripe/webhook",
    "stripe_post_seconds": "0.2",  # from a change to its event's first post
    "stripe_repeat_seconds": "3-6",  # between repeats of an event that was not answered 2xx
    "stripe_settle_seconds": "15",  # how long a bank transfer or a slow refund takes
    "stripe_dispute_seconds": "5",  # from the payment to its dispute
}
CHOICES = {
    "order_id_kind": ("oren", "msor"),
    "order_post_names": ("snake", "camel"),
    "order_post_form": ("0", "1"),
    "sign_posts": ("0", "1"),
    "wechat_keys": ("public_key", "certificate"),
    "wechat_early_bills": ("0", "1"),
    "unattended": ("0", "1"),
}
NUMBERS = {name for name in DEFAULTS if name.endswith(("_seconds", "_minutes", "_fetches"))}


class KnobError(ValueError):
    """An unknown knob, or a value it cannot take."""


def get(name: str) -> str:
    """The knob's value in force now."""
    found = database.row("SELECT value FROM knobs WHERE name = ?", name)
    if found is not None:
        return str(found["value"])
    if name == "shop_url":
        return str(settings.SHOP_URL)
    return os.environ.get(f"SANDBOX_{name.upper()}") or DEFAULTS[name]


def seconds(name: str) -> float:
    """A number from the knob: a plain one, or a draw from a range "low-high"."""
    low, _, high = get(name).partition("-")
    return random.uniform(float(low), float(high or low))


def turn(name: str, value: object) -> None:
    """Override a knob until the next reset. Raises KnobError and changes nothing on a bad name or value."""
    if name not in DEFAULTS:
        raise KnobError(f"no knob named {name!r}")
    text = str(value).strip()
    if name in NUMBERS:
        low, _, high = text.partition("-")
        try:
            good = 0 <= float(low) <= float(high or low)
        except ValueError:
            good = False
        if not good:
            raise KnobError(f"{name} takes a number or a range, not {text!r}")
    if text not in CHOICES.get(name, (text,)):
        raise KnobError(f"{name} takes one of {', '.join(CHOICES[name])}")
    if name == "shop_url":
        text = text.rstrip("/")
    database.execute("INSERT OR REPLACE INTO knobs (name, value) VALUES (?, ?)", name, text)


def everything() -> dict[str, str]:
    """All knobs with their values in force."""
    return {name: get(name) for name in DEFAULTS}
