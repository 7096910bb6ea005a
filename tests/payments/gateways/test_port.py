"""The port's own values: stored facts come back as they were, damaged ones fail in known ways, nothing secret shows."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.gateways import base
from pimpshop.core.money import EXPONENTS, Money

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# PostgreSQL's JSON holds neither NUL nor lone surrogates; gateways redact them away.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
money = st.builds(Money, st.integers(-(10**15), 10**15), st.sampled_from(sorted(EXPONENTS)))
moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
details = st.builds(
    base.MethodDetails,
    **{field.name: words for field in dataclasses.fields(base.MethodDetails)},
)
errors = st.builds(base.ErrorDetail, code=words, message=words, provider_code=words)
PAYMENT: dict[str, Any] = dict(  # noqa: C408  (as it is written in a call)
    status=st.sampled_from(base.PaymentStatus),
    provider_ref=words,
    amount=st.none() | money,
    error=st.none() | errors,
    out_trade_no=words,
    account=words,
    live=st.none() | st.booleans(),
    provider_status=words,
    flags=st.lists(st.sampled_from(base.Flag), max_size=3).map(tuple),
    transaction_ref=words,
    captured=st.none() | money,
    refunded=st.none() | money,
    method_details=st.none() | details,
    receipt_url=words,
    saved_ref=words,
    customer_ref=words,
)
payments = st.builds(base.PaymentResult, **PAYMENT)
REFUND: dict[str, Any] = dict(  # noqa: C408  (as it is written in a call)
    status=st.sampled_from(base.RefundStatus),
    provider_ref=words,
    out_refund_no=words,
    out_trade_no=words,
    payment_ref=words,
    amount=st.none() | money,
    error=st.none() | errors,
    provider_status=words,
)
refunds = st.builds(base.RefundNotice, **REFUND)
DISPUTE: dict[str, Any] = dict(  # noqa: C408  (as it is written in a call)
    provider_ref=words.filter(bool),  # a dispute without an id is none
    status=st.sampled_from(base.DisputeStatus),
    amount=money,
    out_trade_no=words,
    payment_ref=words,
    reason=words,
    deadline=st.none() | moments,
    money_moved=st.booleans(),
    provider_status=words,
)
disputes = st.builds(base.DisputeNotice, **DISPUTE)
#: What is not stored of a payment: the shopper has gone on by then, and `raw` has its own row.
NOT_STORED = {"next_action", "raw", "payer_email"}


def event(**facts: Any) -> base.WebhookEvent:
    return base.WebhookEvent(gateway="g", account="a", event_id="e", kind="k", confirmed=True, **facts)


def stored(made: base.WebhookEvent) -> dict[str, Any]:
    """As PostgreSQL gives it back."""
    return json.loads(json.dumps(base.pack(made)))


@quick
@given(payment=st.none() | payments, refund=st.none() | refunds, dispute=st.none() | disputes)
def test_what_is_packed_is_unpacked(payment: Any, refund: Any, dispute: Any) -> None:
    facts = base.unpack(stored(event(payment=payment, refund=refund, dispute=dispute)))
    assert facts == base.Facts(payment=payment, refund=refund, dispute=dispute)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [(base.PaymentResult, PAYMENT), (base.RefundNotice, REFUND), (base.DisputeNotice, DISPUTE)],
)
def test_no_field_is_forgotten_above(kind: Any, parts: dict[str, Any]) -> None:
    """A field that joins the port joins the test of its storing."""
    assert set(parts) == {field.name for field in dataclasses.fields(kind)} - NOT_STORED


def test_next_action_and_raw_are_not_stored() -> None:
    result = base.PaymentResult(
        status=base.PaymentStatus.REQUIRES_ACTION,
        next_action=base.Redirect(url="https://x.example"),
        raw={"a": 1},
    )
    assert stored(event(payment=result)) == {"payment": {"status": "requires_action"}}


GOOD = {
    "payment": {"status": "succeeded", "amount": {"minor": 1999, "currency": "GBP"}, "flags": ["abnormal"]},
    "refund": {"status": "pending", "amount": {"minor": 1, "currency": "JPY"}, "error": {"code": "x"}},
    "dispute": {
        "provider_ref": "d",
        "status": "opened",
        "amount": {"minor": 1, "currency": "EUR"},
        "deadline": "2025-09-09T00:00:00+00:00",
    },
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from([(kind, name) for kind, facts in GOOD.items() for name in facts])


@quick
@given(path=paths, value=json_values)
def test_a_damaged_fact_fails_in_a_known_way(path: tuple[str, str], value: Any) -> None:
    kind, name = path
    damaged = {**GOOD, kind: {**GOOD[kind], name: value}}
    try:
        facts = base.unpack(damaged)
    except (ValueError, KeyError, TypeError):
        return
    assert isinstance(facts, base.Facts)


@quick
@given(kind=st.sampled_from(sorted(GOOD)), value=json_values, name=words)
def test_unknown_facts_fail_in_a_known_way(kind: str, value: Any, name: str) -> None:
    for damaged in ({kind: value}, {kind: {**GOOD[kind], name: value}}):
        try:
            base.unpack(damaged)
        except (ValueError, KeyError, TypeError):
            continue


@pytest.mark.parametrize(
    "damaged",
    [
        {"payment": {"status": "paid"}},
        {"payment": {"status": "succeeded", "colour": "red"}},
        {"payment": {"status": "succeeded", "amount": {"minor": 19.99, "currency": "GBP"}}},
        {"payment": {"status": "succeeded", "amount": {"minor": 1, "currency": "XXX"}}},
        {"payment": {"status": "succeeded", "amount": {"minor": 1}}},
        {"refund": {"status": "done"}},
        {"dispute": {"provider_ref": "d", "status": "opened", "amount": None}},
        {**GOOD, "dispute": {**GOOD["dispute"], "deadline": "tomorrow"}},
    ],
)
def test_these_are_never_facts(damaged: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        base.unpack(damaged)


# --- nothing secret shows ---------------------------------------------------------------------------------------------
SECRET = "shown-nowhere-7Q"
CARD = base.Card(number=SECRET, exp_month=7, exp_year=2031, cvc=SECRET, name=SECRET)
INSTRUMENTS = [
    CARD,
    base.BankAccount(account_number=SECRET, routing_number=SECRET, account_holder_name=SECRET),
    base.Token(value=SECRET),
    base.SavedMethod(method_ref=SECRET, customer_ref=SECRET),
]
WHO = base.Customer(customer_id="c-1", email=SECRET, name=SECRET)


@pytest.mark.parametrize("held", INSTRUMENTS, ids=lambda held: type(held).__name__)
def test_no_request_shows_what_is_paid_with(held: base.Instrument) -> None:
    payment = base.PaymentRequest(
        intent_id="pay_1", out_trade_no="P1", order_no="P1", amount=Money(1, "GBP"), method="card", description="case",
        idempotency_key="P1:1", instrument=held, customer=WHO,
    )  # fmt: skip
    saving = base.SaveMethodRequest(customer=WHO, idempotency_key="s-1", instrument=held)
    for value in (held, WHO, payment, saving, [payment], {"request": saving}):
        assert SECRET not in repr(value)
        assert SECRET not in f"{value}"
    assert "2031" not in repr(CARD)


def test_no_result_shows_a_saved_method() -> None:
    done = base.PaymentStatus.SUCCEEDED
    paid = base.PaymentResult(status=done, saved_ref=SECRET)
    for value in (paid, base.SavedMethodResult(status=done, method_ref=SECRET), event(payment=paid)):
        assert SECRET not in repr(value)


def test_a_traceback_of_a_dataclass_shows_no_value() -> None:
    """Refused values are named, not shown."""
    with pytest.raises(TypeError) as caught:
        base.Card(number=SECRET, exp_month=7, exp_year=2031, cvc=SECRET, colour=SECRET)  # type: ignore[call-arg]
    assert SECRET not in str(caught.value)
