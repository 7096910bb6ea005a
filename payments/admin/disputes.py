"""Answering a dispute: everything that proves the payment, shown, handed in where the provider takes it, or downloaded."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.enums import ActionVariant

from payments.models import Dispute
from payments.services import disputes, evidence
from pimpshop.core.admin import words
from pimpshop.core.admin.acts import WHY, Act, Doing, Preview


def _preview(dispute: Dispute, doing: Doing) -> Preview:
    if not evidence.can_hand_in(dispute):
        raise evidence.NotToAnswer
    lines = [gettext("The bank gets the following, once and for good.")]
    now = []
    if dispute.deadline is not None:
        lines.append(
            gettext("It takes it until %(date)s (UTC).") % {"date": f"{dispute.deadline:%Y-%m-%d %H:%M}"}
        )
        now.append(gettext("The deadline: %(ago)s.") % {"ago": words.ago(dispute.deadline)})
    for section in evidence.gather(dispute):
        lines += [f"{section.title}: {label}: {value}" for label, value in section.rows]
    return Preview(lines, now=now)


def _hand_in(dispute: Dispute, doing: Doing) -> None:
    evidence.hand_in(dispute=dispute, actor=doing.actor, reason=doing.reason)


def _answered(dispute: Dispute, doing: Doing) -> None:
    disputes.mark_answered(dispute=dispute, actor=doing.actor, reason=doing.reason)


def _of_answering(dispute: Dispute, doing: Doing) -> Preview:
    if dispute.status != "opened":
        raise disputes.NotOpen
    return Preview(
        [
            gettext("The bank decides now. What was bought stays frozen until then, and no money moves."),
            gettext("Nobody here is reminded of the deadline any more."),
        ]
    )


ACTS = (
    Act(
        "submit-evidence",
        _("Hand in the evidence"),
        _(
            "The provider passes it on to the bank. It can be done once: add what is missing in their own pages instead."
        ),
        _hand_in,
        reason=WHY,
        icon="gavel",
        variant=ActionVariant.PRIMARY,
        possible=evidence.can_hand_in,
        audited=True,
        on_lists=False,
        preview=_preview,
        calls=True,
    ),
    Act(
        "was-answered",
        _("Answered in the provider's own pages"),
        _(
            "You answered the bank there. Download all that proves the payment first, below on this dispute's page."
        ),
        _answered,
        reason=WHY,
        icon="mark_email_read",
        possible=lambda dispute: dispute.status == "opened",
        audited=True,
        on_lists=False,
        preview=_of_answering,
    ),
)


@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """The pack as a ZIP; for whoever may answer disputes, and written down."""
    if not request.user.has_perm("payments.change_dispute"):
        raise PermissionDenied
    dispute = get_object_or_404(Dispute.objects.select_related("intent__order"), pk=pk)
    content = evidence.archive(dispute)
    evidence.note_downloaded(dispute, actor=str(request.user))
    name = "".join(c for c in dispute.provider_ref if c.isalnum() or c in "_-")[:60]
    return HttpResponse(
        content,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="evidence-{name}.zip"',
            "Cache-Control": "no-store",
        },
    )
