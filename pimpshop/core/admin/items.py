"""Staff items: what needs a person, whose it is, what to do, where it leads, notes, and how it was resolved.

What an item says comes from its kind (core.staff_kinds), in the reader's language; the words that were written when it
was opened are kept below, as evidence.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from pimpshop.core import errors, ids, staff_items, staff_kinds
from pimpshop.core.admin import finding, item_steps, item_words, words
from pimpshop.core.admin.acting import Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, questions
from pimpshop.core.models import AuditEntry, StaffItem


class NotStaff(errors.Conflict):
    code = "not_staff"
    message = _("Nobody who works here has this address. Nothing was changed.")


def _resolve(item: StaffItem, doing: Doing) -> bool:
    with transaction.atomic():
        done = staff_items.resolve(item, actor=doing.actor, resolution=doing.reason)
        if done:
            AuditEntry.objects.create(
                actor=doing.actor, action="resolve item", subject=item.subject, reason=doing.reason,
                data={"kind": item.kind, "title": item.title},
            )  # fmt: skip
    return done


def _take(item: StaffItem, doing: Doing) -> bool:
    return staff_items.hand_to(item, owner=doing.actor)


def _assign(item: StaffItem, doing: Doing) -> bool:
    """To somebody who works here."""
    people = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
    person = people.filter(email__iexact=doing.person).first() if doing.person else None
    if person is None:
        raise NotStaff
    return staff_items.hand_to(item, owner=str(person))


def _release(item: StaffItem, doing: Doing) -> bool:
    return staff_items.hand_to(item, owner="")


def _note(item: StaffItem, doing: Doing) -> None:
    staff_items.note(item, author=doing.actor, text=doing.reason)


#: Acts that stand as forms on the item's page.
AT_ONCE = ("take", "note", "resolve")


def _is_open(item: StaffItem) -> bool:
    return item.resolved_at is None


class KindFilter(admin.SimpleListFilter):
    """By kind, in words; those that are open come with their number."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counts = item_words.counts(request)
        shown = {kind.name: str(kind.title) for kind in staff_kinds.every()}
        shown |= {name: str(staff_kinds.get(name).title) for name in counts}
        return [
            (name, f"{title} ({counts[name]})" if name in counts else title) for name, title in shown.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


def _overdue(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(staff_kinds.overdue(timezone.now()))


@admin.register(StaffItem)
class StaffItemAdmin(EvidenceAdmin):
    list_display = ("headline", "urgency", "about", "waits", "owned_by")
    list_filter = (
        questions(
            Question("open", _("open"), lambda rows: rows.filter(resolved_at=None)),
            Question("mine", _("mine"), of_reader=lambda rows, me: rows.filter(resolved_at=None, owner=me)),
            Question("unassigned", _("nobody's yet"), lambda rows: rows.filter(resolved_at=None, owner="")),
            Question("overdue", _("overdue"), _overdue),
            Question("resolved", _("resolved"), lambda rows: rows.exclude(resolved_at=None)),
            default="open",
        ),
        KindFilter,
    )
    search_fields = ("subject",)
    fieldsets = (
        (None, {"fields": (("state", "urgency"), "todo", "why", ("about", "waits"), "owned_by")}),
        (_("How it ended"), {"fields": ("resolved_at", "resolved_by", "resolution")}),
        (_("As it was written then"), {"classes": ["collapse"], "fields": ("title", "said", "created_at", "kind", "facts")}),
    )  # fmt: skip
    readonly_fields = ("state", "urgency", "about", "waits", "owned_by", "todo", "why", "said", "facts")
    change_form_outer_before_template = "admin/steps.html"
    change_form_outer_after_template = "admin/notes.html"
    acts = (
        Act(
            "take", _("I take it"), _("It is yours from now on; the others see that."), _take,
            icon="front_hand", variant=ActionVariant.PRIMARY, possible=_is_open,
        ),
        Act(
            "assign", _("Give it to somebody"), _("They find it under “mine”."), _assign,
            person=_("Whose? The e-mail address of somebody who works here"), icon="person_add", possible=_is_open,
            on_lists=False,
        ),
        Act(
            "release", _("Give it back"), _("It is nobody's again, and anybody may take it."), _release,
            icon="person_remove", possible=lambda item: _is_open(item) and item.owner != "",
        ),
        Act(
            "note", _("Write a note"), _("Everybody at the desk reads it. A note is never changed."), _note,
            reason=_("Note (kept with your name)"), icon="edit_note", on_lists=False,
        ),
        Act(
            "resolve", _("Resolve"), _("Say in a word what you did. The item is closed and kept."), _resolve,
            reason=_("What did you do? (kept with your name)"), icon="task_alt", possible=_is_open, audited=True,
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With how urgent each is, for sorting."""
        rows = StaffItem.objects.annotate(severity=item_words.severity())
        return rows.order_by(*self.get_ordering(request))

    def get_ordering(self, request: HttpRequest) -> Any:
        """What is open: the most urgent first, then the longest wait. What is over: the newest first."""
        over = request.GET.get("show") in ("resolved", "all")
        return ("-pk",) if over else ("severity", "created_at")

    def get_urls(self) -> list[Any]:
        """`admin:find` lives under the items, whose page everybody at the desk may open."""
        return [path("find/", self.admin_site.admin_view(finding.find), name="find"), *super().get_urls()]

    @display(description=_("what happened"), header=True)
    def headline(self, item: StaffItem) -> tuple[str, str]:
        return item_words.headline(item), item_words.todo(item)

    @words.labelled(_("urgency"), ordering="severity")
    def urgency(self, item: StaffItem) -> tuple[str, Any]:
        return item_words.URGENCY[staff_kinds.get(item.kind).severity]

    @display(description=_("about"), ordering="subject")
    def about(self, item: StaffItem) -> SafeString:
        return item_words.link(item)

    @words.labelled(_("since"), ordering="created_at")
    def waits(self, item: StaffItem) -> tuple[str, Any]:
        return item_words.age(item)

    @display(description=_("whose"), ordering="owner")
    def owned_by(self, item: StaffItem) -> Any:
        return item.owner or _("nobody's yet")

    @words.labelled(_("state"))
    def state(self, item: StaffItem) -> tuple[str, Any]:
        return ("danger", _("open")) if item.resolved_at is None else ("success", _("resolved"))

    @display(description=_("what to do"))
    def todo(self, item: StaffItem) -> SafeString:
        return format_html('<span class="desk-todo">{}</span>', item_words.todo(item) or "–")

    @display(description=_("why"))
    def why(self, item: StaffItem) -> str:
        return item_words.why(item) or "–"

    @display(description=_("what was said"))
    def said(self, item: StaffItem) -> SafeString:
        return format_html('<span class="desk-todo">{}</span>', item.detail or "–")

    @display(description=_("details"))
    def facts(self, item: StaffItem) -> str:
        return words.json_block(item.data) or "–"

    def audit_subject(self, obj: StaffItem) -> str:
        return obj.subject

    def subjects_of(self, obj: StaffItem) -> list[str]:
        return []

    def add_to_page(self, request: HttpRequest, obj: StaffItem, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)
        context["headline"] = item_words.headline(obj)
        context["notes"] = obj.notes.all()
        context["steps"] = item_steps.steps(obj, request, self.admin_site)
        context["needs_another"] = item_steps.needs_another(obj, context["steps"])
        context["still_open"] = sum(item_words.counts(request).values()) if obj.resolved_at else 0
        context["list_of_items"] = item_words.list_of()
        self._add_forms(request, obj, context)

    def _add_forms(self, request: HttpRequest, obj: StaffItem, context: dict[str, Any]) -> None:
        """What is said or taken at once, on the item's own page, needs no page in between and no button for it."""
        here = {act.name for act in self.get_acts(request) if act.name in AT_ONCE}
        context["actions_detail"] = [
            button
            for button in context["actions_detail"]
            if button["path"].rstrip("/").rpartition("/")[2] not in here
        ]
        context["at_once"] = {
            act.name: self.button_of(act, obj) for act in self.get_acts(request)
            if act.name in here and self.may_act(request, act, obj) and act.possible(obj)
            and not (act.name == "take" and obj.owner == str(request.user))
        }  # fmt: skip
        context["once"] = ids.new_token()

    def button_of(self, act: Act, obj: StaffItem) -> dict[str, Any]:
        return {"title": act.label, "path": reverse("admin:core_staffitem_act", args=[obj.pk, act.name])}

    def get_fieldsets(self, request: HttpRequest, obj: StaffItem | None = None) -> Any:
        first, ended, then = super().get_fieldsets(request, obj)
        if obj is not None and not item_words.why(obj):
            shown = tuple(field for field in first[1]["fields"] if field != "why")
            first = (first[0], {**first[1], "fields": shown})
        return [first, ended, then] if obj is None or obj.resolved_at else [first, then]
