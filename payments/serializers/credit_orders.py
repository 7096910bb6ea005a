"""Seed 4's bodies: what is sent, checked; and what is answered, for the API's description (made by
services.credit_answers; tests hold the two together)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from vending.serializers import Amount, Text, WholeNumber

#: The longest list that one request is given, however long it asks for.
MOST = 100
_FURTHEST = 1_000_000_000


class Page(serializers.Serializer[Any]):
    """The seed's paging. A `limit` above the most that is given is not refused."""

    skip = serializers.IntegerField(required=False, default=0, min_value=0, max_value=_FURTHEST)
    limit = serializers.IntegerField(
        required=False, default=20, min_value=1, max_value=_FURTHEST, help_text="At most 100 are given."
    )

    def bounds(self) -> slice:
        """Which rows of a list are asked for. Raises ValidationError."""
        self.is_valid(raise_exception=True)
        skip, limit = self.validated_data["skip"], self.validated_data["limit"]
        return slice(skip, skip + min(limit, MOST))


class CreateOrder(serializers.Serializer[Any]):
    """POST create."""

    product_id = WholeNumber()


class Callback(serializers.Serializer[Any]):
    """POST callback. Only the number is needed; nothing of it is believed."""

    order_no = Text(max_length=64)
    payment_id = Text(max_length=128, required=False, allow_blank=True, allow_null=True)
    status = Text(max_length=64, required=False, allow_blank=True, allow_null=True)
    amount = Amount(required=False, allow_null=True)


class Product(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    credits = serializers.IntegerField()
    price = Amount(help_text="CNY")
    image_url = serializers.CharField()
    is_active = serializers.BooleanField()
    sort_order = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class Created(serializers.Serializer[Any]):
    order_id = serializers.IntegerField()
    order_no = serializers.CharField()
    amount = Amount(help_text="CNY")
    credits = serializers.IntegerField()
    message = serializers.CharField()


class PaymentData(serializers.Serializer[Any]):
    appId = serializers.CharField()
    timeStamp = serializers.CharField()
    nonceStr = serializers.CharField()
    packageValue = serializers.CharField()
    package = serializers.CharField(help_text="The same under WeChat's own name.")
    signType = serializers.CharField()
    paySign = serializers.CharField()
    outTradeNo = serializers.CharField()


class Started(serializers.Serializer[Any]):
    payment_data = PaymentData()
    message = serializers.CharField()


class _HowItStands(serializers.Serializer[Any]):
    amount = Amount(help_text="CNY")
    credits = serializers.IntegerField()
    status = serializers.CharField(help_text="pending, paid, completed, cancelled or refunded")
    payment_id = serializers.CharField(allow_null=True, help_text="WeChat Pay's transaction.")
    payment_time = serializers.DateTimeField(allow_null=True)
    refund_time = serializers.DateTimeField(allow_null=True)
    remark = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class CreditOrder(_HowItStands):
    id = serializers.IntegerField()
    order_no = serializers.CharField()
    user_id = serializers.IntegerField()
    product_id = serializers.IntegerField(allow_null=True)


class CreditOrderDetails(_HowItStands):
    id = serializers.IntegerField()
    order_no = serializers.CharField()
    product_name = serializers.CharField()
    product_description = serializers.CharField()
    product_image_url = serializers.CharField()


class CreditPaymentStatus(serializers.Serializer[Any]):
    order_id = serializers.IntegerField()
    status = serializers.CharField(help_text="pending, paid, completed, cancelled or refunded")
    paid = serializers.BooleanField()
    message = serializers.CharField()


class Handled(serializers.Serializer[Any]):
    message = serializers.CharField()
