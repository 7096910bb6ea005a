"""Pay with credits: the contract, spoken with a ledger instead of a wire, and what is special about it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from payments.gateways import base, credits
from pimpshop.core.money import Money
from tests.payments.gateways.contract import NOW, GatewayContract

OUT_TRADE_NO = "PYEN250830540573"
VERBS = {
    "create": "hold", "query": "look", "close": "release", "refund": "give_back", "query_refund": "look_refund",
}  # fmt: skip


@dataclasses.dataclass
class Sent:
    """One call of the ledger, shaped as the contract looks at a request."""

    verb: str
    what: dict[str, Any]
    url: str = ""

    @property
    def request(self) -> Sent:
        return self

    @property
    def body(self) -> str:
        return json.dumps(self.what, sort_keys=True, default=str)


class Ledger:
    """Answers as it was told, and remembers what it was asked; an answer that is an exception is raised."""

    def __init__(self) -> None:
        self.calls: list[Sent] = []
        self.answers: dict[str, Any] = {}

    def reset(self) -> None:
        self.__init__()  # type: ignore[misc]

    def verb(self, name: str) -> Callable[..., Any]:
        def call(**what: Any) -> Any:
            self.calls.append(Sent(name, what))
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def config(self) -> credits.Config:
        return credits.Config(**{name: self.verb(name) for name in VERBS.values()})


class TestContract(GatewayContract):
    """The words of the ledger instead of HTTP. What only a wire can do (a status line, a redirect) is an answer that is
    none; what only a provider's page or post can do is refused."""

    KEY = "credits"
    CURRENCY, PRICE = "CREDITS", "1500"
    METHOD = "credits"
    PROVIDER_REF = OUT_TRADE_NO
    ACTION = type(None)
    STATUSES = {
        "held": base.PaymentStatus.SUCCEEDED,
        "committed": base.PaymentStatus.SUCCEEDED,
        "released": base.PaymentStatus.CANCELED,
    }
    REFUSALS = {
        "not_enough": (base.GatewayDeclined, "insufficient_funds"),
        "already_held": (base.GatewayDeclined, "already_paid"),
        "taken": (base.GatewayDeclined, "duplicate_reference"),
        "nobody": (base.GatewayMisuse, "invalid_request"),
    }
    AMOUNTS = ("1", "1500", "20000")
    SECRETS = ("alice@example.com",)
    ACKNOWLEDGEMENT = b"{}"

    @pytest.fixture
    def wire(self):
        return Ledger()

    @pytest.fixture
    def gateway(self, wire):
        return credits.CreditsGateway(wire.config())

    def request(self, **changes: Any) -> base.PaymentRequest:
        return super().request(**{"payer_ref": "7", "expires_at": NOW} | changes)

    def refund_request(self) -> base.RefundRequest:
        return base.RefundRequest(
            refund_id="ref_1", out_refund_no="R1", out_trade_no=OUT_TRADE_NO, amount=Money(500, "CREDITS"),
            total=Money(1500, "CREDITS"), idempotency_key="R1:refund", provider_ref=OUT_TRADE_NO,
        )  # fmt: skip

    def stub(self, wire, verb, case):
        words: dict[str, Any] = {"ok": "held", "unknown_id": ("unknown", 0), "foreign": ("unknown", 0)}
        answer = words.get(case, case)
        if case.startswith("status:"):
            answer = (case.removeprefix("status:"), 1500)
        wire.answers[VERBS[verb]] = answer

    def break_wire(self, wire, verb, **answer):
        body = answer.get("body", {})
        broken = body if isinstance(body, Exception) else {"status": answer.get("status"), "body": body}
        wire.answers[VERBS[verb]] = broken

    def calls(self, wire, verb):
        return [sent for sent in wire.calls if sent.verb == VERBS[verb]]

    def wire_amount(self, sent):
        return Decimal(sent.what["amount"])

    def wire_key(self, sent):
        return sent.what["reference"]

    # --- where a ledger differs from a wire ---

    def test_methods_are_offered_for_money_only(self, gateway):
        assert [method.key for method in gateway.methods("CREDITS", Money(1500, "CREDITS"))] == ["credits"]
        assert list(gateway.methods("CREDITS", Money(0, "CREDITS"))) == []
        assert list(gateway.methods("GBP", Money(1999, "GBP"))) == []

    def test_create_answers_what_the_shopper_does_next(self, gateway, wire):
        """Nothing: what is held is paid."""
        self.stub(wire, "create", "ok")
        result = gateway.create_payment(self.request())
        assert (result.status, result.next_action) == (base.PaymentStatus.SUCCEEDED, None)
        assert (result.provider_ref, result.amount) == (OUT_TRADE_NO, Money(1500, "CREDITS"))
        assert wire.calls[0].what == {
            "payer": "7", "amount": 1500, "reference": OUT_TRADE_NO, "subject": "P20250830075329AB12CD34",
            "until": NOW + timedelta(minutes=15),
        }  # fmt: skip

    def test_no_connection_is_known_not_to_be_sent(self, gateway, wire):
        """A ledger has no such moment: whatever it raises, the outcome is unknown and the call may be repeated."""
        self.break_wire(wire, "create", body=requests.exceptions.ConnectTimeout("connect"))
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        self._unknown(caught.value)

    def test_a_good_post_names_our_payment(self, gateway):
        with pytest.raises(base.WebhookRejected) as caught:
            gateway.read_webhook(self.post("good"))
        assert caught.value.http_status == 404

    def test_a_repeat_has_the_same_dedupe_key(self, gateway):
        for _again in range(2):
            with pytest.raises(base.WebhookRejected):
                gateway.read_webhook(self.post("good"))

    def post(self, case):
        body = json.dumps({"reference": OUT_TRADE_NO, "status": "committed", "case": case}).encode()
        return base.WebhookRequest(body=body, received_at=NOW)

    def test_every_call_gives_one_record(self, gateway, wire):
        """None leaves the house; the ledger's own rows tell."""
        self.stub(wire, "create", "ok")
        self.stub(wire, "query", "status:held")
        gateway.create_payment(self.request())
        gateway.query_payment(self.ref())
        assert [sent.verb for sent in wire.calls] == ["hold", "look"]

    def test_no_secret_is_ever_seen(self, gateway, wire, caplog):
        self.break_wire(wire, "create", body=RuntimeError("of alice@example.com"))
        with pytest.raises(base.GatewayError) as caught:
            gateway.create_payment(self.request())
        seen = [
            str(caught.value),
            repr(caught.value),
            caught.value.to_detail(),
            repr(gateway),
            caplog.messages,
        ]
        assert "alice" not in repr(seen)

    def test_values_are_frozen(self, gateway, wire):
        self.stub(wire, "create", "ok")
        for value in (gateway.create_payment(self.request()), self.request(), self.ref(), wire.config()):
            with pytest.raises(dataclasses.FrozenInstanceError):
                value.status = "succeeded"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def gateway(ledger: Ledger) -> credits.CreditsGateway:
    return credits.CreditsGateway(ledger.config())


