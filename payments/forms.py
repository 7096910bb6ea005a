"""The card form of our own page. What it holds goes to the gateway and is kept nowhere: no widget shows it again.

Guarantee: nothing typed here is rendered back, whatever else is wrong in the form.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments.gateways import base

_NOT_DIGITS = re.compile(r"[\s\u00a0-]")
_EXPIRY = re.compile(r"(\d{1,2})\s*/?\s*(\d{2}|\d{4})\Z", re.ASCII)


class _Secret(forms.TextInput):
    """A text field that is always rendered empty."""

    def format_value(self, value: Any) -> str | None:
        return None


def _field(label: Any, problem: Any, *, longest: int, **attributes: str) -> forms.CharField:
    shown = {"class": "input", "maxlength": str(longest), **attributes}
    return forms.CharField(
        label=label,
        max_length=longest,
        widget=_Secret(attrs=shown),
        error_messages={"required": problem, "max_length": problem},
    )


class CardForm(forms.Form):
    """Number, expiry and security code, with the browser's own help (autocomplete) and a phone's number keys."""

    use_required_attribute = True

    number = _field(
        _("Card number"), _("Please type the card's number."), longest=30,
        autocomplete="cc-number", inputmode="numeric", placeholder="1234 5678 9012 3456",
    )  # fmt: skip
    expiry = _field(
        _("Valid until"), _("Please type the month and the year, for example 04/29."), longest=9,
        autocomplete="cc-exp", inputmode="numeric", placeholder="MM/YY",
    )  # fmt: skip
    cvc = _field(
        _("Security code"), _("Please type the three or four digits of the security code."), longest=4,
        autocomplete="cc-csc", inputmode="numeric", placeholder="123",
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name on the card"),
        max_length=100,
        required=False,
        widget=_Secret(attrs={"class": "input", "maxlength": "100", "autocomplete": "cc-name"}),
    )

    def clean_number(self) -> str:
        """12 to 19 digits with a right check digit."""
        digits = _NOT_DIGITS.sub("", self.cleaned_data["number"])
        if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and _checks(digits)):
            raise forms.ValidationError(_("There is a mistake in the card's number. Please look again."))
        return digits

    def clean_expiry(self) -> tuple[int, int]:
        """(month, four-digit year), not over yet."""
        found = _EXPIRY.match(self.cleaned_data["expiry"].strip())
        month, year = (int(found[1]), int(found[2])) if found else (0, 0)
        year += 2000 if year < 100 else 0
        today = timezone.now()
        if not 1 <= month <= 12:
            raise forms.ValidationError(_("Please type the month and the year, for example 04/29."))
        if not (today.year, today.month) <= (year, month) < (today.year + 30, 1):
            raise forms.ValidationError(_("This card is not valid any more. Please use another one."))
        return month, year

    def clean_cvc(self) -> str:
        """Three or four digits."""
        digits: str = self.cleaned_data["cvc"].strip()
        if not re.fullmatch(r"\d{3,4}", digits, re.ASCII):
            raise forms.ValidationError(_("Please type the three or four digits of the security code."))
        return digits

    def card(self) -> base.Card:
        """What was typed, for the gateway. Only of a valid form."""
        month, year = self.cleaned_data["expiry"]
        return base.Card(
            number=self.cleaned_data["number"],
            exp_month=month,
            exp_year=year,
            cvc=self.cleaned_data["cvc"],
            name=self.cleaned_data["name"],
        )


def _checks(digits: str) -> bool:
    """Luhn's check: it finds every single wrong digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
