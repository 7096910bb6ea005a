"""Shared tokens: one log-in for all processes."""

from __future__ import annotations

import threading
import time

import pytest

from pimpshop.core import crypto, tokens
from pimpshop.core.models import SharedToken
from pimpshop.core.tokens import SharedTokenStore
from tests.support import threads


class Provider:
    """Counts log-ins; each takes a moment, as the real one does."""

    def __init__(self) -> None:
        self.logins = 0
        self.at_once = 0
        self.lock = threading.Lock()

    def login(self) -> str:
        with self.lock:
            self.logins += 1
            self.at_once += 1
            assert self.at_once == 1
            token = f"token-{self.logins}"
        time.sleep(0.1)
        with self.lock:
            self.at_once -= 1
        return token


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty threads in a row may take longer on a busy machine than a page would wait."""
    monkeypatch.setattr(tokens, "WAIT_SECONDS", 60.0)


@pytest.mark.django_db
def test_a_token_is_kept_sealed_and_shared() -> None:
    store = SharedTokenStore("manufacturer")
    assert store.get() is None
    assert store.single_flight(lambda: "secret-token", None) == "secret-token"
    row = SharedToken.objects.get()
    assert (row.name, crypto.unseal(row.sealed)) == ("manufacturer", "secret-token")
    assert "secret-token" not in row.sealed
    assert SharedTokenStore("manufacturer").get() == "secret-token"
    assert SharedTokenStore("other").get() is None


@pytest.mark.django_db
def test_who_comes_late_takes_the_new_token() -> None:
    store = SharedTokenStore("manufacturer")
    store.single_flight(lambda: "new", None)
    assert store.single_flight(lambda: pytest.fail("logged in again"), "old") == "new"
    assert store.single_flight(lambda: "newer", "new") == "newer"
    assert SharedToken.objects.count() == 1


@pytest.mark.django_db
def test_a_token_sealed_under_a_lost_key_counts_as_none() -> None:
    SharedToken.objects.create(name="manufacturer", sealed="garbage")
    store = SharedTokenStore("manufacturer")
    assert store.get() is None
    assert store.single_flight(lambda: "fresh", None) == "fresh"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_log_in_once() -> None:
    provider = Provider()
    store = SharedTokenStore("manufacturer")
    known = store.get()  # none, for all of them: who looks later has the new one, and would be renewing it
    assert threads.together(20, lambda _: store.single_flight(provider.login, known)) == ["token-1"] * 20
    assert provider.logins == 1
    # All of them were told 401 for the same token: one renews.
    assert threads.together(20, lambda _: store.single_flight(provider.login, "token-1")) == ["token-2"] * 20
    assert provider.logins == 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_failed_log_in_holds_up_nobody() -> None:
    store = SharedTokenStore("manufacturer")

    def fail() -> str:
        raise ConnectionError("the provider is down")

    with pytest.raises(ConnectionError):
        store.single_flight(fail, None)
    assert SharedToken.objects.count() == 0
    began = time.monotonic()
    assert threads.together(2, lambda _: store.single_flight(lambda: "fresh", None)) == ["fresh", "fresh"]
    assert time.monotonic() - began < tokens.WAIT_SECONDS / 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_different_providers_do_not_wait_for_each_other() -> None:
    gate = threading.Barrier(2)

    def login() -> str:
        gate.wait(timeout=30)  # both are inside at the same time
        return "t"

    stores = [SharedTokenStore("a"), SharedTokenStore("b")]
    assert threads.together(2, lambda number: stores[number].single_flight(login, None)) == ["t", "t"]
