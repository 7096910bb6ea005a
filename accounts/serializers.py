"""What the log-in of the API takes and gives."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class LogIn(serializers.Serializer[None]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, write_only=True)
    code = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", write_only=True,
        help_text="The authenticator app's code or a recovery code, where the account has a second factor.",
    )  # fmt: skip
    device = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class Who(serializers.Serializer[None]):
    id = serializers.IntegerField(help_text="Seed 4's user_id.")
    customer_id = serializers.UUIDField(help_text="Seed 5's customer_id.")
    email = serializers.CharField(allow_null=True)


class LoggedIn(serializers.Serializer[Any]):
    token = serializers.CharField()
    token_type = serializers.CharField()
    expires_at = serializers.DateTimeField()
    user = Who()


class WeChatLogIn(serializers.Serializer[None]):
    code = serializers.CharField(
        max_length=128, write_only=True, help_text="What `wx.login` gave, unchanged."
    )
    device = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")


class Device(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    label = serializers.CharField(help_text="The `device` of the log-in.")  # type: ignore[assignment]
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    current = serializers.BooleanField(help_text="The device that asks.")


class Devices(serializers.Serializer[Any]):
    devices = Device(many=True)
