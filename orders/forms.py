"""What a shopper is asked: an address before a pack or a plan is ordered (guests only), what happened to a missing case."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import CaseReport

_WRONG = _("Please type an e-mail address.")


class GuestForm(forms.Form):
    """A guest's e-mail address; what was bought belongs to whoever proves it."""

    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"class": "input", "autocomplete": "email", "inputmode": "email", "maxlength": "254"}
        ),
        error_messages={"required": _WRONG, "invalid": _WRONG, "max_length": _WRONG},
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        return email.strip().lower()


class MissingCaseForm(forms.Form):
    """What happened to a paid case, and how to reach its buyer."""

    what = forms.ChoiceField(
        label=_("What happened?"),
        choices=CaseReport.What.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Please choose what fits best."),
            "invalid_choice": _("Please choose what fits best."),
        },
    )
    words = forms.CharField(
        label=_("Tell us more, if you like"),
        required=False,
        max_length=1000,
        widget=forms.Textarea,
        error_messages={"max_length": _("Please use fewer words: up to 1,000 letters.")},
    )
    contact = forms.CharField(
        label=_("How do we reach you?"),
        max_length=120,
        widget=forms.TextInput(attrs={"class": "input w-full", "autocomplete": "email", "maxlength": "120"}),
        error_messages={
            "required": _("Please leave an e-mail address or a phone number, so that we can answer."),
            "max_length": _("This is too long. One e-mail address or phone number is enough."),
        },
    )
