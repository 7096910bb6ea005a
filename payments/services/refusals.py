"""What the payments API refuses, in seed 5's codes. Here: the errors alone; who raises them is in the services."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors


class InvalidAmount(errors.ShopError):
    code = "INVALID_AMOUNT"
    message = _("This amount cannot be paid. Nothing was charged.")


class InvalidCurrency(errors.ShopError):
    code = "INVALID_CURRENCY"
    message = _("This currency cannot be paid this way. Nothing was charged.")


class InvalidPaymentMethod(errors.ShopError):
    code = "INVALID_PAYMENT_METHOD"
    message = _("These card or bank details cannot be used. Nothing was charged. Please check them.")


class PaymentNotFound(errors.NotFound):
    code = "PAYMENT_NOT_FOUND"
    message = _("There is no such payment.")


class OrderNotFound(errors.NotFound):
    code = "ORDER_NOT_FOUND"
    message = _("There is no such order. Nothing was charged.")


class CustomerNotFound(errors.NotFound):
    code = "CUSTOMER_NOT_FOUND"
    message = _("There is no such customer.")


class MethodNotFound(errors.NotFound):
    code = "PAYMENT_METHOD_NOT_FOUND"
    message = _("There is no such saved payment method.")


class ProviderRefused(errors.ShopError):
    """Our fault, or the provider does not answer. Nothing was taken."""

    code, status = "GATEWAY_ERROR", 502
    message = _(
        "The payment provider did not do this. Nothing was charged. Please try again or pay another way."
    )


class MayNot(errors.ShopError):
    code, status = "FORBIDDEN", 403
    message = _("This token or key may not do that.")
