"""What staff may do to a row: an `Act` says the words, the service it calls and whether a reason is asked.

From a row's page an act is a button that leads to a page with the question; from a list it is an action. A state is
only ever changed by a POST, by somebody who may change that model, through a service that gets who and why.
An act leaves an AuditEntry: the service's own where it writes one (`audited`), else one from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from pimpshop.core import errors, idempotency, ids
from pimpshop.core.models import AuditEntry

#: An act on a list is done row by row, at most so many at once.
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Doing:
    """Who does it and why."""

    actor: str
    reason: str = ""
    amount: str = ""  # as it was typed, in major units; empty: all
    person: str = ""  # an e-mail address, if one was typed


@dataclass(frozen=True)
class Act:
    """`run` calls the service; it answers False when there was nothing to do, or a text to show instead of "done"."""

    name: str
    label: Any
    explain: Any
    run: Callable[[Any, Doing], bool | str | None]
    reason: Any = None  # the label of the required text; None: nothing is asked
    amount: Any = None  # the label of an amount that may be left empty; None: none is asked (never on lists)
    person: Any = (
        None  # the label of an e-mail address that may be left empty; None: none is asked (never on lists)
    )
    icon: str = "bolt"
    variant: ActionVariant = ActionVariant.DEFAULT
    possible: Callable[[Any], bool] = lambda obj: True
    audited: bool = False
    on_lists: bool = True
    at_most: int = MOST_AT_ONCE  # rows of a list at once; few where each asks a provider
    permission: str = ""  # "app.codename"; empty: to change this model


#: What an act's form may ask for.
_TYPED = ("reason", "amount", "person")


class ActForm(forms.Form):
    """The reason of an act, where one is asked, and amount and person. `once` makes a form that is sent twice act once."""

    amount = forms.CharField(
        max_length=20,
        strip=True,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )
    person = forms.EmailField(max_length=254, required=False, widget=UnfoldAdminTextInputWidget())
    reason = forms.CharField(
        max_length=500, strip=True, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True})
    )
    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, act: Act, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if act.reason is None:
            del self.fields["reason"]
        else:
            self.fields["reason"].label = act.reason
        if act.amount is None:
            del self.fields["amount"]
        else:
            self.fields["amount"].label = act.amount
        if act.person is None:
            del self.fields["person"]
        else:
            self.fields["person"].label = act.person
        self.fields["once"].initial = ids.new_token()


class ActingMixin(ModelAdmin):
    """Gives a ModelAdmin its `acts`, as buttons on the row's page and as actions of the list."""

    acts: tuple[Act, ...] = ()

    def may_act(self, request: HttpRequest, act: Act) -> bool:
        """Acting is changing: the permission to change this model, read-only as its pages are."""
        opts = self.opts
        return request.user.has_perm(act.permission or f"{opts.app_label}.change_{opts.model_name}")

    def audit_subject(self, obj: Any) -> str:
        return str(obj)

    # --- from a list
    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        for act in self.acts:
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
        asked = "apply" in request.POST
        form = ActForm(request.POST if asked else None, act=act)
        if act.reason is not None and not (asked and form.is_valid()):
            return self._ask(request, act, form, chosen, keep=True)
        self._do(request, act, chosen, form.cleaned_data["reason"] if act.reason is not None else "")
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
        """Ask (GET) and do (POST) one act on one row."""
        act = next((act for act in self.acts if act.name == name), None)
        if act is None:
            raise Http404
        if not (self.has_view_or_change_permission(request) and self.may_act(request, act)):
            raise PermissionDenied
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        form = ActForm(request.POST if request.method == "POST" else None, act=act)
        if request.method != "POST" or not form.is_valid():
            return self._ask(request, act, form, [obj], keep=False)
        if self._first_time(request, act, obj, form.cleaned_data.get("once", "")):
            self._do(request, act, [obj], **{name: form.cleaned_data.get(name, "") for name in _TYPED})
        return HttpResponseRedirect(self._page_of(obj))

    def _first_time(self, request: HttpRequest, act: Act, obj: Any, once: str) -> bool:
        """Whether this very form was not sent before (a double click, a reload)."""
        if not once:
            return True
        owner, print_ = (
            f"staff:{request.user.pk}",
            idempotency.fingerprint(f"{self.opts.label}/{act.name}", obj.pk),
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
            for act in self.acts
            if self.may_act(request, act) and act.possible(obj)
        ]  # fmt: skip

    # --- both
    def _page_of(self, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def _ask(
        self, request: HttpRequest, act: Act, form: ActForm, chosen: Iterable[Any], *, keep: bool
    ) -> TemplateResponse:
        """The page in between; `keep` carries a list's choice on to the next POST."""
        rows = list(chosen)
        return TemplateResponse(
            request,
            "admin/act.html",
            {
                **self.admin_site.each_context(request),
                "title": act.label,
                "opts": self.opts,
                "act": act,
                "form": form,
                "rows": rows,
                "chosen_name": helpers.ACTION_CHECKBOX_NAME if keep else "",
                "back": self._page_of(rows[0]) if not keep and rows else ".",
            },
        )

    def _do(self, request: HttpRequest, act: Act, rows: Iterable[Any], reason: str, **typed: str) -> None:
        doing = Doing(actor=str(request.user), reason=reason, **typed)
        for obj in rows:
            try:
                answer = act.run(obj, doing)
            except errors.ShopError as refusal:
                messages.error(request, f"{obj}: {refusal.message}")
                continue
            if answer is False:
                messages.warning(request, gettext("%(row)s: nothing was to be done.") % {"row": obj})
                continue
            if not act.audited:
                AuditEntry.objects.create(
                    actor=doing.actor, action=act.name.replace("-", " "), subject=self.audit_subject(obj)[:120],
                    reason=reason,
                )  # fmt: skip
            said = answer if isinstance(answer, str) else gettext("done")
            messages.success(request, f"{obj}: {act.label}: {said}")


def _list_action(act: Act) -> Callable[..., HttpResponse | None]:
    def action(model_admin: ActingMixin, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return model_admin.act_on_list(request, act, rows)

    return action


#: The usual label of a reason.
WHY = _("Why? (kept with your name)")
