"""The second person: requests that wait for one, limits, and what staff have moved.

Guarantees: a request is done by the very act that was asked for, in one transaction with the decision, at most once; with
the names of both in the audit; not when what would move has changed, not after a day, not by who asked for it, and not by
somebody who could not do it themselves.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from pimpshop.core import errors, staff_limits, staff_requests
from pimpshop.core.admin import doing as acts_done
from pimpshop.core.admin import finding, timeline, words
from pimpshop.core.admin.acting import WHY, Act, ActingMixin, Did, Doing, Preview
from pimpshop.core.admin.acts import fingerprint, plain_preview
from pimpshop.core.admin.base import EvidenceAdmin, KeptAdmin
from pimpshop.core.admin.questions import Question, questions
from pimpshop.core.models import AuditEntry, StaffLimit, StaffMove, StaffRequest


class NoSuchAct(errors.Conflict):
    message = _("What was asked for is not possible any more. Nothing was moved.")


def the_act(row: StaffRequest) -> tuple[ActingMixin, Act]:
    """The page and the act that were asked for. Raises NoSuchAct."""
    for model, page in admin.site._registry.items():
        if model._meta.label_lower == row.model and isinstance(page, ActingMixin):
            for act in page.acts:
                if act.name == row.act:
                    return page, act
    raise NoSuchAct


def _doing(row: StaffRequest) -> Doing:
    return Doing(actor=row.asked_by, reason=row.reason, person=row.person, **row.typed)


def _object(row: StaffRequest) -> Any:
    page, _act = the_act(row)
    try:
        return page.model._default_manager.get(pk=row.object_id)
    except ObjectDoesNotExist as error:
        raise NoSuchAct from error


def _is_as_asked(row: StaffRequest, act: Act, obj: Any) -> tuple[bool, Preview]:
    shown = plain_preview(act, obj, _doing(row))
    return fingerprint(act, obj, _doing(row), shown) == row.fingerprint, shown


def _preview(row: StaffRequest, doing: Doing) -> Preview:
    """What the act would do now, in the reader's language."""
    _page, act = the_act(row)
    obj = _object(row)
    same, _shown = _is_as_asked(row, act, obj)
    if not same:
        return Preview(
            [gettext("It has changed since it was asked for: nothing would move, and the request ends.")]
        )
    lines = act.preview(obj, _doing(row)).lines if act.preview is not None else []
    return Preview([gettext("%(who)s asks: %(why)s") % {"who": row.asked_by, "why": row.reason}, *lines])


def approve(row: StaffRequest, user: Any, note: str) -> Did:
    """Say yes as `user`, and do it; in the caller's transaction. Raises staff_requests.{OnesOwn,DecidedAlready,Lapsed}."""
    staff_limits.lock(row.asked_by_id)  # first, as who asks does (pimpshop.core.admin.doing): no deadlock
    row = staff_requests.locked(row.pk)
    staff_requests.must_be_open(row)
    if row.asked_by_id == user.pk:
        raise staff_requests.OnesOwn
    _page, act = the_act(row)
    try:
        with transaction.atomic():
            obj = act.lock(_object(row))
            same, shown = _is_as_asked(row, act, obj)
            if not same:
                raise errors.Conflict(_("What would move has changed since it was asked for."))
            did = acts_done.run(act, obj, _doing(row), row.subject)
            if did is None:
                raise errors.Conflict(_("Nothing was to be done."))
            acts_done.count(act, did, shown, row.subject, row.asked_by_id, row.asked_by, second=str(user))
    except errors.ShopError as refusal:
        staff_requests.end(row, "overtaken", user=user, reason=str(refusal.message))
        told = gettext("%(why)s Nothing was moved, and the request has ended.")
        return Did(said=told % {"why": refusal.message}, tone="warning")
    staff_requests.end(row, "done", user=user, reason=note)
    AuditEntry.objects.create(
        actor=str(user)[:120], action=f"second person: {act.name.replace('-', ' ')}"[:64], subject=row.subject,
        reason=note,
        data={
            "request": row.number, "asked_by": row.asked_by, "asked_why": row.reason, "approved_by": str(user),
            "moved": row.moves, "shown": row.lines, "reference": did.reference,
        },
    )  # fmt: skip
    return did


