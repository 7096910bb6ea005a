"""/account/cards/, /account/devices/, the language: what somebody may end and choose, and that it is theirs alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import User
from accounts.services import languages, tokens
from payments.models import SavedPaymentMethod
from payments.services import keeping
from tests import factories as make
from tests.support import seed5
from tests.support.seed5 import card
from tests.support.stripe_books import DOWN, StripeBooks

pytestmark = pytest.mark.django_db
CARDS, DEVICES = "/account/cards/", "/account/devices/"


def logged_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def opens(token: str) -> int:
    return Client().get("/api/credits", headers={"authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def stripe_books() -> Iterator[StripeBooks]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield StripeBooks(mock)


@pytest.fixture
def alice(db: None) -> User:
    return make.user("alice@example.com")


def save(user: User, *, default: bool = False) -> SavedPaymentMethod:
    body = {"gateway_id": "stripe", "payment_method_data": card(), "set_as_default": default}
    answer = seed5.shopper(user).post("/api/v2/payment-methods", body)
    return SavedPaymentMethod.objects.get(public_id=answer.json()["token"].removeprefix("pm_"))


# --- Cards ------------------------------------------------------------------------------------------------------------
def test_cards_are_shown_chosen_and_removed_at_the_provider_too(
    alice: User, stripe_books: StripeBooks
) -> None:
    first, second = save(alice, default=True), save(alice)
    client = logged_in(alice)
    page = text(client.get(CARDS))
    assert re.findall(r'data-card="([\w-]+)"', page) == [str(first.public_id), str(second.public_id)]
    assert page.count("4242") == 2
    assert "good until 12/2035" in page
    assert "4242424242424242" not in page

    answer = client.post(CARDS, {"method": str(second.public_id), "do": "default"})
    assert (answer.status_code, answer["Location"]) == (302, CARDS)
    assert [row.pk for row in keeping.kept(alice)] == [second.pk, first.pk]
    gone = client.post(CARDS, {"method": str(second.public_id), "do": "remove"}, follow=True)
    assert "It is removed, at the provider too." in text(gone)
    assert (stripe_books.count("detach"), [row.pk for row in keeping.kept(alice)]) == (1, [first.pk])


def test_a_provider_that_is_away_keeps_the_card_and_that_is_said(
    alice: User, stripe_books: StripeBooks
) -> None:
    row = save(alice)
    stripe_books.fail("detach", DOWN)
    answer = logged_in(alice).post(CARDS, {"method": str(row.public_id), "do": "remove"}, follow=True)
    assert "It is still saved. Please try again." in text(answer)
    assert [kept.pk for kept in keeping.kept(alice)] == [row.pk]


def test_nobody_changes_anothers_card(alice: User, stripe_books: StripeBooks) -> None:
    row = save(alice, default=True)
    stranger = logged_in(make.user())
    for do in ("remove", "default"):
        for method in (str(row.public_id), "x", ""):
            assert stranger.post(CARDS, {"method": method, "do": do}).status_code == 404
    assert stripe_books.count("detach") == 0
    assert "data-card" not in text(stranger.get(CARDS))
    assert "No card is saved" in text(stranger.get(CARDS))


# --- Devices ----------------------------------------------------------------------------------------------------------
def test_a_device_is_logged_out_and_only_ones_own(alice: User) -> None:
    token, row = tokens.issue(alice, label="<b>iPhone</b>")
    other, _row = tokens.issue(alice)
    client = logged_in(alice)
    page = text(client.get(DEVICES))
    assert "&lt;b&gt;iPhone&lt;/b&gt;" in page
    assert "A device without a name" in page
    assert logged_in(make.user()).post(DEVICES, {"device": row.pk}).status_code == 404
    assert opens(token) == 200
    assert client.post(DEVICES, {"device": row.pk})["Location"] == DEVICES
    assert (opens(token), opens(other)) == (401, 200)
    assert [client.post(DEVICES, {"device": wrong}).status_code for wrong in (row.pk, "x", "")] == [404] * 3


def test_log_out_everywhere_keeps_this_browser_alone(alice: User) -> None:
    token, _row = tokens.issue(alice)
    here, elsewhere, bob = logged_in(alice), logged_in(alice), logged_in(make.user())
    answer = here.post(DEVICES, {"everywhere": "1"}, follow=True)
    assert "Every other device and browser is logged out." in text(answer)
    assert opens(token) == 401
    assert [client.get(DEVICES).status_code for client in (here, elsewhere, bob)] == [200, 302, 200]
    again = logged_in(alice)
    here.post(DEVICES, {"everywhere": "1"})
    assert [client.get(DEVICES).status_code for client in (here, again)] == [200, 302]


@pytest.mark.parametrize("path", [CARDS, DEVICES, "/account/language/"])
def test_a_post_without_the_pages_token_changes_nothing(alice: User, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    token, row = tokens.issue(alice)
    body = {"everywhere": "1", "device": row.pk, "language": "zh-hans"}
    assert client.post(path, body).status_code == 403
    alice.refresh_from_db()
    assert (opens(token), alice.language) == (200, "en")
    assert Client().post(path, body).status_code == 302


# --- Language ---------------------------------------------------------------------------------------------------------
def test_the_switch_keeps_the_language_for_mails_too(alice: User) -> None:
    client = logged_in(alice)
    page = text(client.get("/account/"))
    assert page.count('action="/account/language/"') == 3  # the head's switch, the foot's, and the page's own
    answer = client.post("/account/language/", {"language": "zh-hans", "next": "/credits/"})
    assert (answer.status_code, answer["Location"]) == (302, "/credits/")
    alice.refresh_from_db()
    assert alice.language == "zh-hans"
    assert 'lang="zh-hans"' in text(client.get("/account/"))
    assert (
        client.post("/account/language/", {"language": "xx", "next": "/account/"})["Location"] == "/account/"
    )
    away = client.post("/account/language/", {"language": "en", "next": "https://evil.example.com/"})
    assert away["Location"].startswith("/")
    assert (languages.keep(alice, "fr"), languages.keep(alice, "en")) == (False, True)
