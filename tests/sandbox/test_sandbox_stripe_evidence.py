"""Answering a dispute over the wire: the pack (proof, log of the machine, times) arrives at the simulated Stripe once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe as sdk
from django.utils import timezone

from payments import registry
from payments.gateways import base
from payments.models import Dispute, PaymentIntent
from payments.services import disputes, evidence
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry
from pimpshop.core.states import advance
from tests import factories
from tests.support.stripe_sandbox import StripeSandbox

pytestmark = [pytest.mark.sandbox, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def there(stripe_sandbox: StripeSandbox) -> Any:
    """A paid card at Stripe that its bank disputes."""
    client = stripe_sandbox.sdk()
    paid = client.v1.payment_intents.create(
        params={"amount": 1999, "currency": "gbp", "payment_method": "pm_card_visa", "confirm": True,
                "payment_method_types": ["card"]}
    )  # fmt: skip
    return stripe_sandbox.post(f"intents/{paid.id}/dispute", reason="product_not_received").json()


@pytest.fixture
def dispute(there: Any, stripe_sandbox: StripeSandbox, monkeypatch: pytest.MonkeyPatch) -> Dispute:
    """Ours about it: a case that was printed and collected."""
    gateway = stripe_sandbox.gateway()
    monkeypatch.setattr(registry, "get", lambda _key: gateway)
    design = factories.frozen_design(factories.sellable_shell())
    intent = factories.intent(
        status="succeeded", captured_minor=1999, gateway="stripe", method="card", succeeded_at=timezone.now(),
        settles_order=True, provider_ref=there["payment_intent"],
    )  # fmt: skip
    job = factories.print_job(
        order_no=intent.order.order_no, design_id=design.pk, print_sha256=design.print_sha256, queue_no="004"
    )
    for to in ("accepted", "printing", "printed", "collected"):
        assert advance(job, to, source="worker")
    notice = base.DisputeNotice(
        provider_ref=there["id"], status=base.DisputeStatus("opened"), amount=intent.amount, reason=there["reason"],
        deadline=datetime.fromtimestamp(there["evidence_details"]["due_by"], UTC),
    )  # fmt: skip
    disputes.apply_notice(PaymentIntent.objects.get(pk=intent.pk), notice, source="webhook")
    return Dispute.objects.get()


def at_stripe(stripe_sandbox: StripeSandbox, ref: str) -> Any:
    return stripe_sandbox.sdk().v1.disputes.retrieve(ref)


def test_the_pack_is_handed_in_once(dispute: Dispute, stripe_sandbox: StripeSandbox) -> None:
    evidence.hand_in(dispute=dispute, actor="ada", reason="it was fetched")
    found = at_stripe(stripe_sandbox, dispute.provider_ref)
    details = found.evidence_details
    assert (found.status, details.has_evidence, details.submission_count) == ("under_review", True, 1)
    text = found.evidence.uncategorized_text
    assert text == evidence.as_text(evidence.gather(dispute))
    job = f"CASE {dispute.intent.order.order_no}"[:20]
    for part in (
        "PAYMENT",
        job,
        "Number at the machine: 004",
        ": accepted",
        ": printed",
        ": collected",
        "SHA-256",
    ):
        assert part in text, part
    dispute.refresh_from_db()
    with pytest.raises(evidence.NotToAnswer):
        evidence.hand_in(dispute=dispute, actor="ada", reason="again")
    assert at_stripe(stripe_sandbox, dispute.provider_ref).evidence_details.submission_count == 1
    assert AuditEntry.objects.filter(action="hand in evidence").count() == 1


def test_the_desk_shows_until_when_and_what(
    dispute: Dispute, stripe_sandbox: StripeSandbox, client: Any
) -> None:
    client.force_login(factories.staff(email="boss@example.com"))
    page = client.get(f"/admin/payments/dispute/{dispute.pk}/act/submit-evidence/")
    shown = page.context["shown"]
    assert shown.lines[1] == f"It takes it until {dispute.deadline:%Y-%m-%d %H:%M} (UTC)."
    assert shown.now == ["The deadline: in 6\xa0days."]
    assert any("Number at the machine: 004" in line for line in shown.lines)
    assert "in 6\xa0days" in client.get("/admin/payments/dispute/").content.decode()
    assert at_stripe(stripe_sandbox, dispute.provider_ref).status == "needs_response"
    page = page.context["form"]
    sent = {"reason": "it was fetched", "seen": page["seen"].value()}
    client.post(f"/admin/payments/dispute/{dispute.pk}/act/submit-evidence/", sent)
    assert at_stripe(stripe_sandbox, dispute.provider_ref).status == "under_review"


def test_what_stripe_refuses_stays_to_be_answered(dispute: Dispute, stripe_sandbox: StripeSandbox) -> None:
    stripe_sandbox.post(f"disputes/{dispute.provider_ref}/decide", won=False)
    with pytest.raises(evidence.Refused):
        evidence.hand_in(dispute=dispute, actor="ada", reason="too late")
    assert not evidence.was_handed_in(dispute)
    assert at_stripe(stripe_sandbox, dispute.provider_ref).evidence_details.submission_count == 0


def refused(stripe_sandbox: StripeSandbox, ref: str, **params: Any) -> sdk.InvalidRequestError:
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe_sandbox.sdk().v1.disputes.update(ref, params=params)  # type: ignore[arg-type]
    return caught.value


def test_it_answers_as_stripe_does(there: Any, stripe_sandbox: StripeSandbox) -> None:
    ref, update = there["id"], stripe_sandbox.sdk().v1.disputes.update
    unknown = refused(stripe_sandbox, ref, evidence={"proof": "x"})
    assert (unknown.code, unknown.param) == ("parameter_unknown", "evidence[proof]")
    too_long = refused(stripe_sandbox, ref, evidence={"uncategorized_text": "x" * 20_001})
    assert (too_long.http_status, too_long.param) == (400, "evidence[uncategorized_text]")
    noted = update(ref, params={"metadata": {"order": "P1"}})
    assert (noted.status, noted.metadata["order"], noted.evidence_details.has_evidence) == (
        "needs_response", "P1", False,
    )  # fmt: skip
    staged = update(ref, params={"evidence": {"product_description": "A case"}, "submit": False})
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    given = update(ref, params={"evidence": {"uncategorized_text": "It was fetched."}})
    assert (given.status, given.evidence_details.submission_count) == ("under_review", 1)
    assert given.evidence.product_description == "A case"
    assert "only submit evidence once" in str(refused(stripe_sandbox, ref, evidence={"customer_name": "A"}))
    stripe_sandbox.post(f"disputes/{ref}/decide", won=True)
    assert "already closed" in str(refused(stripe_sandbox, ref, evidence={"customer_name": "A"}))


def test_a_deadline_that_is_near_is_told_to_people(dispute: Dispute) -> None:
    from payments.services import watching

    Dispute.objects.update(deadline=timezone.now() + timedelta(hours=5))
    assert watching.tell_of_deadlines() == 1
    assert staff_items.StaffItem.objects.filter(kind="dispute_due", resolved_at=None).count() == 1
