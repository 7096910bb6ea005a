"""The bodies of the payment APIs of seeds 2 and 3, checked. Unknown fields are ignored, wrong types are named."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiTypes, extend_schema_field
from rest_framework import serializers

from vending.serializers import Amount, Text

#: The client's own data: small, flat, only kept.
MAX_METADATA = 20


class _Value(serializers.Field):
    """Whatever JSON has; Metadata looks at it."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Metadata(serializers.DictField):
    """The client's own facts: at most twenty texts, numbers, booleans, nulls; kept and given back, never acted on. A
    number with a point is given back as its text."""

    child = extend_schema_field(OpenApiTypes.ANY)(_Value)(allow_null=True)
    default_error_messages = {"too_much": _("Send at most 20 short values.")}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        found = super().to_internal_value(data)
        fits = all(
            len(str(name)) <= 64 and (value is None or isinstance(value, (str, int, bool)) or not isinstance(value, (list, dict)))
            and len(str(value)) <= 500
            for name, value in found.items()
        )  # fmt: skip
        if len(found) > MAX_METADATA or not fits:
            self.fail("too_much")
        return {
            name: value if isinstance(value, (str, int, bool, type(None))) else str(value)
            for name, value in found.items()
        }


class WechatPayment(serializers.Serializer):
    """POST native."""

    userId = Text(max_length=64)
    contentId = Text(max_length=120)
    amount = Amount()
    subject = Text(max_length=127)
    body = Text(required=False, allow_blank=True, allow_null=True, max_length=500)
    metadata = Metadata(required=False, allow_null=True)


class WechatJsapiPayment(WechatPayment):
    """POST jsapi: also who pays (the openid), and which app it belongs to where the merchant has several."""

    openid = Text(max_length=128)
    appId = Text(required=False, allow_blank=True, allow_null=True, max_length=32)

    def validate_openid(self, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value, re.ASCII):
            raise serializers.ValidationError(_("This is no openid."))
        return value


class WechatNumber(serializers.Serializer):
    """POST close."""

    outTradeNo = Text(max_length=64)


class WechatRefund(WechatNumber):
    """POST refund."""

    refundAmount = Amount()
    refundReason = Text(required=False, allow_blank=True, allow_null=True, max_length=80)
