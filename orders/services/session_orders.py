"""The order of a session in front of a machine: from our own studio, or from a client that sends a finished picture.

Calls outside: at most one guarded fetch of a client's picture URL, before any transaction (sent_pictures). Guarantees:
price, model, shell and machine are ours to say; the client's are only compared; the same content twice is one order.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from accounts.models import User
from catalog import selectors as catalogue
from catalog.models import Design
from catalog.services import designs
from orders.models import Order
from orders.services import checkout, sent_pictures
from pimpshop.core import ids
from pimpshop.core.money import InvalidAmount, Money
from vending.models import VendingSession
from vending.services import sessions
from vending.services.summaries import Summary


def submit_summary(session: VendingSession, summary: Summary, *, source: str) -> Order:
    """Order what a client's summary describes. Raises errors in words for people; on every refusal nothing changed."""
    if summary.device_id and summary.device_id != session.machine.machine_id:
        raise sessions.WrongMachine
    summary_hash = _hash(summary)
    existing = checkout.same_content(session, summary_hash)
    if existing is not None:
        return existing
    shell = catalogue.find_shell(
        model_id=summary.model_id,
        shell_id=summary.shell_id,
        brand_id=summary.brand_id,
        brand=summary.brand,
        model=summary.model,
        colour=summary.colour,
    )
    ours = catalogue.case_price(shell, session.machine.currency)
    checkout.check_price(checkout.told_price(summary.price, summary.currency, ours), ours)
    checkout.must_be_few(session)
    design = sent_pictures.design_from(
        owner=f"session:{session.session_id}",
        shell=shell,
        picture=summary.picture,
        picture_url=summary.picture_url,
    )
    return checkout.order_case(
        session=session,
        design=design,
        summary=_stored(summary),
        summary_hash=summary_hash,
        language=session.language,
        source=source,
    )


def order_design(
    session: VendingSession,
    design: Design,
    *,
    user: User | None,
    language: str,
    source: str,
    currency: str = "",
) -> Order:
    """Order the design made in our studio: frozen now (rendered, hashed), then ordered; for `user`, who is logged in.

    `currency` (empty: the machine's) is fixed with the order: another one is other content, so a new order.
    """
    checkout.must_be_few(session, design)
    with sent_pictures.drawing():
        frozen = designs.freeze(design)
    order = checkout.order_case(
        session=session,
        design=frozen,
        summary={"design": str(frozen.pk), "template": frozen.template.slug if frozen.template else ""},
        summary_hash=ids.keyed_fingerprint(
            b"design",
            str(frozen.pk).encode(),
            frozen.print_sha256.encode(),
            *([currency.encode()] if currency not in ("", session.machine.currency) else []),
        ),
        language=language,
        source=source,
        currency=currency,
    )
    return checkout.note_buyer(order, user)


def _hash(summary: Summary) -> str:
    """The same content has the same hash, whatever shape it came in and however the number was written. A link beside
    a picture is not looked at, so it counts for nothing here either."""
    content = asdict(replace(summary, price=None, picture_url="" if summary.picture else summary.picture_url))
    return ids.keyed_fingerprint(
        json.dumps(content, sort_keys=True).encode(), str(_number(summary.price)).encode()
    )


def _number(price: Any) -> Any:
    return (
        None if price is None else Money.parse(price, "KWD").amount_minor if _is_number(price) else str(price)
    )


def _is_number(price: Any) -> bool:
    try:
        Money.parse(price, "KWD")  # three decimals: wider than every currency that a machine has
    except InvalidAmount:
        return False
    return True


def _stored(summary: Summary) -> dict[str, Any]:
    """The summary as it may stay in a row: without the picture itself."""
    kept = asdict(replace(summary, picture="", picture_url=""))
    kept["price"] = None if summary.price is None else str(summary.price)
    return {key: value for key, value in kept.items() if value}
