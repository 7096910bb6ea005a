"""What an act is: its words, the service it calls, what it would move, and the form that it asks with.

Here: the parts. Not here: the pages (`acting`), doing it within limits (`doing`), the second person (`second_person`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from django import forms
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from pimpshop.core import idempotency, ids
from pimpshop.core.money import Money

#: An act on a list is done row by row, at most so many at once.
MOST_AT_ONCE = 50
#: The usual label of a reason.
WHY = _("Why? (kept with your name)")
#: What an act's form may ask for beside the reason.
TYPED = ("amount", "person", "choice", "when")
#: As the browser's own field writes it.
WHEN = "%Y-%m-%dT%H:%M"
#: More choices than these are a list to open.
MOST_BUTTONS = 6


@dataclass(frozen=True)
class Doing:
    """Who does it and why."""

    actor: str
    reason: str = ""
    amount: str = ""  # as it was typed, in major units; empty: all
    person: str = ""  # an e-mail address, if one was typed
    choice: str = ""  # of Act.choices
    when: str = ""  # 2026-11-30T09:00, UTC; empty: now


@dataclass(frozen=True)
class Preview:
    """What would move, in the reader's language, read by the services that would move it.

    `moves` count for the limits; `confirm` is what somebody must tick; `instead` leads to a better way: (text, act's name).
    `second` says why a second person decides whatever the limits say.
    `now` tells how things stand at this moment (so many sessions are open): it moves by itself, so it may be another when
    the act is done.
    """

    lines: list[str]
    moves: list[Money] = field(default_factory=list)
    confirm: str = ""
    instead: list[tuple[str, str]] = field(default_factory=list)
    now: list[str] = field(default_factory=list)
    second: str = ""


@dataclass(frozen=True)
class Did:
    """What an act did: what to say; the number under which it moved something; what follows after the commit (outside
    calls) and says more; `facts` for the audit entry, where the act writes none itself."""

    said: str = ""
    reference: str = ""
    after: Callable[[], str] | None = None
    tone: str = "success"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """`run` calls the service; it answers False when there was nothing to do, a text to show instead of "done", or a Did.

    With a `preview` the page shows first what would move; what was shown must still be true when it is done, and `run` is
    then inside a transaction with the row from `lock`. `calls`: it asks others before it moves anything, so it is not.
    """

    name: str
    label: Any
    explain: Any
    run: Callable[[Any, Doing], bool | str | Did | None]
    reason: Any = None  # the label of the required text; None: nothing is asked
    amount: Any = None  # the label of an amount that may be left empty; None: none is asked (never on lists)
    person: Any = None  # the label of an e-mail address that may be left empty; None as above
    choice: Any = None  # the label of what is to be chosen among `choices`; None as above
    choices: Callable[[Any], list[tuple[str, Any]]] = lambda obj: []
    when: Any = None  # the label of a time (UTC) that may be left empty; None as above (never on lists)
    icon: str = "bolt"
    variant: ActionVariant = ActionVariant.DEFAULT
    possible: Callable[[Any], bool] = lambda obj: True
    audited: bool = False
    on_lists: bool = True
    at_most: int = MOST_AT_ONCE  # rows of a list at once; few where each asks a provider
    permission: str = ""  # "app.codename"; empty: to change this model
    preview: Callable[[Any, Doing], Preview] | None = None
    lock: Callable[[Any], Any] = lambda obj: obj  # the row again, locked
    calls: bool = False


def fingerprint(act: Act, obj: Any, doing: Doing, shown: Preview) -> str:
    """Of what was shown: the same as long as the act would do the same. `shown` is in English (see `plain_preview`)."""
    told = [shown.lines, [[m.amount_minor, m.currency] for m in shown.moves], shown.confirm]
    about = [obj.pk, doing.amount, doing.person, doing.choice, *([doing.when] if doing.when else []), told]
    return idempotency.fingerprint(f"{obj._meta.label_lower}/{act.name}", about)


def plain_preview(act: Act, obj: Any, doing: Doing) -> Preview:
    """The preview in English, whoever reads: two people compare the same words."""
    if act.preview is None:
        return Preview([])
    with translation.override("en"):
        return act.preview(obj, doing)


class WhenInput(UnfoldAdminTextInputWidget):
    """The browser's own field for a day and a time."""

    input_type = "datetime-local"


class ActForm(forms.Form):
    """The reason of an act, where one is asked, and amount, person, choice, when. `once` makes a form that is sent twice act once;
    `seen` is the fingerprint of what was shown."""

    amount = forms.CharField(
        max_length=20,
        strip=True,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    person = forms.EmailField(max_length=254, required=False, widget=UnfoldAdminTextInputWidget())
    choice = forms.ChoiceField(widget=UnfoldAdminRadioSelectWidget)
    when = forms.DateTimeField(required=False, widget=WhenInput())
    sure = forms.BooleanField(widget=UnfoldBooleanSwitchWidget)
    reason = forms.CharField(
        max_length=500, strip=True, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True})
    )
    once = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, act: Act, obj: Any = None, confirm: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("reason", *TYPED):
            label = getattr(act, name)
            if label is None:
                del self.fields[name]
            else:
                self.fields[name].label = label
        if "choice" in self.fields:
            choices = act.choices(obj)
            if len(choices) > MOST_BUTTONS:
                self.fields["choice"].widget = UnfoldAdminSelectWidget()
            self.fields["choice"].choices = choices  # type: ignore[attr-defined]
        if "when" in self.fields:
            self.order_fields(["choice", "amount"])
        if confirm:
            self.fields["sure"].label = confirm
        else:
            del self.fields["sure"]
        self.fields["once"].initial = ids.new_token()

    def typed(self) -> dict[str, str]:
        """What was typed beside the reason, as far as it is valid."""
        said: dict[str, Any] = getattr(self, "cleaned_data", {})
        when = said.get("when")
        told = {**said, "when": when.astimezone(UTC).strftime(WHEN) if when else ""}
        return {name: str(told.get(name, "")) for name in TYPED}

    def errors_of(self, bound: ActForm) -> None:
        """Show what was wrong with a form that was sent, beside what is shown anew."""
        self._errors = bound.errors
        self.initial.update(
            (name, bound.data.get(name, "")) for name in ("reason", *TYPED) if name in self.fields
        )
