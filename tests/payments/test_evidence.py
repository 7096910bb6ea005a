"""Evidence for a disputed payment: what is in it, that it is handed in once, and that it can be fetched."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from payments import registry
from payments.gateways import base
from payments.models import Dispute, PaymentIntent
from payments.services import disputes, evidence
from pimpshop.core.models import AuditEntry, Notification
from tests import factories

pytestmark = pytest.mark.django_db


class Provider:
    """Takes evidence, or says what it is told to."""

    can_submit_evidence = True

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.got = error, []  # type: ignore[var-annotated]

    def submit_evidence(self, dispute_ref: str, text: str, *, idempotency_key: str, subject: str) -> None:
        self.got.append((dispute_ref, text, idempotency_key))
        if self.error is not None:
            raise self.error


@pytest.fixture
def dispute() -> Dispute:
    shell = factories.sellable_shell()
    design = factories.frozen_design(shell)
    intent = factories.intent(
        status="succeeded", captured_minor=1999, gateway="stripe", method="card", succeeded_at=timezone.now(),
        settles_order=True,
    )  # fmt: skip
    factories.print_job(
        order_no=intent.order.order_no, design_id=design.pk, print_sha256=design.print_sha256, queue_no="004"
    )
    Notification.objects.create(
        reference=intent.order.order_no,
        kind="case_printed",
        sent_at=timezone.now(),
        due_at=None,
        outcome="sent",
    )
    notice = base.DisputeNotice(
        provider_ref="dp_1", status=base.DisputeStatus("opened"), amount=intent.amount, reason="fraudulent"
    )
    disputes.apply_notice(PaymentIntent.objects.get(pk=intent.pk), notice, source="webhook")
    return Dispute.objects.get()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    monkeypatch.setattr(registry, "get", lambda _key: made)
    return made


def hand_in(dispute: Dispute) -> None:
    evidence.hand_in(dispute=dispute, actor="ada", reason="case was fetched")


def test_it_has_payment_receipt_case_and_messages(dispute: Dispute) -> None:
    text = evidence.as_text(evidence.gather(dispute))
    job = dispute.intent.order.order_no
    for part in (dispute.intent.out_trade_no, job, "004", "case printed", "19.99 GBP"):
        assert part in text, part
    assert [section.title for section in evidence.gather(dispute)][-1] == "Messages to the customer"


def test_it_is_handed_in_once_under_one_key(dispute: Dispute, provider: Provider) -> None:
    hand_in(dispute)
    ((ref, text, key),) = provider.got
    assert (ref, text, key.startswith("evidence:dp_1:")) == (
        "dp_1", evidence.as_text(evidence.gather(dispute)), True,
    )  # fmt: skip
    assert [event.actor for event in dispute.events.filter(data__has_key="sha256")] == ["ada", "ada"]
    with pytest.raises(evidence.NotToAnswer):
        hand_in(dispute)
    assert (len(provider.got), AuditEntry.objects.filter(action="hand in evidence").count()) == (1, 1)


def test_a_lost_answer_is_repeated_under_the_same_key(dispute: Dispute, provider: Provider) -> None:
    provider.error = base.GatewayUnavailable("time-out")
    with pytest.raises(evidence.NoAnswer):
        hand_in(dispute)
    assert not evidence.was_handed_in(dispute)
    provider.error = None
    hand_in(dispute)
    assert len({key for _ref, _text, key in provider.got}) == 1
    assert evidence.was_handed_in(dispute)


def test_what_the_provider_refuses_is_said(dispute: Dispute, provider: Provider) -> None:
    provider.error = base.GatewayMisuse("no", code=base.ErrorCode.NOT_SUPPORTED)
    with pytest.raises(evidence.Refused):
        hand_in(dispute)
    assert not evidence.was_handed_in(dispute)


@pytest.mark.parametrize("status", ["won", "lost", "closed"])
def test_what_is_over_is_not_answered(dispute: Dispute, provider: Provider, status: str) -> None:
    Dispute.objects.update(status=status)
    with pytest.raises(evidence.NotToAnswer):
        hand_in(dispute)
    assert (provider.got, AuditEntry.objects.count()) == ([], 0)


def test_the_pack_is_fetched_by_who_may_answer_and_that_is_written_down(dispute: Dispute) -> None:
    client = Client()
    client.force_login(factories.user(is_staff=True))
    page = f"/admin/payments/dispute/{dispute.pk}/evidence/"
    assert (client.get(page).status_code, AuditEntry.objects.count()) == (403, 0)
    client.force_login(factories.staff(email="boss@example.com"))
    answer: Any = client.get(page)
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    assert {"evidence.txt", "evidence.html"} <= set(packed.namelist())
    assert dispute.intent.out_trade_no in packed.read("evidence.html").decode()
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("boss@example.com", "download evidence", "dp_1")
