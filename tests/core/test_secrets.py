"""Signed picture links and sealed secrets."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from pimpshop.core import crypto, storage

DESIGN = uuid.UUID("12345678-1234-5678-1234-567812345678")
HOUR = timedelta(hours=1)


# --- Picture links ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["print", "preview"])
def test_a_token_names_kind_and_design(kind: str) -> None:
    token = storage.make_token(kind, DESIGN, HOUR)
    assert storage.read_token(token) == (kind, DESIGN)
    assert len(token) == 51
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_an_unknown_kind_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        storage.make_token("photo", DESIGN, HOUR)


def test_a_token_ends_with_its_life() -> None:
    token = storage.make_token("print", DESIGN, HOUR, now=1000)
    assert storage.read_token(token, now=1000 + 3600) == ("print", DESIGN)
    assert storage.read_token(token, now=1000 + 3601) is None


def test_print_links_outlive_the_manufacturers_longest_retry() -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        path = storage.picture_path("print", DESIGN, storage.PRINT_LINK_LIFE)
        token = path.removeprefix("/pictures/").removesuffix(".png")
        assert path == f"/pictures/{token}.png"
        clock.shift(timedelta(hours=48))
        for _ in range(30):  # as often as somebody asks
            assert storage.read_token(token) == ("print", DESIGN)


def test_every_flipped_bit_is_noticed() -> None:
    token = storage.make_token("print", DESIGN, HOUR)
    raw = base64.urlsafe_b64decode(token + "=")
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        assert storage.read_token(base64.urlsafe_b64encode(forged).decode().rstrip("=")) is None


def test_there_is_one_spelling_of_a_token() -> None:
    token = storage.make_token("print", DESIGN, HOUR)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for position in range(len(token)):
        for other in alphabet.replace(token[position], ""):
            assert storage.read_token(token[:position] + other + token[position + 1 :]) is None
    for wrong in (
        token + "=",
        token + "A",
        token[:-1],
        " " + token,
        token + "\n",
        token[:9] + "!" + token[9:],
        token * 2,
    ):
        assert storage.read_token(wrong) is None


@pytest.mark.parametrize(
    "wrong", ["", "A", "é", "壳", "\x00", "=" * 51, "A" * 51, "A" * 100_000, "../../etc/passwd"]
)
def test_nonsense_is_no_token(wrong: str) -> None:
    assert storage.read_token(wrong) is None


def test_another_secret_makes_other_tokens(settings: Any) -> None:
    token = storage.make_token("print", DESIGN, HOUR)
    settings.SECRET_KEY = "another-" * 8
    assert storage.read_token(token) is None


def test_public_links_start_with_the_shops_address(settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://shop.example.com"
    assert storage.public_url("/pictures/x.png") == "https://shop.example.com/pictures/x.png"


# --- Sealing ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["", "token", "令牌 😀", "x" * 100_000])
def test_what_is_sealed_can_be_read_again_by_us(text: str) -> None:
    sealed = crypto.seal(text)
    assert crypto.unseal(sealed) == text
    assert text == "" or text not in sealed
    assert crypto.seal(text) != sealed


def test_a_touched_seal_opens_nothing() -> None:
    sealed = crypto.seal("token")
    for position in range(0, len(sealed), 7):
        other = "A" if sealed[position] != "A" else "B"
        assert crypto.unseal(sealed[:position] + other + sealed[position + 1 :]) is None
    for wrong in ("", "token", "壳", sealed[:-4], "\x00"):
        assert crypto.unseal(wrong) is None


def test_a_changed_secret_opens_nothing_unless_the_old_one_is_kept(settings: Any) -> None:
    sealed = crypto.seal("token")
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another-" * 8
    assert crypto.unseal(sealed) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert crypto.unseal(sealed) == "token"
