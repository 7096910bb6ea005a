"""The bodies of seed 1's session endpoints, checked. Unknown fields are ignored, wrong types are named."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiTypes, extend_schema_field
from rest_framework import serializers

from pimpshop.core.middleware import supported_language
from vending.services import sessions
from vending.services.summaries import Summary


class Text(serializers.CharField):
    """A real string: numbers and booleans are not turned into one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """A JSON integer: no string, no boolean, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.NUMBER)
class Amount(serializers.Field):
    """An amount in major units, a JSON number (or its text), kept exact."""

    default_error_messages = {"invalid": _("Send the amount as a number, for example 19.99.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, (int, Decimal, str)) or len(str(data)) > 24:
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class CreateSession(serializers.Serializer):
    machine_id = Text(max_length=60)
    location = Text(max_length=200, required=False, allow_blank=True, default="")
    session_timeout_minutes = WholeNumber(
        required=False,
        min_value=sessions.MIN_MINUTES,
        max_value=sessions.MAX_MINUTES,
        default=sessions.DEFAULT_MINUTES,
    )
    lang = Text(max_length=16, required=False, allow_blank=True, default="")

    def validate_lang(self, value: str) -> str:
        return supported_language(value)


class RegisterUser(serializers.Serializer):
    machine_id = Text(max_length=60)
    session_id = Text(max_length=120)


class OrderData(serializers.Serializer):
    """The fields that both shapes of order-summary share. A picture is a data URL of up to 28 MB of text."""

    designImage = Text(required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    finalImagePublicUrl = Text(required=False, allow_blank=True, allow_null=True, max_length=2000)
    finalImageUrl = Text(required=False, allow_blank=True, allow_null=True, max_length=2000)
    price = Amount(required=False, allow_null=True)
    brand = Text(required=False, allow_blank=True, allow_null=True, max_length=120)
    brand_id = Text(required=False, allow_blank=True, allow_null=True, max_length=40)
    model = Text(required=False, allow_blank=True, allow_null=True, max_length=120)
    chinese_model_id = Text(required=False, allow_blank=True, allow_null=True, max_length=40)
    mobile_shell_id = Text(required=False, allow_blank=True, allow_null=True, max_length=40)
    color = Text(required=False, allow_blank=True, allow_null=True, max_length=120)
    colour = Text(required=False, allow_blank=True, allow_null=True, max_length=120)
    device_id = Text(required=False, allow_blank=True, allow_null=True, max_length=60)
    template = Text(required=False, allow_blank=True, allow_null=True, max_length=60)
    template_id = Text(required=False, allow_blank=True, allow_null=True, max_length=60)
    currency = Text(required=False, allow_blank=True, allow_null=True, max_length=8)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not (attrs.get("chinese_model_id") or attrs.get("model")):
            raise serializers.ValidationError(
                {"model": [_("Say which phone: chinese_model_id, or brand and model.")]}
            )
        return attrs

    def to_summary(self, *, price: Any = None, currency: str = "") -> Summary:
        sent = {key: value for key, value in self.validated_data.items() if value is not None}
        return Summary(
            price=sent.get("price", price),
            currency=(sent.get("currency") or currency).upper(),
            brand=sent.get("brand", ""),
            brand_id=sent.get("brand_id", ""),
            model=sent.get("model", ""),
            model_id=sent.get("chinese_model_id", ""),
            shell_id=sent.get("mobile_shell_id", ""),
            colour=sent.get("color", "") or sent.get("colour", ""),
            device_id=sent.get("device_id", ""),
            template=sent.get("template", "") or sent.get("template_id", ""),
            picture=sent.get("designImage", ""),
            picture_url=sent.get("finalImagePublicUrl", "") or sent.get("finalImageUrl", ""),
        )


class NestedSummary(serializers.Serializer):
    """The second shape: {session_id, order_data{…}, payment_amount, currency}."""

    session_id = Text(required=False, max_length=120)
    order_data = OrderData()
    payment_amount = Amount(required=False, allow_null=True)
    currency = Text(required=False, allow_blank=True, allow_null=True, max_length=8)


def read_summary(body: Any, session_id: str) -> Summary:
    """Either shape of order-summary as a Summary. Raises ValidationError; a foreign session_id is refused."""
    if not isinstance(body, dict):
        raise serializers.ValidationError(_("Send a JSON object."))
    told = body.get("session_id")
    if told is not None and told != session_id:
        raise serializers.ValidationError({"session_id": [_("It names another session than the address.")]})
    if "order_data" not in body:
        flat = OrderData(data=body)
        flat.is_valid(raise_exception=True)
        return flat.to_summary()
    nested = NestedSummary(data=body)
    nested.is_valid(raise_exception=True)
    inner = OrderData(data=body["order_data"])
    inner.is_valid(raise_exception=True)
    _refuse_two_amounts(inner.validated_data, nested.validated_data)
    return inner.to_summary(
        price=nested.validated_data.get("payment_amount"),
        currency=nested.validated_data.get("currency") or "",
    )


def _refuse_two_amounts(inner: dict[str, Any], outer: dict[str, Any]) -> None:
    """The second shape can say price and currency twice; it may not say two things."""
    prices = [
        data[name]
        for data, name in ((inner, "price"), (outer, "payment_amount"))
        if data.get(name) is not None
    ]
    if len({_plain(price) for price in prices}) > 1:
        raise serializers.ValidationError({"payment_amount": [_("It differs from order_data.price.")]})
    currencies = {data["currency"].upper() for data in (inner, outer) if data.get("currency")}
    if len(currencies) > 1:
        raise serializers.ValidationError({"currency": [_("It differs from order_data.currency.")]})


def _plain(price: Any) -> Any:
    try:
        return Decimal(str(price))
    except InvalidOperation:
        return str(price)
