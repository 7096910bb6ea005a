"""What a client's order-summary says, whatever shape it came in. Plain data; orders.services.session_orders uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a client sends (seed 1, order-summary, both shapes folded into one). Texts as sent; `price` major units."""

    price: Any = None
    currency: str = ""
    brand: str = ""
    brand_id: str = ""
    model: str = ""
    model_id: str = ""
    shell_id: str = ""
    colour: str = ""
    device_id: str = ""
    template: str = ""
    picture: str = ""
    picture_url: str = ""
