"""What binding an identity answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.serializers import LoggedIn, Who


class Bound(serializers.Serializer[Any]):
    joined = serializers.BooleanField(help_text="Two accounts became one.")
    user = Who(help_text="The account that there is now.")
    session = LoggedIn(allow_null=True, help_text="A log-in to it, when the caller's account went into it.")
