"""The bodies that seed 5's addresses take. Unknown fields are ignored, wrong types are named, nothing is echoed."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from payments.serializers import fields
from payments.serializers.instruments import PaymentMethod
from payments.services import aftermath, keeping, refunds, refusals
from payments.services.unified import Asked, Means
from pimpshop.core.money import Money


class Body(serializers.Serializer[Any]):
    """A body whose `repr` shows nothing of it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class MethodsAsked(Body):
    currency = fields.Currency()
    amount = fields.Amount()

    def validate(self, given: dict[str, Any]) -> Any:
        return fields.money_of(given["amount"], given["currency"])


class CreatePayment(Body):
    gateway_id = fields.Text(max_length=20)
    currency = fields.Currency()
    amount = fields.Amount()
    payment_method = PaymentMethod(required=False)
    order_id = fields.Uuid(required=False, allow_null=True, default=None)
    customer_id = fields.Uuid(required=False, allow_null=True, default=None)
    customer_email = fields.Email(max_length=254, required=False, allow_blank=True, default="")
    description = fields.Text(max_length=500, required=False, allow_blank=True, default="")
    metadata = fields.Metadata(required=False, default=dict)
    return_url = fields.ReturnUrl(max_length=500, required=False, allow_blank=True, default="")
    save_payment_method = fields.Flag(required=False, default=False)
    capture = fields.Flag(required=False)
    capture_method = fields.Word(("automatic", "manual"), required=False)
    idempotency_key = fields.Text(max_length=255, required=False)

    @sensitive_variables()
    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        both = "capture" in given and "capture_method" in given
        if both and given["capture"] is (given["capture_method"] == "manual"):
            raise ValidationError({"capture_method": [_("This contradicts `capture`.")]})
        amount = fields.money_of(given["amount"], given["currency"])
        return {**given, "amount": amount}

    @sensitive_variables()
    def asked(self, *, client_ip: str, new_order_id: uuid.UUID | None = None) -> Asked:
        """The request for `unified.start`."""
        given = self.validated_data
        part = self.initial_data.get("payment_method")
        wechat = part.get("wechat_pay") if isinstance(part, dict) else None
        return Asked(
            gateway=given["gateway_id"], amount=given["amount"], means=given.get("payment_method") or Means(),
            order_id=given["order_id"], new_order_id=new_order_id, customer_id=given["customer_id"], email=given["customer_email"],
            description=given["description"], return_url=given["return_url"], client_ip=client_ip,
            platform=wechat.get("platform", "") if isinstance(wechat, dict) else "", metadata=given["metadata"],
            manual_capture=given.get("capture") is False or given.get("capture_method") == "manual",
            save_method=given["save_payment_method"],
        )  # fmt: skip


class ConfirmPayment(Body):
    payment_method = PaymentMethod()
    return_url = fields.ReturnUrl(max_length=500, required=False, allow_blank=True, default="")
    idempotency_key = fields.Text(max_length=255, required=False)


class ActionData(Body):
    payment_intent = fields.Text(max_length=200, required=False, allow_blank=True, default="")
    payment_intent_client_secret = fields.Text(
        max_length=300, required=False, allow_blank=True, write_only=True, help_text="Taken and not used."
    )


class CompletePayment(Body):
    action_type = fields.Word(
        ("three_d_secure", "redirect", "qr_code", "client_params"), required=False, default=""
    )
    action_data = ActionData(required=False)


class NoRefundAmount(refunds.RefundTooLarge):
    message = refunds.BAD_AMOUNT


class RefundPayment(Body):
    """Without an amount all that is left goes back."""

    amount = fields.Amount(required=False, refusal=NoRefundAmount)
    reason = fields.Word(aftermath.REASONS, required=False, default="requested_by_customer")
    metadata = fields.Metadata(required=False, default=dict)
    idempotency_key = fields.Text(max_length=255, required=False)

    def amount_in(self, currency: str) -> Money | None:
        """The amount in the payment's currency; None: all. Raises NoRefundAmount."""
        told = self.validated_data.get("amount")
        return None if told is None else fields.money_of(told, currency, refusal=NoRefundAmount)


class CapturePayment(Body):
    """Without an amount all that was held is taken."""

    amount = fields.Amount(required=False, refusal=refusals.InvalidAmount)
    idempotency_key = fields.Text(max_length=255, required=False)

    def amount_in(self, currency: str) -> Money | None:
        """The amount in the payment's currency; None: all. Raises refusals.InvalidAmount."""
        told = self.validated_data.get("amount")
        return None if told is None else fields.money_of(told, currency)


class CancelPayment(Body):
    idempotency_key = fields.Text(max_length=255, required=False)


class SaveMethod(Body):
    gateway_id = fields.Text(max_length=20)
    payment_method_data = PaymentMethod()
    set_as_default = fields.Flag(required=False, default=False)
    customer_id = fields.Uuid(required=False, allow_null=True, default=None)
    return_url = fields.ReturnUrl(max_length=500, required=False, allow_blank=True, default="")
    idempotency_key = fields.Text(max_length=255, required=False)

    @sensitive_variables()
    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["payment_method_data"].kind not in keeping.KINDS:
            raise refusals.InvalidPaymentMethod
        return given
