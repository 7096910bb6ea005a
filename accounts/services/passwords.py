"""What a password must be, where Django's own words have no Chinese."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import gettext


class LongEnough(MinimumLengthValidator):
    """At least eight characters, whatever they are."""

    def __init__(self) -> None:
        super().__init__(min_length=8)

    def get_error_message(self) -> str:
        return gettext("That is too short: please take at least 8 characters.")

    def get_help_text(self) -> str:
        return gettext("At least 8 characters. A few words are easy to remember and hard to guess.")
