"""What goes wrong at the simulated Airwallex: lost answers charge once, bad posts are not believed, nothing leaks."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from payments.gateways import base
from pimpshop.core.money import Money
from tests.sandbox.conftest import StandInShop
from tests.sandbox.test_sandbox_airwallex import (
    API_KEY,
    GOOD,
    HOOK,
    SECRET,
    card,
    gateway,
    pay,
    records,
    ref,
    refund,
    request,
)  # fmt: skip
from tests.support.sandbox import Sandbox

__all__ = ["gateway", "records"]


@pytest.mark.parametrize("fault", ["answer_lost_after_accepting", "error_after_accepting"])
def test_a_lost_answer_charges_once(gateway: Any, sandbox_client: Sandbox, fault: str) -> None:
    asked = request()
    sandbox_client.fault(fault, provider="airwallex", count=1, target="payment_intents/create")
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(asked)
    assert caught.value.outcome == "unknown"
    made = gateway.create_payment(dataclasses.replace(asked, resend=True))
    confirm = dataclasses.replace(asked, provider_ref=made.provider_ref, instrument=card(GOOD))
    sandbox_client.fault(fault, provider="airwallex", count=1, target="payment_intents/confirm")
    with pytest.raises(base.GatewayUnavailable):
        gateway.confirm_payment(confirm)
    assert gateway.confirm_payment(dataclasses.replace(confirm, resend=True)).status == "succeeded"
    assert gateway.confirm_payment(confirm).status == "succeeded"  # even without knowing
    sandbox_client.fault(fault, provider="airwallex", count=1, target="refunds/create")
    wanted = refund(made, asked, "R1", 500)
    with pytest.raises(base.GatewayUnavailable):
        gateway.create_refund(wanted)
    assert gateway.create_refund(wanted).amount == Money(500, "GBP")
    books = sandbox_client.books("airwallex")
    assert [len(books[kind]) for kind in ("payment_intents", "payment_attempts", "refunds")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("fault", "code", "not_sent"),
    [
        ("down", "unavailable", False),
        ("dropped", "unavailable", False),
        ("rate_limited", "rate_limited", True),
    ],
)
def test_no_answer_and_no_entry(
    gateway: Any, sandbox_client: Sandbox, fault: str, code: str, not_sent: bool
) -> None:
    sandbox_client.fault(fault, provider="airwallex", count=1, target="payment_intents/create")
    with pytest.raises(base.GatewayUnavailable) as caught:
        gateway.create_payment(request())
    assert (caught.value.code, caught.value.not_sent) == (code, not_sent)
    assert sandbox_client.books("airwallex")["payment_intents"] == []
    assert gateway.create_payment(request()).status == "created"


def test_a_void_token_is_renewed_and_a_slow_answer_is_waited_for(
    gateway: Any, sandbox_client: Sandbox
) -> None:
    gateway.create_payment(request())
    sandbox_client.fault("token_expired", provider="airwallex", count=1)
    sandbox_client.fault("slow", provider="airwallex", count=1, seconds=0.3, target="payment_intents/create")
    other = request("P2")
    assert gateway.create_payment(other).status == "created"
    assert sandbox_client.books("airwallex")["calls"]["in authentication/login"] == 2


def test_a_used_request_id_is_refused_there_and_found_here(gateway: Any, sandbox_client: Sandbox) -> None:
    first, second = gateway.create_payment(request()), gateway.create_payment(request())
    assert first.provider_ref == second.provider_ref
    answers = [call["status"] for call in sandbox_client.calls("payment_intents/create")]
    assert answers == [400, 201]


def test_wrong_credentials_and_versions_are_refused(sandbox_client: Sandbox) -> None:
    base_url = f"{sandbox_client.base_url}/airwallex/api/v1"
    refused = requests.post(
        f"{base_url}/authentication/login", headers={"x-client-id": "x", "x-api-key": API_KEY}, timeout=9
    )
    unknown = requests.get(f"{base_url}/pa/payment_intents/int_1", timeout=9)
    assert (refused.status_code, unknown.status_code) == (401, 401)
    assert set(unknown.json()) == {"code", "message", "source", "trace_id", "details"}


def arrived(shop: StandInShop) -> list[tuple[dict[str, str], bytes]]:
    return [(headers, body) for _, path, headers, body in shop.seen if path == HOOK]


def believed(gateway: Any, headers: dict[str, str], body: bytes) -> base.WebhookEvent:
    return gateway.read_webhook(
        base.WebhookRequest(body=body, headers=headers, received_at=datetime.now(UTC))
    )[0]


def wait_for_posts(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.wait_for(
        lambda books: books["posts"] if all(p["acknowledged"] or p["lost"] for p in books["posts"]) else None,
        provider="airwallex",
    )


def test_a_wrong_signature_is_not_believed(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    sandbox_client.fault("wrong_signature", provider="airwallex", count=1, target="post/payment_intent")
    gateway.create_payment(request())
    wait_for_posts(sandbox_client)
    ((headers, body),) = arrived(stand_in_shop)
    with pytest.raises(base.WebhookRejected) as caught:
        believed(gateway, headers, body)
    assert caught.value.code == "bad_signature"


def test_a_wrong_amount_is_told(gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox) -> None:
    sandbox_client.fault("wrong_amount", provider="airwallex", count=1)
    gateway.create_payment(request())
    wait_for_posts(sandbox_client)
    ((headers, body),) = arrived(stand_in_shop)
    event = believed(gateway, headers, body)
    assert event.amount_told == Money(2099, "GBP").to_decimal()
    assert event.disagrees_with(Money(1999, "GBP"))


def test_lost_doubled_and_late_posts(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    sandbox_client.fault("lost_webhook", provider="airwallex", count=1, target="post/payment_intent")
    gateway.create_payment(request())
    sandbox_client.fault(
        "duplicate_webhook", provider="airwallex", count=1, seconds=0.1, target="post/payment_intent"
    )
    sandbox_client.fault(
        "late_webhook", provider="airwallex", count=1, seconds=0.4, target="post/payment_intent"
    )
    started = time.monotonic()
    gateway.create_payment(request("P2"))
    posts = wait_for_posts(sandbox_client)
    assert time.monotonic() - started > 0.3
    assert [(p["lost"], p["attempts"] > 0) for p in posts] == [(1, False), (0, True)]
    sandbox_client.wait_for(lambda books: books["posts"][1]["attempts"] == 2, provider="airwallex")
    first, second = (believed(gateway, *one) for one in arrived(stand_in_shop))
    assert (first.dedupe_key, first.out_trade_no) == (second.dedupe_key, "P2")


def test_an_older_state_may_arrive_last(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    sandbox_client.fault("reordered", provider="airwallex", count=1, seconds=3600)
    pay(gateway)
    sandbox_client.wait_for(
        lambda books: all(p["acknowledged"] for p in books["posts"] if p["name"] != "payment_intent.created"),
        provider="airwallex",
    )
    sandbox_client.post("hurry", {})
    wait_for_posts(sandbox_client)
    told = [event.kind for event in (believed(gateway, *one) for one in arrived(stand_in_shop))]
    assert told[-1] == "payment_intent.created"
    assert "payment_intent.succeeded" in told


def test_a_post_that_is_not_acknowledged_is_repeated(
    gateway: Any, stand_in_shop: StandInShop, sandbox_client: Sandbox
) -> None:
    sandbox_client.knobs(airwallex_repeat_seconds=0.05)
    stand_in_shop.answers[HOOK] = (500, {})
    gateway.create_payment(request())
    sandbox_client.wait_for(lambda books: books["posts"][0]["attempts"] >= 3, provider="airwallex")
    stand_in_shop.answers.clear()
    wait_for_posts(sandbox_client)
    assert len({body for _, body in arrived(stand_in_shop)}) == 1


def test_tests_may_answer_a_challenge_by_hand(gateway: Any, sandbox_client: Sandbox) -> None:
    waiting, asked = pay(gateway, "4000002500003155")
    key = waiting.next_action.url.rstrip("/").rpartition("/")[2]
    url = f"{sandbox_client.base_url}/sandbox/api/airwallex/3ds/{key}"
    assert requests.post(url, json={"result": "perhaps"}, timeout=9).status_code == 400
    for _ in range(2):
        assert (
            requests.post(url, json={"result": "approve"}, timeout=9).json()["challenge"]["result"]
            == "approve"
        )
    assert gateway.query_payment(ref(waiting, asked)).status == "succeeded"


def test_no_card_and_no_secret_stays_anywhere(gateway: Any, records: list, sandbox_client: Sandbox) -> None:
    pay(gateway)
    kept = repr([sandbox_client.books("airwallex"), sandbox_client.calls(), records])
    hidden = (GOOD, API_KEY, SECRET, "Zoe Tester", "'123'", '"123"')
    assert [one for one in hidden if one in repr(records)] == []
    assert [one for one in (GOOD, API_KEY, SECRET) if one in kept] == []
