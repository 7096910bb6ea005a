"""What a shopper is asked before a pack or a plan is ordered: an address, from guests only."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

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