class StaffRequestAdmin(EvidenceAdmin):
    list_display = ("number", "state", "what", "about", "asked_by", "why", "until")
    list_filter = (
        questions(
            Question("waiting", _("waiting"), lambda rows: rows.filter(status="asked")),
            Question("done", _("done"), lambda rows: rows.filter(status="done")),
            Question("not-done", _("not done"), lambda rows: rows.exclude(status__in=("asked", "done"))),
            default="waiting",
        ),
    )
    search_fields = ("subject",)
    fields = (
        "state", "what", "about", "shown", "above", "asked_by", "reason", "created_at", "expires_at", "decided_by",
    )  # fmt: skip
    readonly_fields = ("state", "what", "about", "shown")
    change_form_outer_after_template = "admin/timeline.html"
    state = words.state_column()

    def may_act(self, request: HttpRequest, act: Act, obj: Any = None) -> bool:
        """Saying yes or no: who may do the act itself, and did not ask for it. Taking back: who asked for it."""
        if not request.user.has_perm("core.view_staffrequest"):
            return False
        if obj is None:
            return True
        own = bool(obj.asked_by_id == request.user.pk)
        if act.name == "withdraw":
            return own
        try:
            page, asked = the_act(obj)
        except NoSuchAct:
            return act.name == "turn-down" and not own
        return not own and bool(page.may_act(request, asked))

    def get_acts(self, request: HttpRequest) -> tuple[Act, ...]:
        """The service needs the person, not a name: a name can be anybody's."""
        user = request.user

        def turn_down(row: StaffRequest, doing: Doing) -> None:
            staff_requests.turn_down(row, user=user, reason=doing.reason)

        def withdraw(row: StaffRequest, doing: Doing) -> None:
            staff_requests.withdraw(row, user=user, reason=doing.reason)

        return (
            Act(
                "approve", _("Say yes, and do it"),
                _("It is done at once, with both your names. You answer for it as much as who asked."),
                lambda row, doing: approve(row, user, doing.reason),
                reason=_("What did you look at? (kept with your name)"), icon="how_to_reg",
                variant=ActionVariant.PRIMARY, possible=_waits, audited=True, on_lists=False, preview=_preview,
            ),
            Act(
                "turn-down", _("Say no"), _("Nothing moves. Who asked sees why."), turn_down, reason=WHY, icon="block",
                possible=_waits, on_lists=False,
            ),
            Act(
                "withdraw", _("Take back"), _("You asked for it, and it is not wanted any more."), withdraw, reason=WHY,
                icon="undo", possible=_waits, on_lists=False,
            ),
        )  # fmt: skip

    def add_to_page(self, request: HttpRequest, obj: StaffRequest, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        entries = timeline.of_events("staff", obj.events.all()[: timeline.MOST_EVENTS])
        context |= {"told": timeline.Told(entries, False), "lanes": timeline.LANES}

    @display(description=_("what"))
    def what(self, row: StaffRequest) -> str:
        try:
            return str(the_act(row)[1].label)
        except NoSuchAct:
            return row.act

    @display(description=_("about"))
    def about(self, row: StaffRequest) -> str:
        return words.link(finding.address(row.subject), row.subject)

    @display(description=_("what would move"))
    def shown(self, row: StaffRequest) -> str:
        return "\n".join(row.lines) or "–"

    @display(description=_("why"))
    def why(self, row: StaffRequest) -> str:
        return row.reason

    @display(description=_("decide"), ordering="expires_at")
    def until(self, row: StaffRequest) -> str:
        return words.ago(row.expires_at) if row.status == "asked" else "–"


def _waits(row: StaffRequest) -> bool:
    return row.status == "asked"


class StaffLimitAdmin(KeptAdmin):
    """Limits are rights: only superusers change them."""

    list_display = ("__str__", "group", "currency", "at_once", "per_day")
    search_fields = ("currency",)
    ordering = ("currency", "group")
    list_select_related = ("group",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_change_permission
    has_delete_permission = has_change_permission

    @display(description=_("alone at once"))
    def at_once(self, row: StaffLimit) -> str:
        return words.money(row.at_once_minor, row.currency)

    @display(description=_("alone in a day"))
    def per_day(self, row: StaffLimit) -> str:
        return words.money(row.per_day_minor, row.currency)


class StaffMoveAdmin(EvidenceAdmin):
    list_display = ("at", "person", "second_person", "act", "about", "reference", "amount")
    search_fields = ("reference",)
    fields = ("at", "day", "person", "second_person", "act", "about", "reference", "amount")
    readonly_fields = ("about", "amount")

    @display(description=_("about"))
    def about(self, row: StaffMove) -> str:
        return words.link(finding.address(row.subject), row.subject)

    @display(description=_("amount"))
    def amount(self, row: StaffMove) -> str:
        return words.money(row.amount_minor, row.currency)


admin.site.register(StaffRequest, StaffRequestAdmin)
admin.site.register(StaffLimit, StaffLimitAdmin)
admin.site.register(StaffMove, StaffMoveAdmin)


@finding.finder("request", permission="core.view_staffrequest")
def _request(number: str) -> StaffRequest | None:
    digits = number.upper().removeprefix("SR")
    known = number.upper().startswith("SR") and digits.isascii() and digits.isdigit() and len(digits) < 16
    return StaffRequest.objects.filter(pk=int(digits)).first() if known else None
