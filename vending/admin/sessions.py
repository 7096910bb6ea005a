"""Sessions: who stands at which machine, how far they are, and everything that happened. Read only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from pimpshop.core.admin import finding, words
from pimpshop.core.admin.acting import WHY, Act, Doing, Preview
from pimpshop.core.admin.base import EvidenceAdmin, StoryMixin
from pimpshop.core.admin.questions import Question, questions
from vending.models import PrintJob, SessionEvent, VendingSession
from vending.services import affected, sessions

#: Paid, and the machine has not taken the order for so long: somebody should look.
ACCEPTED_WITHIN = timedelta(minutes=2)


def _waiting(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Told to pay at the machine, and still in front of it."""
    since = timezone.now() - sessions.PAYMENT_LIVE_FOR
    return rows.filter(status="payment_pending", payment_started_at__gt=since)


def _stuck(rows: QuerySet[Any]) -> QuerySet[Any]:
    """A payment that nobody decided, or money without an accepted print job."""
    now = timezone.now()
    taken = PrintJob.objects.filter(session_id=OuterRef("session_id"), accepted_at__isnull=False)
    paid = SessionEvent.objects.filter(
        session=OuterRef("pk"), to_status="payment_completed", at__lt=now - ACCEPTED_WITHIN
    )
    undecided = Q(status="payment_pending", payment_started_at__lte=now - sessions.PAYMENT_LIVE_FOR)
    # user_progress first: it leaves the few rows for which the two subqueries are worth asking.
    unmade = (
        Q(status="payment_completed") & ~Q(user_progress="order_submitted") & Exists(paid) & ~Exists(taken)
    )
    return rows.filter(undecided | unmade)


def _failed(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(Q(status="payment_failed") | Q(user_progress="order_failed"))


def _cancel(session: VendingSession, doing: Doing) -> None:
    sessions.cancel_session(session=session, source="admin", actor=doing.actor, reason=doing.reason)


def _of_cancelling(session: VendingSession, doing: Doing) -> Preview:
    affected.must_be_cancellable(session)
    told = {
        "session": session.session_id,
        "machine": session.machine.name,
        "words": affected.words_after_end(session),
        "amount": words.money(session.amount_minor, session.currency),
        "order": session.order_no,
    }
    lines = [
        gettext("Session %(session)s ends, and the screen of %(machine)s is free for the next person.")
        % told,
        gettext("Whoever has it on their phone reads: “%(words)s”") % told,
    ]
    if session.payment_started_at is not None:
        lines.append(
            gettext("%(amount)s was asked for. If it is paid all the same, order %(order)s is printed.")
            % told
        )
    else:
        lines.append(gettext("No money was asked for, so none moves."))
    return Preview(lines, now=_of_now(session))


def _of_now(session: VendingSession) -> list[str]:
    state = f"{words.word(session.status)}, {words.word(session.user_progress)}"
    told = {"state": state, "ago": words.ago(session.updated_at)}
    return [gettext("The session is at: %(state)s (moved %(ago)s).") % told]


def _locked(session: VendingSession) -> VendingSession:
    sessions.lock(session)
    return VendingSession.objects.select_related("machine").get(pk=session.pk)


@admin.register(VendingSession)
class SessionAdmin(StoryMixin, EvidenceAdmin):
    list_display = ("headline", "states_now", "ordered_for", "times")
    list_filter = (
        questions(
            Question("waiting", _("waiting at the machine"), _waiting),
            Question("stuck", _("stuck"), _stuck),
            Question("failed", _("failed"), _failed),
            Question("live", _("live now"), lambda rows: rows.filter(sessions.live_filter())),
        ),
        "machine",
    )
    list_select_related = ("machine",)
    search_fields = ("session_id", "third_id", "order_no")
    fieldsets = (
        (None, {"fields": (("states_now", "machine"), ("amount", "order_link"), ("payment_link", "jobs_link"))}),
        (_("Design"), {"fields": ("picture",)}),
        (
            _("Times and numbers"),
            {
                "classes": ["collapse"],
                "fields": (
                    "session_id", "created_at", "claimed_at", "payment_started_at", "expires_at", "updated_at",
                    "third_id", "provider_payment_id", "location", "language", "ordered",
                ),
            },
        ),
    )  # fmt: skip
    readonly_fields = (
        "states_now",
        "amount",
        "order_link",
        "payment_link",
        "jobs_link",
        "picture",
        "ordered",
    )
    acts = (
        Act(
            "cancel",
            _("Cancel session"),
            _(
                "The session ends and the machine's screen is free. Money that still arrives for it is honoured."
            ),
            _cancel,
            reason=WHY,
            icon="cancel",
            variant=ActionVariant.DANGER,
            possible=lambda session: session.STATES.allows(session.status, "cancelled"),
            audited=True,
            preview=_of_cancelling,
            lock=_locked,
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What somebody made is theirs: only staff who may see designs see the picture."""
        sets = super().get_fieldsets(request, obj)
        if obj is not None and obj.design_id and request.user.has_perm("catalog.view_design"):
            return sets
        return [entry for entry in sets if "picture" not in entry[1]["fields"]]

    @display(description=_("session"), header=True)
    def headline(self, session: VendingSession) -> tuple[str, str]:
        return session.session_id, session.machine.name

    @display(description=_("state"))
    def states_now(self, session: VendingSession) -> str:
        return words.labels(session, "status", "user_progress")

    @display(description=_("amount"))
    def amount(self, session: VendingSession) -> str:
        return words.money(session.amount_minor, session.currency) or "–"

    @display(description=_("order"))
    def order_link(self, session: VendingSession) -> str:
        return (
            words.link(finding.address(session.order_no, "order"), session.order_no)
            if session.order_no
            else "–"
        )

    @display(description=_("payment"))
    def payment_link(self, session: VendingSession) -> str:
        return (
            words.link(finding.address(session.third_id, "payment"), session.third_id)
            if session.third_id
            else "–"
        )

    @display(description=_("print jobs"))
    def jobs_link(self, session: VendingSession) -> str:
        page = reverse("admin:vending_printjob_changelist")
        return words.link(f"{page}?q={session.session_id}", _("print jobs of this session"))

    @display(description=_("order"), header=True)
    def ordered_for(self, session: VendingSession) -> tuple[str, str]:
        return words.money(session.amount_minor, session.currency) or "–", session.order_no

    @display(description=_("began"), ordering="created_at", header=True)
    def times(self, session: VendingSession) -> tuple[str, str]:
        open_ = session.status in sessions.OPEN
        ends = gettext("ends %s") % words.ago(session.expires_at) if open_ else ""
        return words.ago(session.created_at), ends

    @display(description=_("picture"))
    def picture(self, session: VendingSession) -> str:
        page = reverse("admin:catalog_design_change", args=[session.design_id])
        shown = reverse("admin:catalog_design_preview", args=[session.design_id])
        return format_html(
            '<a href="{}"><img class="desk-preview" src="{}" alt="" loading="lazy"></a>', page, shown
        )

    @display(description=_("order summary"))
    def ordered(self, session: VendingSession) -> str:
        return words.json_block(session.summary) or "–"
