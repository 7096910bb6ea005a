"""Messages to customers at the desk: read only, with "send again"; and what each kind says, with sample data."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from pimpshop.core.admin import finding, words
from pimpshop.core.admin.acting import WHY, Act, Doing
from pimpshop.core.admin.base import EvidenceAdmin
from pimpshop.core.admin.questions import Question, one_of, questions
from pimpshop.core.models import Notification
from pimpshop.core.notifications import kinds, letters, outbox

_TONES = {"sent": "success", "gave_up": "danger", "unwanted": "warning"}


def _send_again(note: Notification, doing: Doing) -> None:
    outbox.send_again(note=note, actor=doing.actor, reason=doing.reason)


@admin.register(Notification)
class NotificationAdmin(EvidenceAdmin):
    list_display = ("made", "kind_word", "about", "state", "recipient", "attempts")
    list_filter = (
        questions(
            Question("waiting", _("not sent yet"), lambda rows: rows.filter(due_at__isnull=False)),
            Question("trouble", _("trouble"), lambda rows: rows.exclude(last_error="")),
            Question("gave-up", _("given up"), lambda rows: rows.filter(outcome="gave_up")),
        ),
        one_of("kind", _("kind"), lambda: [(kind.name, kind.title) for kind in kinds.everything()]),
    )
    search_fields = ("reference",)
    fields = (
        "kind_word", "about", "order", "state", "recipient", "language", "created_at", "sent_at", "due_at", "attempts",
        "again", "last_error", "wording",
    )  # fmt: skip
    readonly_fields = ("kind_word", "about", "order", "state", "wording")
    acts = (
        Act(
            "send-again",
            _("Send again"),
            _("The message is put together from what is true now, and sent once more to where the buyer is reached now."),
            _send_again,
            reason=WHY,
            icon="forward_to_inbox",
            variant=ActionVariant.PRIMARY,
            possible=lambda note: note.due_at is None and kinds.find(note.kind) is not None,
            audited=True,
            on_lists=False,
        ),
    )  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.wordings)
        return [path("wordings/", view, name="core_notification_wordings"), *super().get_urls()]

    def wordings(self, request: HttpRequest) -> HttpResponse:
        """What a kind says in a language, with sample data; ?part=html is the mail's HTML part itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        every = kinds.everything()
        kind = kinds.find(request.GET.get("kind", "") or every[0].name)
        language = letters.language_of(request.GET.get("in", translation.get_language() or "en"))
        if kind is None:
            raise Http404
        with translation.override(language):
            written = letters.write(kind.name, language, kind.sample())
        if request.GET.get("part") == "html":
            return HttpResponse(written.html)
        context = {
            **self.admin_site.each_context(request), "title": _("What messages say"), "opts": self.opts, "kinds": every,
            "chosen": kind, "language": language, "written": written,
        }  # fmt: skip
        return TemplateResponse(request, "admin/wordings.html", context)

    def subjects_of(self, obj: Notification) -> list[str]:
        return [obj.reference]

    @display(description=_("made"), ordering="created_at")
    def made(self, note: Notification) -> str:
        return words.ago(note.created_at)

    @display(description=_("kind"), ordering="kind")
    def kind_word(self, note: Notification) -> str:
        kind = kinds.find(note.kind)
        return str(kind.title) if kind else note.kind.replace("_", " ")

    @display(description=_("about"))
    def about(self, note: Notification) -> str:
        return words.link(finding.address(note.reference), note.reference)

    @display(description=_("order"))
    def order(self, note: Notification) -> str:
        number = str(note.data.get("order_no", ""))
        return words.link(finding.address(number), number) if number else "–"

    @words.labelled(_("state"))
    def state(self, note: Notification) -> tuple[str, Any]:
        if note.due_at is not None:
            return ("warning", note.last_error[:60]) if note.last_error else ("", _("on its way"))
        if note.outcome:
            return _TONES.get(note.outcome, ""), note.get_outcome_display()
        return "", _("shown on the status page")

    @display(description=_("what it says"))
    def wording(self, note: Notification) -> str:
        if kinds.find(note.kind) is None:
            return "–"
        page = reverse("admin:core_notification_wordings")
        return words.link(f"{page}?kind={note.kind}&in={note.language}", _("with sample data"))
