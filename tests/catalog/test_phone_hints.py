"""The brand that a browser tells is proposed, and nothing that was chosen is touched."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.views import phone_hints
from tests import factories as make
from tests.catalog.test_home import at, begin, made

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 14; {device}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "brand"),
    [
        (IPHONE, "iphone"),
        (IPHONE + " MicroMessenger/8.0.50", "iphone"),
        (ANDROID.format(device="SM-S918B"), "samsung"),
        (ANDROID.format(device="ELE-AL00"), "huawei"),
        (ANDROID.format(device="Redmi Note 12"), "xiaomi"),
        (ANDROID.format(device="K"), ""),
        (ANDROID.format(device="SM-S918B; Redmi"), ""),
        ("", ""),
    ],
)
def test_what_a_browser_says(agent: str, brand: str) -> None:
    assert phone_hints.brand(agent) == brand


@pytest.mark.django_db
def test_its_models_can_be_chosen_at_once() -> None:
    shell = make.sellable_shell()
    shell.model.brand.__class__.objects.filter(pk=shell.model.brand_id).update(slug="iphone")
    visitor = Client(headers={"user-agent": IPHONE})
    context = visitor.get(at(begin(visitor))).context
    chosen = [brand["id"] for brand in context["brands"] if brand["selected"]]
    assert (chosen, [model["name"] for model in context["models"]]) == (
        [str(shell.model.brand_id)],
        [str(shell.model)],
    )
    assert (context["shells"], context["shell_chosen"]) == ([], False)
    other = Client().get(at(begin(Client()))).context
    assert ([brand for brand in other["brands"] if brand["selected"]], other["models"]) == ([], [])


@pytest.mark.django_db
def test_a_design_keeps_its_phone() -> None:
    visitor: Any = Client(headers={"user-agent": IPHONE})
    draft = made(visitor)
    other = make.sellable_shell()
    other.model.brand.__class__.objects.filter(pk=other.model.brand_id).update(slug="iphone")
    context = visitor.get(at(draft)).context
    assert [brand["id"] for brand in context["brands"] if brand["selected"]] != [str(other.model.brand_id)]
    assert context["shell_chosen"] is True
