"""The contract that every gateway keeps: inherit `GatewayContract` and fill in the provider's words.

A subclass says how its provider answers (`stub`), what it posts (`post`) and what must never be seen (SECRETS).
Each test runs the real gateway against `responses`; what a gateway cannot do must refuse without a call.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import requests
import responses

from payments.gateways import base
from pimpshop.core.http import CallRecord
from pimpshop.core.money import Money

NOW = datetime(2025, 8, 30, 7, 53, 29, tzinfo=UTC)


class GatewayContract:
    """About 25 tests. Everything above `--- the tests` is for the subclass to set or override."""

    KEY: ClassVar[str]
    CURRENCY: ClassVar[str] = "GBP"
    PRICE: ClassVar[str] = "19.99"
    METHOD: ClassVar[str]
    PROVIDER_REF: ClassVar[str]
    ACTION: ClassVar[type]
    #: every word of the provider for a payment -> ours
    STATUSES: ClassVar[dict[str, base.PaymentStatus]]
    UNKNOWN_WORD: ClassVar[str] = "BRAND_NEW_WORD"
    #: provider refusals of create: case -> (error class, our code)
    REFUSALS: ClassVar[dict[str, tuple[type[base.GatewayError], str]]]
    AMOUNTS: ClassVar[tuple[str, ...]] = ("19.99", "0.29", "1.10", "20.00", "100.00")
    SECRETS: ClassVar[tuple[str, ...]]
    GARBAGE: ClassVar[tuple[bytes, ...]] = (
        b"",
        b"\xff\xfe",
        b"[",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{}",
        b"[[]]",
        b"<xml/>",
    )
    ACKNOWLEDGEMENT: ClassVar[bytes]

    def make(self, recorder: Any = None) -> base.Gateway:
        """The gateway with test credentials (every one of them in SECRETS) and `recorder`."""
        raise NotImplementedError

    def stub(self, wire: responses.RequestsMock, verb: str, case: str) -> None:
        """Let the provider answer `verb` (create, query, capture, close, refund, query_refund) with `case`: "ok", a
        key of REFUSALS, "unknown_id", "foreign" (about another payment), "status:<word>", or "body:<text>"."""
        raise NotImplementedError

    def break_wire(self, wire: responses.RequestsMock, verb: str, **answer: Any) -> None:
        """Let the call of `verb` itself (not the log-in) end as responses.add(**answer) says."""
        raise NotImplementedError

    def calls(self, wire: responses.RequestsMock, verb: str) -> list[requests.PreparedRequest]:
        """The requests of that verb, without log-ins."""
        raise NotImplementedError

    def wire_amount(self, sent: requests.PreparedRequest) -> Decimal:
        """The amount on the wire in major units."""
        raise NotImplementedError

    def wire_key(self, sent: requests.PreparedRequest) -> str:
        """What makes the provider treat a repeat as the same payment."""
        raise NotImplementedError

    def post(self, case: str) -> base.WebhookRequest:
        """A post about a success: "good", "tampered", "stale", "foreign"."""
        raise NotImplementedError

    def request(self, **changes: Any) -> base.PaymentRequest:
        """The attempt that every test makes."""
        values: dict[str, Any] = {
            "intent_id": "pay_123e4567-e89b-12d3-a456-426614174000",
            "out_trade_no": "PYEN250830540573",
            "order_no": "P20250830075329AB12CD34",
            "amount": Money.parse(self.PRICE, self.CURRENCY),
            "method": self.METHOD,
            "description": "iPhone 15 Pro case",
            "idempotency_key": "P20250830075329AB12CD34:1:create",
            "return_url": "https://shop.example/orders/1/",
            "device": base.Device(machine_id="CXYLOGD8OQUK", mobile_model_id="MM020250224000010"),
        }
        return base.PaymentRequest(**(values | changes))

    def ref(self) -> base.PaymentRef:
        """The same attempt when it exists."""
        made = self.request()
        return base.PaymentRef(
            intent_id=made.intent_id, out_trade_no=made.out_trade_no, amount=made.amount, order_no=made.order_no,
            provider_ref=self.PROVIDER_REF, method=made.method, idempotency_key=made.idempotency_key,
        )  # fmt: skip

    def refund_request(self) -> base.RefundRequest:
        """A refund of a part."""
        made = self.request()
        return base.RefundRequest(
            refund_id="ref_1", out_refund_no="R1", out_trade_no=made.out_trade_no,
            amount=Money.parse("5.00", self.CURRENCY), total=made.amount, idempotency_key="R1:refund",
            provider_ref=self.PROVIDER_REF,
        )  # fmt: skip

    # --- plumbing ---

    @pytest.fixture
    def wire(self):
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            yield mock

    @pytest.fixture
    def records(self) -> list[CallRecord]:
        return []

    @pytest.fixture
    def gateway(self, records: list[CallRecord]) -> base.Gateway:
        return self.make(records.append)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        known: dict[str, list[Any]] = {
            "word": list(self.STATUSES),
            "refusal": list(self.REFUSALS),
            "amount": list(self.AMOUNTS),
            "garbage": list(self.GARBAGE),
        }
        for name, values in known.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values)

    def _unknown(self, error: base.GatewayError) -> None:
        assert (error.outcome, error.not_sent, error.permanent) == (base.Outcome.UNKNOWN, False, False)

    # --- the tests ---

    def test_it_is_a_gateway_with_its_key(self, gateway):
        assert isinstance(gateway, base.Gateway)
        assert gateway.key == self.KEY

    def test_methods_are_offered_for_money_only(self, gateway):
        some = gateway.methods(self.CURRENCY, Money.parse(self.PRICE, self.CURRENCY))
        assert self.METHOD in [method.key for method in some]
        assert all(method.label for method in some)
        assert list(gateway.methods(self.CURRENCY, Money(0, self.CURRENCY))) == []

    def test_create_answers_what_the_shopper_does_next(self, gateway, wire):
        self.stub(wire, "create", "ok")
        result = gateway.create_payment(self.request())
        assert result.status == base.PaymentStatus.REQUIRES_ACTION
        assert result.outcome == base.Outcome.WAITING
        assert result.provider_ref == self.PROVIDER_REF
        assert type(result.next_action) is self.ACTION
        stored = json.loads(json.dumps(result.next_action.to_dict()))
        assert base.next_action_from_dict(stored) == result.next_action

    def test_the_amount_on_the_wire_is_exact(self, gateway, wire, amount):
        self.stub(wire, "create", "ok")
        gateway.create_payment(self.request(amount=Money.parse(amount, self.CURRENCY)))
        (sent,) = self.calls(wire, "create")
        assert self.wire_amount(sent) == Decimal(amount)

    def test_the_key_on_the_wire_comes_from_the_request(self, gateway, wire):
        self.stub(wire, "create", "ok")
        gateway.create_payment(self.request())
        gateway.create_payment(self.request())
        first, second = self.calls(wire, "create")
        made = self.request()
        assert self.wire_key(first) == self.wire_key(second)
        assert self.wire_key(first) in (made.idempotency_key, made.out_trade_no)

    def test_the_same_request_is_the_same_body(self, gateway, wire):
        self.stub(wire, "create", "ok")
        gateway.create_payment(self.request())
        gateway.create_payment(self.request())
        first, second = self.calls(wire, "create")
        assert first.body == second.body

    def test_nothing_to_pay_is_never_sent(self, gateway, wire):
        with pytest.raises(base.GatewayMisuse) as caught:
            gateway.create_payment(self.request(amount=Money(0, self.CURRENCY)))
        assert caught.value.not_sent
        assert len(wire.calls) == 0

    def test_a_refusal_has_its_class_and_standard_code(self, gateway, wire, refusal):
        kind, code = self.REFUSALS[refusal]
        self.stub(wire, "create", refusal)
        with pytest.raises(base.GatewayError) as caught:
            gateway.create_payment(self.request())
        assert (type(caught.value), caught.value.code) == (kind, code)
        assert code in set(base.ErrorCode)
        assert caught.value.to_detail().code == code

    def test_a_time_out_is_unknown(self, gateway, wire):
        self.break_wire(wire, "create", body=requests.exceptions.ReadTimeout("read"))
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        self._unknown(caught.value)

    def test_a_lost_connection_is_unknown(self, gateway, wire):
        self.break_wire(wire, "create", body=requests.exceptions.ConnectionError("reset"))
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        self._unknown(caught.value)

    def test_no_connection_is_known_not_to_be_sent(self, gateway, wire):
        self.break_wire(wire, "create", body=requests.exceptions.ConnectTimeout("connect"))
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        assert caught.value.not_sent
        assert caught.value.outcome == base.Outcome.NOT_ATTEMPTED

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_5xx_is_unknown(self, gateway, wire, status):
        self.break_wire(wire, "create", status=status, body="<html>oops</html>")
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        self._unknown(caught.value)

    @pytest.mark.parametrize("text", ["", "<html>", '{"a":', "null", "[]", "NaN"])
    def test_a_body_that_is_no_answer_is_unknown(self, gateway, wire, text):
        self.break_wire(wire, "create", status=200, body=text)
        with pytest.raises(base.GatewayUnavailable) as caught:
            gateway.create_payment(self.request())
        self._unknown(caught.value)

    def test_a_redirect_is_not_followed(self, gateway, wire):
        self.break_wire(wire, "create", status=307, headers={"Location": "https://evil.example/"})
        with pytest.raises(base.GatewayUnavailable):
            gateway.create_payment(self.request())
        assert not [call for call in wire.calls if "evil" in (call.request.url or "")]

    def test_every_status_of_the_provider_is_mapped(self, gateway, wire, word):
        self.stub(wire, "query", f"status:{word}")
        result = gateway.query_payment(self.ref())
        assert result.status == self.STATUSES[word]
        assert result.provider_status == word
        assert base.Flag.UNKNOWN_STATUS not in result.flags

    def test_an_unknown_status_is_processing_and_logged_once(self, gateway, wire, caplog):
        self.stub(wire, "query", f"status:{self.UNKNOWN_WORD}")
        results = [gateway.query_payment(self.ref()) for _ in range(3)]
        assert {result.status for result in results} == {base.PaymentStatus.PROCESSING}
        assert all(base.Flag.UNKNOWN_STATUS in result.flags for result in results)
        assert all(result.provider_status == self.UNKNOWN_WORD for result in results)
        assert len([line for line in caplog.messages if self.UNKNOWN_WORD in line]) <= 1

    def test_an_id_that_the_provider_does_not_know_is_no_failure(self, gateway, wire):
        self.stub(wire, "query", "unknown_id")
        result = gateway.query_payment(self.ref())
        assert (result.status, result.flags) == (base.PaymentStatus.CREATED, (base.Flag.NOT_FOUND,))

    def test_an_answer_about_another_payment_does_not_count(self, gateway, wire):
        self.stub(wire, "query", "foreign")
        try:
            result = gateway.query_payment(self.ref())
        except base.GatewayError:
            return
        assert result.status == base.PaymentStatus.CREATED

    @pytest.mark.parametrize("broken", [requests.exceptions.ReadTimeout("read"), "<html>"])
    def test_a_query_that_fails_says_nothing(self, gateway, wire, broken):
        self.break_wire(wire, "query", body=broken)
        with pytest.raises(base.GatewayUnavailable):
            gateway.query_payment(self.ref())

    def test_a_query_tells_the_amount_or_says_that_it_does_not(self, gateway, wire):
        paid = next(word for word, ours in self.STATUSES.items() if ours == base.PaymentStatus.SUCCEEDED)
        self.stub(wire, "query", f"status:{paid}")
        result = gateway.query_payment(self.ref())
        assert result.amount == (self.request().amount if gateway.tells_amount else None)

    @pytest.mark.parametrize("verb", ["capture", "close", "refund"])
    def test_a_verb_works_or_refuses_without_a_call(self, gateway, wire, verb):
        able = {"capture": gateway.can_capture, "close": gateway.can_close, "refund": gateway.can_refund}[
            verb
        ]
        run = {
            "capture": lambda: gateway.capture_payment(self.ref(), self.request().amount),
            "close": lambda: gateway.close_payment(self.ref()),
            "refund": lambda: gateway.create_refund(self.refund_request()),
        }[verb]
        if able:
            self.break_wire(wire, verb, body=requests.exceptions.ReadTimeout("read"))
            with pytest.raises(base.GatewayUnavailable) as lost:
                run()
            self._unknown(lost.value)
            return
        with pytest.raises(base.GatewayMisuse) as refused:
            run()
        assert (refused.value.code, refused.value.not_sent) == ("not_supported", True)
        assert len(wire.calls) == 0

    def test_a_good_post_names_our_payment(self, gateway):
        (event,) = gateway.read_webhook(self.post("good"))
        assert (event.gateway, event.account) == (self.KEY, gateway.account)
        assert self.request().out_trade_no == event.out_trade_no or event.provider_ref == self.PROVIDER_REF
        assert event.status == base.PaymentStatus.SUCCEEDED
        assert event.confirmed is gateway.webhook_is_proof
        assert event.dedupe_key

    def test_a_repeat_has_the_same_dedupe_key(self, gateway):
        (first,) = gateway.read_webhook(self.post("good"))
        (again,) = gateway.read_webhook(self.post("good"))
        assert first.dedupe_key == again.dedupe_key

    @pytest.mark.parametrize("case", ["tampered", "stale", "foreign"])
    def test_a_post_that_proves_nothing_is_refused_or_a_hint(self, gateway, case):
        if gateway.webhook_is_proof:
            with pytest.raises(base.WebhookRejected) as caught:
                gateway.read_webhook(self.post(case))
            assert 400 <= caught.value.http_status < 500
            return
        assert [event.confirmed for event in gateway.read_webhook(self.post(case))] == [False]

    def test_garbage_is_rejected(self, gateway, garbage):
        with pytest.raises(base.WebhookRejected) as caught:
            gateway.read_webhook(base.WebhookRequest(body=garbage, received_at=NOW))
        assert 400 <= caught.value.http_status < 500

    def test_a_huge_post_is_rejected(self, gateway):
        with pytest.raises(base.WebhookRejected):
            gateway.read_webhook(base.WebhookRequest(body=b"[" * 3_000_000, received_at=NOW))

    def test_the_acknowledgement_is_in_the_providers_words(self, gateway):
        reply = gateway.acknowledge()
        assert (reply.body, reply.status) == (self.ACKNOWLEDGEMENT, 200)
        assert gateway.acknowledge(accepted=False).status >= 400

    def test_every_call_gives_one_record(self, gateway, wire, records):
        self.stub(wire, "create", "ok")
        self.stub(wire, "query", f"status:{next(iter(self.STATUSES))}")
        gateway.create_payment(self.request())
        gateway.query_payment(self.ref())
        assert len(records) == len(wire.calls)
        assert {record.subject for record in records} == {self.request().order_no}
        assert {record.provider for record in records} != {""}

    def test_no_secret_is_ever_seen(self, gateway, wire, records, caplog):
        """Neither in results nor errors, records, logs or reprs, even when the provider throws them back."""
        echo = json.dumps({"echo": " ".join(self.SECRETS), "code": 500, "msg": " ".join(self.SECRETS)})
        self.stub(wire, "create", "ok")
        seen: list[Any] = [gateway.create_payment(self.request()), gateway, vars(gateway)]
        wire.reset()
        self.break_wire(wire, "create", status=200, body=echo)
        with pytest.raises(base.GatewayError) as caught:
            gateway.create_payment(self.request())
        seen += [str(caught.value), repr(caught.value), caught.value.to_detail(), records, caplog.text]
        text = repr(seen)
        assert len(records) >= 2
        assert [secret for secret in self.SECRETS if secret in text] == []

    def test_values_are_frozen(self, gateway, wire):
        self.stub(wire, "create", "ok")
        result = gateway.create_payment(self.request())
        for value in (result, result.next_action, self.request(), self.ref()):
            with pytest.raises(dataclasses.FrozenInstanceError):
                value.status = "succeeded"
