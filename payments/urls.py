"""Payments' addresses: where shoppers pay, the doors of providers, where shoppers come back to, webhooks out and the list of events."""

from typing import Any

from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import StringConverter

from payments import webhooks
from payments.api import aftermath, app, checkout_sessions, credit_orders, identities, payments, saved, wechat
from payments.api import webhook_endpoints as outgoing
from payments.views import back, pay, receipt, spend
from payments.views.account import cards, data, devices, overview, statement
from payments.views.account import orders as my_orders


class PaymentId(StringConverter):
    """Whatever stands where an id does, so that what is none is PAYMENT_NOT_FOUND; but never seed 2's `wechat`."""

    regex = r"(?!(?:wechat|methods)(?:/|\Z))[^/]+"


register_converter(PaymentId, "payment_id")
_PAYMENT = "<payment_id:payment_id>"
_ENDPOINT = "webhook-endpoints/<str:endpoint_id>"


def both(route: str, view: Any, *, first: str = "v1") -> list[URLPattern]:
    """`route` under /api/v1 and /api/v2, with and without a slash at its end; the API's description shows the `first`."""
    second = "v2" if first == "v1" else "v1"
    return _forms([f"api/{version}/{route}" for version in (first, second)], view)


def everywhere(rest: str, view: Any) -> list[URLPattern]:
    """An address of seed 5's payments: under both versions, and /v2/payments of the seed's diagram."""
    route = f"payments/{rest}".rstrip("/")
    return _forms([f"api/v1/{route}", f"api/v2/{route}", f"v2/{route}"], view)


def _forms(routes: list[str], view: Any) -> list[URLPattern]:
    forms = [f"{route}{slash}" for route in routes for slash in ("", "/")]
    return [
        path(forms[0], view.as_view()),
        *(path(form, view.as_view(schema=None)) for form in forms[1:]),
    ]


def slashes(route: str, view: Any) -> list[URLPattern]:
    """`route` with and without a slash at its end: a POST is never redirected."""
    return [path(route, view.as_view()), path(f"{route}/", view.as_view(schema=None))]


def listed(route: str, view: Any) -> list[URLPattern]:
    """The same for an address whose seed writes the slash."""
    return [path(f"{route}/", view.as_view()), path(route, view.as_view(schema=None))]


#: Seed 4. Its lists end with a slash.
_CREDITS = [
    *listed("api/products", credit_orders.ProductsView),
    *slashes("api/products/<str:product_id>", credit_orders.ProductView),
    *slashes("api/orders/create", credit_orders.CreateOrderView),
    *slashes("api/orders/callback", credit_orders.CallbackView),
    *slashes("api/orders/pay/<str:order_id>", credit_orders.PayView),
    *slashes("api/orders/payment-status/<str:order_id>", credit_orders.PaymentStatusView),
    *listed("api/orders", credit_orders.OrdersView),
    *slashes("api/orders/<str:order_id>", credit_orders.OrderView),
]

#: A shopper's own pages; what they change is each app's own.
_ACCOUNT = [
    path("account/", overview.overview, name="account"),
    path("account/statement/", statement.statement, name="account-statement"),
    path("account/statement.csv", statement.as_file, name="account-statement-file"),
    path("account/orders/", my_orders.orders, name="account-orders"),
    path("account/cards/", cards.cards, name="account-cards"),
    path("account/devices/", devices.devices, name="account-devices"),
    path("account/data/", data.data, name="account-data"),
    path("account/data.json", data.as_file, name="account-data-file"),
    path("account/data/erase/", data.erase, name="account-erase"),
    path("account/language/", devices.language, name="account-language"),
]

urlpatterns = [
    *_ACCOUNT,
    path("api/chinese/order/payStatus", webhooks.pay_status, name="pay-status"),
    path("api/chinese/order/payStatus/<str:secret>", webhooks.pay_status),
    path("api/stripe/webhook", webhooks.stripe),
    re_path(r"^api/v[12]/payments/wechat/notify/?$", webhooks.wechatpay),
    re_path(r"^api/v[12]/webhooks/(?P<gateway_id>[^/]+)/?$", webhooks.provider, name="provider-webhook"),
    *both("payments/wechat/native", wechat.Native),
    *both("payments/wechat/jsapi", wechat.Jsapi),
    *both("payments/wechat/refund", wechat.Refund),
    *both("payments/wechat/close", wechat.Close),
    *both("payments/wechat/query/<str:number>", wechat.Query),
    *both("payments/wechat/payment/<str:number>", wechat.Details),
    *slashes("api/auth/wechat/bind", identities.WeChatBindView),
    *slashes("api/auth/email/bind", identities.EmailBindView),
    path("orders/<str:order_no>/pay/", pay.pay, name="order-pay"),
    path("orders/<str:order_no>/pay/card/", pay.card, name="order-pay-card"),
    path("orders/<str:order_no>/pay/credits/", spend.spend, name="order-pay-credits"),
    path("orders/<str:order_no>/receipt/", receipt.receipt, name="order-receipt"),
    *slashes("api/create-checkout-session", checkout_sessions.CreateCheckoutSession),
    *slashes("api/check-payment-status/<str:session_id>", checkout_sessions.CheckPaymentStatus),
    *_CREDITS,
    *slashes("create-checkout-session", app.AppCheckoutSession),
    *slashes("process-payment-success", app.AppPaymentSuccess),
    path("payments/qr/<str:payment_id>.svg", back.qr, name="payment-qr"),
    path("payments/return/<str:payment_id>/<str:key>/", back.came_back, name="payment-return"),
    *both("webhook-endpoints", outgoing.EndpointsView),
    *both(_ENDPOINT, outgoing.EndpointView),
    *both(f"{_ENDPOINT}/rotate-secret", outgoing.RotateSecretView),
    *both(f"{_ENDPOINT}/test", outgoing.TestEndpointView),
    *both(f"{_ENDPOINT}/deliveries", outgoing.DeliveriesView),
    *both("webhook-deliveries/<str:delivery_id>", outgoing.DeliveryView),
    *both("webhook-deliveries/<str:delivery_id>/resend", outgoing.ResendView),
    *both("events", outgoing.EventsView),
    *both("events/<str:event_id>", outgoing.EventView),
    *everywhere("methods", payments.MethodsView),
    *everywhere("", payments.PaymentsView),
    *everywhere(_PAYMENT, payments.PaymentView),
    *everywhere(f"{_PAYMENT}/confirm", payments.ConfirmView),
    *everywhere(f"{_PAYMENT}/complete", payments.CompleteView),
    *everywhere(f"{_PAYMENT}/refund", aftermath.RefundView),
    *everywhere(f"{_PAYMENT}/capture", aftermath.CaptureView),
    *everywhere(f"{_PAYMENT}/cancel", aftermath.CancelView),
    *both("payment-methods", saved.SavedMethodsView, first="v2"),
    *both("payment-methods/<str:token>", saved.SavedMethodView, first="v2"),
    *both("payment-methods/<str:token>/default", saved.DefaultMethodView, first="v2"),
    *both("customers/<str:customer_id>/payment-methods", saved.CustomerMethodsView, first="v2"),
]
