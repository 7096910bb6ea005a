"""What seed 5's addresses answer, for the API's description. The bodies themselves are made by services (shapes,
outcomes, offers, keeping); tests hold the two together."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from payments import states


class ErrorInfo(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="INVALID_AMOUNT, CARD_DECLINED, …: see docs/api/seed5.md.")
    message = serializers.CharField(help_text="For people, in their language.")


class Error(serializers.Serializer[Any]):
    error = ErrorInfo()


class RequiredField(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    field_type = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    pattern = serializers.CharField(allow_null=True)
    placeholder = serializers.CharField(allow_null=True)


class Flow(serializers.Serializer[Any]):
    flow = serializers.CharField()
    action_type = serializers.CharField()


class Method(serializers.Serializer[Any]):
    method_type = serializers.CharField()
    enabled = serializers.BooleanField()
    display_name = serializers.CharField()
    requires_redirect = serializers.BooleanField()
    supports_3ds = serializers.BooleanField()
    supports_tokenization = serializers.BooleanField()
    supports_recurring = serializers.BooleanField()
    required_fields = RequiredField(many=True)
    supported_currencies = serializers.ListField(child=serializers.CharField())
    min_amount = serializers.CharField(allow_null=True)
    max_amount = serializers.CharField(allow_null=True)
    flows = Flow(many=True, required=False)


class Gateway(serializers.Serializer[Any]):
    gateway_id = serializers.CharField()
    gateway_name = serializers.CharField()
    payment_methods = Method(many=True)


class UsedMethod(serializers.Serializer[Any]):
    method_type = serializers.CharField()
    last_four = serializers.CharField(allow_null=True)
    card_brand = serializers.CharField(allow_null=True)
    exp_month = serializers.CharField(allow_null=True)
    exp_year = serializers.CharField(allow_null=True)
    cardholder_name = serializers.CharField(allow_null=True)
    token = serializers.CharField(allow_null=True, required=False)


class Outcome(serializers.Serializer[Any]):
    """`success`: payment_status, transaction_id, payment_method, receipt_url. `requires_action`: action_type,
    action_data, expires_at. `failed` (HTTP 402 or 400): error_code, error_message, retry_allowed, error."""

    type = serializers.ChoiceField(choices=["success", "requires_action", "failed"])
    payment_id = serializers.CharField()
    client_secret = serializers.CharField(required=False, help_text="Of a create only; shown once.")
    transaction_id = serializers.CharField(allow_null=True, required=False)
    payment_status = serializers.ChoiceField(choices=list(states.PAYMENT.statuses), required=False)
    payment_method = UsedMethod(required=False)
    receipt_url = serializers.URLField(allow_null=True, required=False)
    action_type = serializers.ChoiceField(
        choices=["three_d_secure", "redirect", "qr_code", "client_params"], required=False
    )
    action_data = serializers.DictField(required=False)
    expires_at = serializers.DateTimeField(allow_null=True, required=False)
    error_code = serializers.CharField(required=False)
    error_message = serializers.CharField(required=False)
    retry_allowed = serializers.BooleanField(required=False)
    error = ErrorInfo(required=False)


class ShortMethod(serializers.Serializer[Any]):
    method_type = serializers.CharField()
    last_four = serializers.CharField(allow_null=True)
    card_brand = serializers.CharField(allow_null=True)


class Payment(serializers.Serializer[Any]):
    payment_id = serializers.CharField()
    status = serializers.ChoiceField(choices=list(states.PAYMENT.statuses))
    amount = serializers.CharField()
    currency = serializers.CharField()
    gateway = serializers.CharField()
    transaction_id = serializers.CharField(allow_null=True)
    payment_method = ShortMethod()
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)


class Refund(serializers.Serializer[Any]):
    refund_id = serializers.CharField()
    payment_id = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.ChoiceField(choices=["pending", "succeeded", "failed"])
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class SavedMethod(serializers.Serializer[Any]):
    token = serializers.CharField()
    payment_method = UsedMethod()
    expires_at = serializers.DateTimeField(allow_null=True)


class ListedMethod(UsedMethod):
    is_default = serializers.BooleanField()


class Removed(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    message = serializers.CharField()
    token = serializers.CharField()
