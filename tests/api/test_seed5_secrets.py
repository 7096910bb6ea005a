"""Seed 5: card numbers, codes, tokens and client secrets are in no row, no log, no error report, no repeated answer."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.views.debug import SafeExceptionReporterFilter

from payments.gateways import stripe
from payments.models import PaymentIntent
from payments.serializers import requests
from pimpshop.core.models import IdempotencyRecord
from tests import factories
from tests.support import seed5
from tests.support.seed5 import PAYMENTS, assert_error, card
from tests.support.stripe_books import LOST, StripeBooks

pytestmark = pytest.mark.django_db
NUMBERS = ("4242424242424242", "4242 4242 4242 4242", "4000000000000002", "4000002500003155")
ACCOUNT, ROUTING, CVC = "000123456789", "110000000", "73917391"[:4]


def every_row() -> str:
    """The whole database as one text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for name in tables:
            cursor.execute(f"SELECT COALESCE(string_agg(t::text, chr(10)), '') FROM \"{name}\" t")
            texts.append(cursor.fetchone()[0])
    return "\n".join(texts)


def of_the_card(text: str) -> list[str]:
    """Digits of the card in a text, in a row or by themselves: addresses in memory, ids, hashes and microseconds may hold
    any four."""
    return re.findall(rf"42424242|(?<![\w.-])(?:4242|{seed5.CVC})(?![\w.-])", text)


def test_digits_of_a_card_are_told_from_others() -> None:
    for text in ("'4242'", "x 4242 4242", "4242424242424242", '{"cvc": "7391"}', f"cvc={seed5.CVC}"):
        assert of_the_card(text), text
    for text in ("<at 0x7f4242ab7391>", "0b-4242-73", "11.742424", "a4242"):
        assert of_the_card(text) == [], text


def test_nothing_of_a_card_is_kept_or_logged(stripe_books: StripeBooks, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    alice = factories.user()
    server = seed5.server()
    mine = {"customer_id": str(alice.public_id)}
    first = server.post(PAYMENTS, seed5.create(**mine, save_payment_method=True), Idempotency_Key="k1")
    secrets = [first.json()["client_secret"]]
    for n, number in enumerate(NUMBERS[1:]):
        secrets.append(
            server.post(PAYMENTS, seed5.create(number), Idempotency_Key=f"c{n}").json()["client_secret"]
        )
    stripe_books.fail("confirm", LOST)
    server.pay("4242424242424242")
    stripe_books.fail("method", (500, {"type": "api_error", "message": f"No: {NUMBERS[0]} {CVC}"}))
    server.pay("4242424242424242")
    server.pay(payment_method=card("4242424242424241"))
    bank = {"account_number": ACCOUNT, "routing_number": ROUTING, "account_holder_name": "Zacharias Holder"}
    told = server.pay(payment_method={"type": "bank_transfer", "bank_transfer": bank}).json()
    assert (told["type"], told["payment_status"]) == ("success", "processing")
    server.post("/api/v2/payment-methods", {"gateway_id": "stripe", "payment_method_data": card(), **mine})
    assert IdempotencyRecord.objects.count() == 4
    logged = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records), *capfd.readouterr()])
    for where in (every_row(), logged):
        for secret in (*NUMBERS, ACCOUNT, *secrets):
            assert secret not in where
        assert f'"{CVC}"' not in where
        assert f"'{CVC}'" not in where


def test_an_error_report_shows_no_card(stripe_books: StripeBooks, monkeypatch: Any) -> None:
    """What Django's reports read: the variables of every frame between the door and the gateway, as its filter gives
    them. And what collectors of errors print: the `repr` of whatever holds a card."""
    seen: list[str] = []

    def surprise(*args: Any, **more: Any) -> None:
        reporter, asked = SafeExceptionReporterFilter(), RequestFactory().post(PAYMENTS)
        frame = sys._getframe(1)
        while frame is not None and "/tests/" not in frame.f_code.co_filename:
            told = reporter.get_traceback_frame_variables(asked, frame)
            seen.append(f"{frame.f_code.co_filename} {told}")
            frame = frame.f_back  # type: ignore[assignment]
        raise RuntimeError("a surprise in the middle of a payment")

    monkeypatch.setattr(stripe.StripeGateway, "confirm_payment", surprise)
    assert_error(seed5.server().pay(), 500, "INTERNAL_ERROR")
    ours = [text for text in seen if "/payments/" in text or "/pimpshop/" in text]
    assert len(ours) >= 5
    for text in ours:
        assert of_the_card(text) == [], text
    body = requests.CreatePayment(data=seed5.create())
    body.is_valid(raise_exception=True)
    asked = body.asked(client_ip="127.0.0.1")
    for shown in (repr(body), repr(asked), repr(asked.means), repr(body.validated_data["payment_method"])):
        assert of_the_card(shown) == []


def test_a_repeated_answer_has_its_secret_and_no_row_shows_it(stripe_books: StripeBooks) -> None:
    server = seed5.server()
    first = server.pay(idempotency_key="unique-key-123").json()
    again = server.pay(idempotency_key="unique-key-123")
    assert (again.json(), again["Idempotent-Replayed"]) == (first, "true")
    assert first["client_secret"] not in every_row()
    assert PaymentIntent.objects.count() == 1
    assert len(PaymentIntent.objects.get().client_secret_hash) == 64
