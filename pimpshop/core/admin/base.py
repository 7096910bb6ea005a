"""The bases of every page of the staff's desk.

`DeskAdmin`: how lists look, page and are searched. `EvidenceAdmin`: what happened, which nobody edits. `KeptAdmin`:
what staff keep up to date; each change leaves an AuditEntry with the values before and after. `StoryMixin`: the timeline under a row.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import ShowFacets
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from pimpshop.core.admin import changes, item_steps, lists, timeline
from pimpshop.core.admin.acting import ActingMixin
from pimpshop.core.admin.questions import QuestionFilter
from pimpshop.core.models import AuditEntry


class DeskAdmin(ActingMixin):
    """Bounded counts, and prefix search over `search_fields` (plain names; each needs an index)."""

    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    paginator = lists.BoundedPaginator
    list_before_template = "admin/questions.html"
    change_form_outer_before_template = "admin/waits.html"
    compressed_fields = True
    actions_on_bottom = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return lists.search(queryset, tuple(self.search_fields), search_term, self.exact_numbers), False

    def exact_numbers(self, term: str) -> list[Q]:
        """Conditions on whole numbers, searched beside `search_fields`."""
        return []

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        changes = _context(response).get("cl")
        if changes is not None:
            # unfold would write "(Show all)" beside every count that is not the table's own.
            changes.full_result_count = changes.result_count
            asked = next((spec for spec in changes.filter_specs if isinstance(spec, QuestionFilter)), None)
            _context(response)["questions"] = list(asked.choices(changes)) if asked else []
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        context = _context(response)
        if context.get("original") is not None:
            context["actions_detail"] = self.buttons(request, context["original"])
            self.add_to_page(request, context["original"], context)
        return response

    def add_to_page(self, request: HttpRequest, obj: Any, context: dict[str, Any]) -> None:
        """More context for the page of `obj`: here, the open items about it."""
        context["waiting"] = [
            {"text": text, "href": reverse("admin:core_staffitem_change", args=[item.pk])}
            for text, item in item_steps.waiting_for(request, self.subjects_of(obj))
        ]

    def subjects_of(self, obj: Any) -> list[str]:
        """The names that items may call `obj` (and what it speaks for) by."""
        return [self.audit_subject(obj)]


class EvidenceAdmin(DeskAdmin):
    """Read only, whatever permissions somebody has; only acts change anything, through services."""

    ordering: tuple[str, ...] = ("-pk",)
    # The newest first: another order would have to look at every row there ever was.
    sortable_by = ()

    def add_to_page(self, request: HttpRequest, obj: Any, context: dict[str, Any]) -> None:
        """Django's log of edits is empty here: what happened stands in the timeline."""
        super().add_to_page(request, obj, context)
        context["show_history"] = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KeptAdmin(DeskAdmin):
    """Editable. Django's own log says which fields; the audit entry says who did what to which row."""

    warn_unsaved_form = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A language is one of ours, chosen, not typed."""
        if db_field.name == "language":
            return forms.ChoiceField(
                choices=settings.LANGUAGES, label=db_field.verbose_name, widget=UnfoldAdminSelectWidget
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """The one place that sees the form and the forms of the rows below: what they change is kept for the entry."""
        request.desk_changes = [*changes.of_form(form), *changes.of_formsets(formsets or ())]  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, "added", obj, getattr(request, "desk_changes", []))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, "changed", obj, getattr(request, "desk_changes", []))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self._audit(request, "deleted", obj, changes.of_row(obj))
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, verb: str, obj: Model, found: list[changes.Change]) -> None:
        AuditEntry.objects.create(
            actor=str(request.user),
            action=f"{verb} {self.opts.verbose_name_raw}"[:64],
            subject=self.audit_subject(obj)[:120],
            data={"changes": found} if found else {},
        )


class StoryMixin:
    """A ModelAdmin whose rows belong to a story (an order, a session): the timeline stands under the row."""

    change_form_outer_after_template = "admin/timeline.html"

    def story_of(self, obj: Any) -> timeline.Story:
        return timeline.Story(order_no=obj.order_no, session_id=obj.session_id)

    def add_to_page(self, request: HttpRequest, obj: Any, context: dict[str, Any]) -> None:
        super().add_to_page(request, obj, context)  # type: ignore[misc]
        context["told"] = timeline.tell(self.story_of(obj))
        context["lanes"] = timeline.LANES


def _context(response: Any) -> dict[str, Any]:
    """The context of a page that is not rendered yet; an empty dict for a redirect."""
    data = response.context_data if isinstance(response, TemplateResponse) else None
    return data if data is not None else {}