def test_money_is_never_held(gateway: credits.CreditsGateway, ledger: Ledger) -> None:
    with pytest.raises(base.GatewayMisuse) as caught:
        gateway.create_payment(TestContract().request(amount=Money(1999, "GBP")))
    assert (caught.value.code, caught.value.not_sent, ledger.calls) == ("amount_invalid", True, [])


@pytest.mark.parametrize(
    ("word", "status"),
    [("released", base.PaymentStatus.CANCELED), ("committed", base.PaymentStatus.SUCCEEDED)],
)
def test_closing_answers_how_it_ended(
    gateway: credits.CreditsGateway, ledger: Ledger, word: str, status: base.PaymentStatus
) -> None:
    ledger.answers["release"] = (word, 1500)
    assert gateway.close_payment(TestContract().ref()).status == status


def test_a_refund_is_done_at_once(gateway: credits.CreditsGateway, ledger: Ledger) -> None:
    ledger.answers["give_back"] = "given_back"
    result = gateway.create_refund(TestContract().refund_request())
    assert (result.status, result.provider_ref, result.amount) == (
        base.RefundStatus.SUCCEEDED, "R1", Money(500, "CREDITS"),
    )  # fmt: skip
    assert ledger.calls[0].what == {"reference": OUT_TRADE_NO, "amount": 500, "refund": "R1", "reason": ""}


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [
        ("too_much", base.GatewayDeclined, "refund_amount_invalid"),
        ("taken", base.GatewayDeclined, "duplicate_reference"),
        ("unknown", base.GatewayMisuse, "not_found"),
    ],
)
def test_a_refund_that_is_refused(
    gateway: credits.CreditsGateway, ledger: Ledger, word: str, kind: type[base.GatewayError], code: str
) -> None:
    ledger.answers["give_back"] = word
    with pytest.raises(kind) as caught:
        gateway.create_refund(TestContract().refund_request())
    assert (caught.value.code, caught.value.not_sent) == (code, True)


def test_a_refund_is_looked_up(gateway: credits.CreditsGateway, ledger: Ledger) -> None:
    ledger.answers["look_refund"] = ("given_back", 500)
    assert gateway.query_refund(TestContract().refund_request()).status == base.RefundStatus.SUCCEEDED
    ledger.answers["look_refund"] = ("unknown", 0)
    assert gateway.query_refund(TestContract().refund_request()).flags == (base.Flag.NOT_FOUND,)


@pytest.mark.parametrize("answer", [None, "held", ("held",), ("held", "1500"), (1, 1500), ("held", True)])
def test_an_answer_that_is_none_is_unknown(
    gateway: credits.CreditsGateway, ledger: Ledger, answer: Any
) -> None:
    ledger.answers["look"] = answer
    with pytest.raises(base.GatewayUnavailable):
        gateway.query_payment(TestContract().ref())
