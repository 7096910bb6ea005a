"""What staff may do to a row: an `Act` says the words, the service it calls and whether a reason is asked.

From a row's page an act is a button that leads to a page with the question, and with what would move where the act says it;
from a list it is an action. A state is only ever changed by a POST, by somebody who may change that model, through a
service that gets who and why. An act leaves an AuditEntry: the service's own where it writes one (`audited`), else one
from here. Limits and the second person: pimpshop.core.admin.doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from unfold.admin import ModelAdmin

from pimpshop.core import errors, idempotency
from pimpshop.core.admin import doing as acts_done
from pimpshop.core.admin.acts import (
    MOST_AT_ONCE,
    TYPED,
    WHY,
    Act,
    ActForm,
    Did,
    Doing,
    Preview,
    fingerprint,
    plain_preview,
)

__all__ = ["MOST_AT_ONCE", "WHY", "Act", "ActForm", "ActingMixin", "Did", "Doing", "Preview"]


class ActingMixin(ModelAdmin):
    """Gives a ModelAdmin its `acts`, as buttons on the row's page and as actions of the list."""

    acts: tuple[Act, ...] = ()

    def may_act(self, request: HttpRequest, act: Act, obj: Any = None) -> bool:
        """Acting is changing: the permission to change this model, read-only as its pages are."""
        opts = self.opts
        return bool(request.user.has_perm(act.permission or f"{opts.app_label}.change_{opts.model_name}"))

    def audit_subject(self, obj: Any) -> str:
        return str(obj)

    def get_acts(self, request: HttpRequest) -> tuple[Act, ...]:
        return self.acts

    # --- from a list
    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        for act in self.get_acts(request):
            if act.on_lists and self.may_act(request, act):
                actions[act.name] = (_list_action(act), act.name, act.label)
        return actions

    def act_on_list(self, request: HttpRequest, act: Act, rows: QuerySet[Any]) -> HttpResponse | None:
        """Do `act` to the chosen rows; first ask for the reason where it wants one."""
        if not self.may_act(request, act):
            raise PermissionDenied
        chosen = list(rows[: act.at_most + 1])
        if len(chosen) > act.at_most:
            messages.error(request, gettext("Please choose at most %d. Nothing was changed.") % act.at_most)
            return None
        doing = Doing(actor=str(request.user), reason=request.POST.get("reason", "").strip())
        lines, prints = _shown_for(act, chosen, doing)
        seen = idempotency.fingerprint(act.name, prints) if prints else ""
        if act.reason is not None or act.preview is not None:
            sent = ActForm(request.POST if "apply" in request.POST else None, act=act)
            if not (sent.is_bound and sent.is_valid() and sent.cleaned_data["seen"] == seen):
                form = ActForm(initial={"seen": seen}, act=act)
                if sent.is_bound:
                    form.errors_of(sent)
                shown = Preview(lines) if act.preview is not None else None
                return self._ask(request, act, form, chosen, keep=True, shown=shown)
            rows_once = [obj.pk for obj in chosen]
            if not self._first_time(request, act, rows_once, sent.cleaned_data.get("once", "")):
                return None
        self._do(request, act, chosen, doing, prints)
        return None

    # --- from the row's page
    def get_urls(self) -> list[Any]:
        opts = self.opts
        view = self.admin_site.admin_view(self.act_view)
        return [
            path("<path:object_id>/act/<slug:name>/", view, name=f"{opts.app_label}_{opts.model_name}_act"),
            *super().get_urls(),
        ]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask (GET) and do (POST) one act on one row. `show` only shows again what would move."""
        act = next((act for act in self.get_acts(request) if act.name == name), None)
        if act is None:
            raise Http404
        if not (self.has_view_or_change_permission(request) and self.may_act(request, act)):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.may_act(request, act, obj):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request, act, obj, Doing(actor=str(request.user)))
        form = ActForm(request.POST, act=act, obj=obj)
        valid = form.is_valid()
        doing = Doing(
            actor=str(request.user), reason=str(form.cleaned_data.get("reason", "")), **form.typed()
        )
        if not valid or "show" in request.POST:
            return self._show(request, act, obj, doing, bound=None if "show" in request.POST else form)
        if not self._first_time(request, act, obj.pk, form.cleaned_data.get("once", "")):
            return HttpResponseRedirect(self._page_of(obj))
        return self._do_one(request, act, obj, doing)

    def _do_one(self, request: HttpRequest, act: Act, obj: Any, doing: Doing) -> HttpResponse:
        """From the row's page; what was shown must still be true, and what is to be ticked is ticked."""
        seen, sure = request.POST.get("seen", ""), request.POST.get("sure") == "on"
        try:
            if act.preview is not None and not sure and act.preview(obj, doing).confirm:
                messages.warning(request, gettext("Please tick that you have looked. Nothing was changed."))
                return self._show(request, act, obj, doing)
            outcome = acts_done.do(
                act=act, obj=obj, doing=doing, user=request.user, subject=self.audit_subject(obj), seen=seen
            )
        except errors.ShopError as refusal:
            messages.error(request, f"{obj}: {refusal.message}")
            return HttpResponseRedirect(self._page_of(obj))
        if outcome.changed:
            told = gettext(
                "Please look at what would move now, and say yes to that. Nothing was changed yet."
            )
            messages.warning(request, told)
            return self._show(request, act, self.get_object(request, str(obj.pk)) or obj, doing)
        self._say(request, act, obj, outcome)
        return HttpResponseRedirect(self._page_of(obj))

    def _show(
        self, request: HttpRequest, act: Act, obj: Any, doing: Doing, bound: ActForm | None = None
    ) -> HttpResponse:
        """The page in between for one row, with what would move."""
        shown, seen, trouble = None, "", ""
        if act.preview is not None:
            try:
                shown, seen = (
                    act.preview(obj, doing),
                    fingerprint(act, obj, doing, plain_preview(act, obj, doing)),
                )
            except errors.ShopError as refusal:
                trouble = str(refusal.message)
        confirm = shown.confirm if shown else ""
        typed = {"reason": doing.reason, **{name: getattr(doing, name) for name in TYPED}}
        form = ActForm(initial={**typed, "seen": seen}, act=act, obj=obj, confirm=confirm)
        if bound is not None:
            form.errors_of(bound)
        return self._ask(request, act, form, [obj], keep=False, shown=shown, trouble=trouble)

    def _first_time(self, request: HttpRequest, act: Act, about: Any, once: str) -> bool:
        """Whether this very form (about the row or rows with these keys) was not sent before (a double click, a reload)."""
        if not once:
            return True
        owner, print_ = (
            f"staff:{request.user.pk}",
            idempotency.fingerprint(f"{self.opts.label}/{act.name}", about),
        )
        try:
            started = idempotency.begin(owner=owner, key=once, fingerprint=print_)
        except errors.ShopError:
            started = None
        if isinstance(started, idempotency.Claim):
            idempotency.finish(started, status=200, body={})
            return True
        messages.info(request, gettext("This was sent twice; it was done once."))
        return False

    def buttons(self, request: HttpRequest, obj: Any) -> list[dict[str, Any]]:
        """The acts that are possible on `obj` now, as unfold's template wants them."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        return [
            {
                "title": act.label, "icon": act.icon, "variant": act.variant, "attrs": {}, "dialog": None,
                "path": reverse(name, args=[obj.pk, act.name]),
            }
            for act in self.get_acts(request)
            if self.may_act(request, act, obj) and act.possible(obj)
        ]  # fmt: skip

    # --- both
    def _page_of(self, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def _ask(
        self,
        request: HttpRequest,
        act: Act,
        form: ActForm,
        chosen: Iterable[Any],
        *,
        keep: bool,
        shown: Preview | None = None,
        trouble: str = "",
    ) -> TemplateResponse:
        """The page in between; `keep` carries a list's choice on to the next POST."""
        rows = list(chosen)
        context = {
            **self.admin_site.each_context(request), "title": act.label, "opts": self.opts, "act": act, "form": form,
            "rows": rows, "chosen_name": helpers.ACTION_CHECKBOX_NAME if keep else "", "shown": shown,
            "trouble": trouble, "instead": self._instead(request, rows[0], shown) if shown else [],
            "asks": act.preview is not None and any(name in form.fields for name in TYPED),
            "back": self._page_of(rows[0]) if not keep and rows else ".",
        }  # fmt: skip
        return TemplateResponse(request, "admin/act.html", context)

    def _instead(self, request: HttpRequest, obj: Any, shown: Preview) -> list[tuple[str, str]]:
        """The better ways that the preview names, as links: an act of this page, or an address."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_act"
        return [
            (text, to if to.startswith("/") else reverse(name, args=[obj.pk, to]))
            for text, to in shown.instead
        ]

    def _do(
        self, request: HttpRequest, act: Act, rows: Iterable[Any], doing: Doing, prints: list[str]
    ) -> None:
        """From a list: row by row."""
        for number, obj in enumerate(rows):
            try:
                if act.preview is not None and act.preview(obj, doing).confirm:
                    told = gettext(
                        "%(row)s: there is something to tick first. Please do it from its own page."
                    )
                    messages.warning(request, told % {"row": obj})
                    continue
                outcome = acts_done.do(
                    act=act, obj=obj, doing=doing, user=request.user, subject=self.audit_subject(obj),
                    seen=prints[number] if prints else "",
                )  # fmt: skip
            except errors.ShopError as refusal:
                messages.error(request, f"{obj}: {refusal.message}")
                continue
            self._say(request, act, obj, outcome)

    def _say(self, request: HttpRequest, act: Act, obj: Any, outcome: acts_done.Outcome) -> None:
        if outcome.asked is not None:
            told = gettext("%(above)s Nothing has moved: request %(number)s waits for a second person.")
            messages.warning(request, f"{obj}: " + told % {"above": outcome.above, "number": outcome.asked})
        elif outcome.did is None or outcome.changed:
            messages.warning(request, gettext("%(row)s: nothing was to be done.") % {"row": obj})
        else:
            said = f"{obj}: {act.label}: {outcome.did.said or gettext('done')}"
            (messages.success if outcome.did.tone == "success" else messages.warning)(request, said)


def _list_action(act: Act) -> Callable[..., HttpResponse | None]:
    def action(model_admin: ActingMixin, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return model_admin.act_on_list(request, act, rows)

    return action


def _shown_for(act: Act, rows: Iterable[Any], doing: Doing) -> tuple[list[str], list[str]]:
    """What would move for each row of a list, in lines, and the fingerprints of that; nothing without a preview."""
    lines: list[str] = []
    prints: list[str] = []
    for obj in rows if act.preview is not None else ():
        try:
            shown = act.preview(obj, doing)  # type: ignore[misc]
            prints.append(fingerprint(act, obj, doing, plain_preview(act, obj, doing)))
        except (
            errors.ShopError
        ) as refusal:  # the others are done all the same; this one says why not once more
            shown = Preview([str(refusal.message)])
            prints.append("")
        lines += [f"{obj}: {line}" for line in (*shown.lines, *shown.now)]
    return lines, prints
