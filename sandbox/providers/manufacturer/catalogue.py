"""What the manufacturer sells: brands, models, shells with their sizes, machines, from `catalogue.json`. Read-only."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shell:
    """A shell of one model. `width` and `height` in millimetres, as the strings that go on the wire."""

    id: str
    goods_id: str
    classify_id: str
    name: str
    sku: str
    stock: int
    model_id: str
    model_name: str
    brand_id: str
    width: str
    height: str


@cache
def data() -> dict[str, Any]:
    """The file as it is."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8"))
    return found


@cache
def shells() -> dict[str, Shell]:
    """Every shell by its id, in the file's order."""
    return {
        shell["id"]: Shell(
            **shell, model_id=model["id"], model_name=model["name"], brand_id=model["brand_id"],
            width=model["width"], height=model["height"],
        )
        for model in data()["models"]
        for shell in model["shells"]
    }  # fmt: skip


@cache
def model_names() -> dict[str, str]:
    """The name of every model by its id."""
    return {model["id"]: model["name"] for model in data()["models"]}


def brand_name(brand_id: str) -> str:
    """The English name of a brand."""
    return str(next(brand["e_name"] for brand in data()["brands"] if brand["id"] == brand_id))
