"""The API's description and its page."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def test_the_docs_page_has_nothing_inline(client: Client) -> None:
    page = client.get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "<style" not in text
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []


@pytest.mark.django_db
def test_the_description_is_valid_and_names_every_door_of_seed_1(client: Client) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    base = "/api/vending/session/{session_id}"
    doors = {(path, method) for path, methods in schema["paths"].items() for method in methods}
    assert {
        ("/api/vending/create-session", "post"),
        (f"{base}/register-user", "post"),
        (f"{base}/order-summary", "post"),
        (f"{base}/init-payment", "post"),
        (f"{base}/status", "get"),
        (f"{base}/order-info", "get"),
        (f"{base}/health", "get"),
        (f"{base}/cancel", "post"),
        (base, "delete"),
        ("/api/chinese/payment/{third_id}/status", "get"),
    } <= doors


@pytest.mark.django_db
def test_the_description_names_every_door_of_seed_5_with_its_refusals() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    one, kept = "/api/v1/payments/{payment_id}", "/api/v2/payment-methods"
    wanted = {
        ("/api/v1/payments", "post"), ("/api/v1/payments/methods", "post"), (one, "get"), (f"{one}/confirm", "post"),
        (f"{one}/complete", "post"), (f"{one}/refund", "post"), (f"{one}/capture", "post"), (f"{one}/cancel", "post"),
        (kept, "post"), (f"{kept}/{{token}}", "delete"), (f"{kept}/{{token}}/default", "post"),
        ("/api/v2/customers/{customer_id}/payment-methods", "get"),
    }  # fmt: skip
    assert [door for door in wanted if door[1] not in paths.get(door[0], {})] == []
    silent = [
        door
        for door in wanted
        if not {"200", "401", "403", "429"} <= set(paths[door[0]][door[1]]["responses"])
    ]
    assert silent == []


@pytest.mark.django_db
def test_the_description_names_every_door_of_seed_4_with_its_refusals() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    wanted = {
        ("/api/products/", "get"): {"200", "400", "429"},
        ("/api/products/{product_id}", "get"): {"200", "404", "429"},
        ("/api/orders/create", "post"): {"200", "400", "401", "403", "409", "429"},
        ("/api/orders/pay/{order_id}", "post"): {"200", "400", "401", "404", "409", "429", "502", "503"},
        ("/api/orders/", "get"): {"200", "400", "401", "429"},
        ("/api/orders/{order_id}", "get"): {"200", "401", "404", "429"},
        ("/api/orders/payment-status/{order_id}", "get"): {"200", "401", "404", "429"},
        ("/api/orders/callback", "post"): {"200", "400", "401", "404", "429", "503"},
    }
    silent = {
        door: missing
        for door, statuses in wanted.items()
        if (missing := statuses - set(paths[door[0]][door[1]]["responses"]))
    }
    assert silent == {}
