"""What proves that a disputed payment was right: the receipt, what the machine did and when, the design and its hash, what the
customer was told. Gathered from rows, in English (banks read it), shown to staff, handed in or downloaded.

Guarantees: handed in once; the intention is committed before the provider is called, its outcome after; a lost answer is
repeated under the same key. Nothing of cards but what receipts show.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from catalog.models import Design
from catalog.services import designs
from orders.models import Order
from payments import registry, states
from payments.gateways import base
from payments.models import Dispute, PaymentIntent
from payments.services import receipts
from pimpshop.core import errors
from pimpshop.core.clock import iso
from pimpshop.core.models import AuditEntry, Notification, StateEvent
from pimpshop.core.states import remark
from vending.models import PrintJob

HANDED_IN = "evidence was handed in"


class NotToAnswer(errors.Conflict):
    code = "dispute_not_to_answer"
    message = _("This dispute was answered or is over. Nothing was sent.")


class NoAnswer(errors.Unavailable):
    code = "evidence_not_answered"
    message = _(
        "The provider does not answer. Nothing is known to have arrived; hand it in again in a minute."
    )


class Refused(errors.Conflict):
    code = "evidence_refused"
    message = _("The provider did not take the evidence. Answer in the provider's own pages.")


@dataclass(frozen=True)
class Section:
    title: str
    rows: list[tuple[str, str]]


def gather(dispute: Dispute) -> list[Section]:
    """Everything, in English and in time order."""
    intent = PaymentIntent.objects.select_related("order__user").get(pk=dispute.intent_id)
    order = intent.order
    with translation.override("en"):
        jobs = list(PrintJob.objects.select_related("machine").filter(order_no=order.order_no).order_by("pk"))
        sections = [
            Section("Payment", _payment(intent)),
            Section("Receipt", _receipt(order)),
            *[Section(f"Case {job.reference}", _case(job)) for job in jobs],
            Section("Messages to the customer", _messages(order)),
        ]
    return [section for section in sections if section.rows]


def _at(at: datetime | None) -> str:
    return iso(at) or "–"


def _payment(intent: PaymentIntent) -> list[tuple[str, str]]:
    return [
        ("Number", intent.out_trade_no),
        ("Number at the provider", intent.provider_ref or "–"),
        ("Paid", f"{intent.amount}, {_at(intent.succeeded_at)}"),
        ("Paid with", receipts.paid_with(intent)),
        (
            "Given back before",
            str((intent.refunded_minor and f"{intent.refunded_minor} minor units") or "nothing"),
        ),
    ]


def _receipt(order: Order) -> list[tuple[str, str]]:
    rows = [("Order", order.order_no), ("Ordered", _at(order.created_at)), ("Total", str(order.total))]
    for line in order.lines.order_by("position"):
        told = [
            str(line.snapshot.get(name) or "")
            for name in ("name", "brand", "model", "colour", "template_name")
        ]
        rows.append((f"Line {line.position}", " · ".join(part for part in told if part) or "–"))
    buyer = str(order.user) if order.user else order.email
    return [*rows, *([("Buyer", buyer)] if buyer else [])]


def _case(job: PrintJob) -> list[tuple[str, str]]:
    design = Design.objects.filter(pk=job.design_id).first()
    rows = [
        ("Machine", f"{job.machine.name} ({job.machine.machine_id})" if job.machine else "–"),
        ("Number at the machine", job.queue_no or "–"),
        (
            "Numbers at the manufacturer",
            ", ".join(filter(None, (job.third_order_id, job.manufacturer_order_id))),
        ),
        ("Design, SHA-256 of the printed picture", job.print_sha256),
        ("Design approved by the customer", _at(design.frozen_at) if design else "–"),
    ]
    return rows + _log(job.events.all())


def _log(events: Iterable[StateEvent]) -> list[tuple[str, str]]:
    """The moves alone: staff's remarks are no business of a bank."""
    return [(_at(event.at), event.to_status) for event in events if event.from_status != event.to_status]


def _messages(order: Order) -> list[tuple[str, str]]:
    sent = Notification.objects.filter(reference=order.order_no, sent_at__isnull=False).order_by("sent_at")
    return [(_at(row.sent_at), row.kind.replace("_", " ")) for row in sent]


def as_text(sections: Iterable[Section]) -> str:
    """For a provider that takes text."""
    parts = []
    for section in sections:
        parts += [section.title.upper(), *(f"{label}: {value}" for label, value in section.rows), ""]
    return "\n".join(parts)


def archive(dispute: Dispute) -> bytes:
    """A ZIP: the same as text and as a page, and what each case looks like."""
    sections, pictures = gather(dispute), _pictures(dispute)
    page = render_to_string(
        "payments/evidence.html", {"dispute": dispute, "sections": sections, "pictures": list(pictures)}
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("evidence.txt", as_text(sections))
        packed.writestr("evidence.html", page)
        for name, content in pictures.items():
            packed.writestr(name, content)
    return out.getvalue()


def _pictures(dispute: Dispute) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for job in PrintJob.objects.filter(order_no=dispute.intent.order.order_no).order_by("pk"):
        design = Design.objects.filter(pk=job.design_id).exclude(frozen_at=None).first()
        try:
            if design is not None and design.preview:
                found[f"case-{len(found) + 1}.png"] = designs.preview(
                    design=design, width_px=600, image_format="PNG"
                )
        except OSError:  # removed after its time: the hash still speaks
            continue
    return found


def note_downloaded(dispute: Dispute, *, actor: str) -> None:
    """A person's data leave the shop: that is written down."""
    AuditEntry.objects.create(actor=actor, action="download evidence", subject=dispute.provider_ref)


def can_hand_in(dispute: Dispute) -> bool:
    """Does the provider take it from us, and does the dispute wait for an answer?"""
    try:
        able = registry.get(dispute.intent.gateway).can_submit_evidence
    except registry.GatewayUnknown:
        return False
    return able and dispute.status in states.DISPUTED and not was_handed_in(dispute)


def was_handed_in(dispute: Dispute) -> bool:
    return dispute.events.filter(data__evidence=HANDED_IN).exists()


def hand_in(*, dispute: Dispute, actor: str, reason: str) -> None:
    """Answer the dispute at its provider with what is gathered now. Raises NotToAnswer, NoAnswer, Refused."""
    text = as_text(gather(dispute))
    digest = hashlib.sha256(text.encode()).hexdigest()
    with transaction.atomic():
        row = Dispute.objects.select_for_update(no_key=True).select_related("intent").get(pk=dispute.pk)
        if not can_hand_in(row):
            raise NotToAnswer
        remark(
            row,
            source="admin",
            actor=actor,
            reason=f"evidence is handed in: {reason}",
            data={"sha256": digest},
        )
        AuditEntry.objects.create(
            actor=actor,
            action="hand in evidence",
            subject=row.provider_ref,
            reason=reason,
            data={"sha256": digest},
        )
    try:
        registry.get(row.intent.gateway).submit_evidence(
            row.provider_ref, text, idempotency_key=f"evidence:{row.provider_ref}:{digest[:16]}",
            subject=row.intent.out_trade_no,
        )  # fmt: skip
    except base.GatewayUnavailable as error:
        raise NoAnswer(retry_after=60) from error
    except base.GatewayError as error:
        raise Refused(details={"reason": error.code}) from error
    remark(row, source="admin", actor=actor, reason=HANDED_IN, data={"evidence": HANDED_IN, "sha256": digest})
