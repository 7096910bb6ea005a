"""Files on the desk: taking a list out as it is shown, and bringing a sheet in: look first, then all of it once.

Here: the two doors and their page. Not here: columns and what a line does (services.sheet_columns, services.importing).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from catalog.admin.prices import MAY_SET
from catalog.services import importing
from catalog.services.importing import Report, Rights
from catalog.services.sheet_columns import Sheet, Unreadable
from pimpshop.core import errors, idempotency, ids, sheets
from pimpshop.core.admin.acting import WHY

#: So many lines of a kind are shown.
MOST_SHOWN = 200


class FileForm(forms.Form):
    file = forms.FileField(label=_("File"), widget=UnfoldAdminFileFieldWidget)


class YesForm(forms.Form):
    """The file's text comes back with what was shown of it; `once` makes a double click one deed."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)
    once = forms.CharField(widget=forms.HiddenInput, max_length=64)
    sure = forms.BooleanField(
        label=_("Yes, I have looked at the unusual prices"), widget=UnfoldBooleanSwitchWidget
    )
    reason = forms.CharField(
        label=WHY, max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )  # fmt: skip

    def __init__(self, *args: Any, unusual: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not unusual:
            del self.fields["sure"]

    def errors_of(self, bound: forms.Form) -> None:
        """Show what was wrong with what was sent, beside what is shown anew."""
        self._errors = bound.errors
        self.initial["reason"] = bound.data.get("reason", "")


class SheetMixin(ModelAdmin):
    """A list that can be taken out and brought in. `sheet` says how."""

    sheet: ClassVar[Sheet]
    list_before_template = "admin/sheet_links.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("sheet.csv", view(self.take_out), name=f"{self._sheet_name}_take_out"),
            path("sheet/", view(self.bring_in), name=f"{self._sheet_name}_bring_in"),
            *super().get_urls(),
        ]

    @property
    def _sheet_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def rights(self, request: HttpRequest) -> Rights:
        """To rows: whoever may add and change them by hand. To prices: whoever may set one."""
        by_hand = self.has_add_permission(request) and self.has_change_permission(request)
        return Rights(to_change=bool(by_hand), to_price=self.sheet.prices and request.user.has_perm(MAY_SET))

    def may_bring_in(self, request: HttpRequest) -> bool:
        rights = self.rights(request)
        return rights.to_change or rights.to_price

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = request.GET.urlencode()
        links = [
            (
                _("Take out as a file"),
                reverse(f"admin:{self._sheet_name}_take_out") + (f"?{query}" if query else ""),
            )
        ]
        if self.may_bring_in(request):
            links.append((_("Bring in a file"), reverse(f"admin:{self._sheet_name}_bring_in")))
        return super().changelist_view(request, {**(extra_context or {}), "sheet_links": links})

    # --- out
    def take_out(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows, all pages of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request).select_related(*self.sheet.related)
        name = f"{self.sheet.name}-{timezone.now():%Y-%m-%d}.csv"
        found = importing.rows(self.sheet, rows.iterator(chunk_size=500))
        return sheets.answer(name, importing.header(self.sheet), found)

    # --- in
    def bring_in(self, request: HttpRequest) -> HttpResponse:
        """GET: how a file must look. POST with a file: what it would do. POST with a yes: all of it, once."""
        if not self.may_bring_in(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, FileForm())
        if "seen" in request.POST:
            return self._apply(request)
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, form)
        try:
            sent = form.cleaned_data["file"]
            data = sent.read(importing.MOST_BYTES + 1)
            table = importing.read(data, self.sheet)
        except Unreadable as error:
            form.add_error("file", str(error))
            return self._page(request, form)
        report = self._run(request, table)
        return self._page(request, self._yes(data.decode("utf-8-sig"), report), report)

    def _apply(self, request: HttpRequest) -> HttpResponse:
        text = request.POST.get("text", "")
        try:
            table = importing.read(text.encode(), self.sheet)
        except (Unreadable, UnicodeEncodeError):
            raise PermissionDenied from None  # it was read when it was shown
        shown = self._run(request, table)
        form = YesForm(request.POST, unusual=shown.is_unusual)
        if not form.is_valid():
            again = self._yes(text, shown)
            again.errors_of(form)
            return self._page(request, again, shown)
        claim = self._claim(request, form.cleaned_data["once"])
        if claim is None:
            messages.info(request, gettext("This was sent twice; it was done once."))
            return HttpResponseRedirect(self._list())
        try:
            report = self._run(
                request, table, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
            )
        except Exception:
            idempotency.release(claim)  # nothing was done: sent again, it must not read "it was done once"
            raise
        if not report.done:
            idempotency.release(claim)
            messages.warning(
                request, gettext("Something has changed since. Please look again. Nothing was changed yet.")
            )
            return self._page(request, self._yes(text, report), report)
        idempotency.finish(claim, status=200, body={})
        told = gettext("Added: %(added)s. Changed: %(changed)s. Left alone: %(same)s.")
        messages.success(
            request, told % {verb: len(report.of(verb)) for verb in ("added", "changed", "same")}
        )
        return HttpResponseRedirect(self._list())

    def _run(self, request: HttpRequest, table: importing.Table, **more: Any) -> Report:
        return importing.run(self.sheet, table, actor=str(request.user), rights=self.rights(request), **more)

    def _claim(self, request: HttpRequest, once: str) -> idempotency.Claim | None:
        """None: this very form was sent before."""
        owner, about = f"staff:{request.user.pk}", idempotency.fingerprint(f"sheet/{self.sheet.name}", once)
        try:
            started = idempotency.begin(owner=owner, key=once, fingerprint=about)
        except errors.ShopError:
            return None
        return started if isinstance(started, idempotency.Claim) else None

    def _yes(self, text: str, report: Report) -> YesForm:
        initial = {"text": text, "seen": report.fingerprint, "once": ids.new_token()}
        return YesForm(initial=initial, unusual=report.is_unusual)

    def _list(self) -> str:
        return reverse(f"admin:{self._sheet_name}_changelist")

    def _page(self, request: HttpRequest, form: forms.Form, report: Report | None = None) -> TemplateResponse:
        wrong = bool(report and report.of("wrong"))
        groups = [
            (title, len(report.of(verb)), report.of(verb)[:MOST_SHOWN])
            for verb, title in (
                ("wrong", _("To put right")),
                ("added", _("Added")),
                ("changed", _("Changed")),
            )
            if report is not None and report.of(verb)
        ]
        context = {
            **self.admin_site.each_context(request), "title": gettext("Bring in a file"), "opts": self.opts, "form": form,
            "report": report, "groups": groups, "same": len(report.of("same")) if report else 0, "back": self._list(),
            "may_apply": report is not None and bool(groups) and not wrong, "is_wrong": wrong,
            "header": importing.header(self.sheet), "key": self.sheet.key, "has_holes": self.sheet.prices, "most": importing.MOST_LINES,
            "needed": [column.name for column in self.sheet.columns if column.needed],
            "take_out": reverse(f"admin:{self._sheet_name}_take_out"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/sheet.html", context)
