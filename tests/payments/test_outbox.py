"""The publisher: which events a change gives, in which order and with which content, and who gets a delivery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from payments import states
from payments.models import OutboundEvent, PaymentEvent, PaymentIntent, RefundEvent, WebhookDelivery
from payments.services import outbox
from pimpshop.core import invariants
from pimpshop.core.states import advance, remark
from tests import factories

pytestmark = pytest.mark.django_db


def created(**more: Any) -> PaymentIntent:
    intent = factories.intent(**more)
    remark(intent, source="api", reason="created")
    return intent


def publish() -> list[str]:
    """Publish until nothing is due; the names of all events, in the order of their numbers."""
    while outbox.publish_due():
        pass
    return list(
        OutboundEvent.objects.exclude(sequence=None).order_by("sequence").values_list("type", flat=True)
    )


def unsound() -> list[str]:
    """What the invariants of the outgoing list say; the rows of factories have no events of their own."""
    return [
        str(found)
        for found in invariants.violations()
        if "outgoing" in found.check or "counts as told" in found.check
    ]


# --- The table --------------------------------------------------------------------------------------------------------
MOVES = {
    ("created", "requires_action"): ["payment.requires_action"],
    ("processing", "requires_action"): ["payment.requires_action"],
    ("requires_action", "processing"): ["payment.action_completed"],
    ("requires_action", "authorized"): ["payment.action_completed"],
    ("requires_action", "succeeded"): ["payment.action_completed", "payment.succeeded"],
    ("authorized", "succeeded"): ["payment.captured", "payment.succeeded"],
}


def expected(from_: str, to: str) -> list[str]:
    if (from_, to) in MOVES:
        return MOVES[from_, to]
    if from_ in ("succeeded", "partially_refunded", "refunded"):
        return []
    ends = {"succeeded": "succeeded", "failed": "failed", "canceled": "canceled", "expired": "canceled"}
    return [f"payment.{ends[to]}"] if to in ends else []


@pytest.mark.parametrize(
    ("from_", "to"), [(f, t) for f, targets in states.PAYMENT.moves.items() for t in sorted(targets)]
)
def test_each_move_of_a_payment_has_its_events(from_: str, to: str) -> None:
    assert outbox.payment_types(from_, to, first=False) == expected(from_, to)
    assert outbox.payment_types(from_, to, first=True) == ["payment.created", *expected(from_, to)]


@pytest.mark.parametrize(
    ("from_", "to", "types"),
    [
        ("created", "pending", []), ("created", "succeeded", ["refund.succeeded"]), ("pending", "succeeded", ["refund.succeeded"]),
        ("created", "failed", ["refund.failed"]), ("succeeded", "failed", ["refund.failed"]), ("failed", "failed", []),
    ],
)  # fmt: skip
def test_each_move_of_a_refund_has_its_events(from_: str, to: str, types: list[str]) -> None:
    assert outbox.refund_types(from_, to, first=False) == types


def test_all_names_of_the_seed_and_no_other() -> None:
    assert set(outbox.EVENT_TYPES) == {
        "payment.created", "payment.succeeded", "payment.failed", "payment.captured", "payment.canceled",
        "payment.requires_action", "payment.action_completed", "refund.created", "refund.succeeded", "refund.failed",
    }  # fmt: skip


# --- Publishing -------------------------------------------------------------------------------------------------------
def test_a_payment_is_told_from_its_creation_to_its_refund() -> None:
    intent = created()
    advance(intent, "requires_action", source="api")
    remark(intent, source="admin", reason="checked")
    advance(intent, "authorized", source="poll")
    advance(
        intent, "succeeded", source="api", captured_minor=1999, succeeded_at=timezone.now(), is_surplus=True
    )
    refund = factories.refund(intent)
    remark(refund, source="api", reason="created")
    advance(refund, "succeeded", source="poll")
    advance(intent, "refunded", source="poll")
    assert publish() == [
        "payment.created", "payment.requires_action", "payment.action_completed", "payment.captured", "payment.succeeded",
        "refund.created", "refund.succeeded",
    ]  # fmt: skip
    events = OutboundEvent.objects.order_by("sequence")
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert not PaymentEvent.objects.filter(published=False).exists()
    assert not RefundEvent.objects.filter(published=False).exists()
    assert publish() == [event.type for event in events]
    assert unsound() == []


def test_an_event_says_the_state_that_it_reports() -> None:
    intent = created()
    advance(intent, "failed", source="api", error_code="card_declined", error_message="No.")
    advance(
        intent,
        "succeeded",
        source="poll",
        captured_minor=1999,
        succeeded_at=timezone.now(),
        provider_ref="pi_1",
    )
    publish()
    first, failed, succeeded = (e.payload for e in OutboundEvent.objects.order_by("sequence"))
    assert (first["status"], first["completed_at"], first["error_code"]) == ("created", None, None)
    assert (failed["status"], failed["completed_at"], failed["error_message"]) == ("failed", None, "No.")
    assert succeeded == {
        "payment_id": f"pay_{intent.public_id}",
        "status": "succeeded",
        "amount": "19.99",
        "currency": "GBP",
        "gateway": "machine",
        "transaction_id": "pi_1",
        "payment_method": {"method_type": "machine", "last_four": None, "card_brand": None},
        "created_at": intent.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "completed_at": intent.succeeded_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "order_id": str(intent.order.public_id),
        "order_no": intent.order.order_no,
        "error_code": None,
        "error_message": None,
    }


def test_a_refund_says_its_own_shape() -> None:
    refund = factories.refund(reason="requested_by_customer")
    remark(refund, source="api", reason="created")
    publish()
    event = OutboundEvent.objects.get()
    assert (event.type, event.intent_id) == ("refund.created", refund.intent_id)
    assert event.payload == {
        "refund_id": f"ref_{refund.public_id}",
        "payment_id": f"pay_{refund.intent.public_id}",
        "amount": "19.99",
        "currency": "GBP",
        "status": "pending",
        "reason": "requested_by_customer",
        "created_at": refund.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def test_what_is_rolled_back_is_never_told() -> None:
    intent = created()
    publish()
    with transaction.atomic():
        advance(intent, "failed", source="api")
        transaction.set_rollback(True)
    assert publish() == ["payment.created"]


def test_clocks_that_disagree_do_not_turn_one_payments_story_round() -> None:
    intent, other = created(), created()
    advance(intent, "processing", source="api")
    advance(intent, "succeeded", source="poll")
    now = timezone.now()
    rows = list(PaymentEvent.objects.filter(intent=intent).order_by("pk"))
    for row, seconds in zip(rows, (10, 0, 5), strict=True):
        PaymentEvent.objects.filter(pk=row.pk).update(at=now + timedelta(seconds=seconds))
    PaymentEvent.objects.filter(intent=other).update(at=now + timedelta(seconds=7))
    publish()
    told = [(e.intent_id, e.type) for e in OutboundEvent.objects.order_by("sequence")]
    assert told == [
        (other.pk, "payment.created"), (intent.pk, "payment.created"), (intent.pk, "payment.succeeded"),
    ]  # fmt: skip


def test_batches_keep_the_order_of_both_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "BATCH", 3)
    for _ in range(4):
        intent = created(status="created")
        advance(intent, "succeeded", source="poll", captured_minor=1999, is_surplus=True)
        refund = factories.refund(intent)
        remark(refund, source="api", reason="created")
        advance(refund, "succeeded", source="poll")
    told = publish()
    assert told == ["payment.created", "payment.succeeded", "refund.created", "refund.succeeded"] * 4
    numbers = list(OutboundEvent.objects.order_by("pk").values_list("sequence", flat=True))
    assert numbers == list(range(1, 17))


# --- Who gets a delivery ----------------------------------------------------------------------------------------------
def test_deliveries_go_to_those_whom_it_concerns() -> None:
    owner, stranger = factories.user(), factories.user()
    wants_all = factories.webhook_endpoint()
    mine = factories.webhook_endpoint(user=owner, events=["payment.created"])
    factories.webhook_endpoint(user=stranger)
    factories.webhook_endpoint(user=owner, events=["refund.created"])
    factories.webhook_endpoint(is_active=False)
    factories.webhook_endpoint(created_at=timezone.now() + timedelta(hours=1))
    intent = created(of=factories.order(user=owner))
    advance(intent, "failed", source="poll")
    publish()
    told = {(d.endpoint_id, d.event.type, d.status) for d in WebhookDelivery.objects.select_related("event")}
    assert told == {
        (wants_all.pk, "payment.created", "pending"), (wants_all.pk, "payment.failed", "pending"),
        (mine.pk, "payment.created", "pending"),
    }  # fmt: skip
    assert {change.reason for d in WebhookDelivery.objects.all() for change in d.changes.all()} == {"created"}


def test_a_broken_list_is_found() -> None:
    created()
    publish()
    OutboundEvent.objects.update(sequence=2)
    created()
    assert unsound() == ["6 outgoing events are numbered without a gap: 1 events, numbered 2 to 2"]
    OutboundEvent.objects.update(sequence=1)
    PaymentEvent.objects.update(published=True)
    [found] = unsound()
    assert found.startswith("6 what counts as told has its events: payment event ")
