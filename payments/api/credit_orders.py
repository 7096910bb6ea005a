"""Seed 4: packs of credits, /api/products and /api/orders. Doors: they translate and make one call.

Products are for everybody. Orders are the caller's own (a user's token, a log-in, or a key with an owner). The callback
is a server's, with a token of its own, and only a hint. Every operation, done or refused, is one log line.
"""

from __future__ import annotations

import hmac
from typing import Any

import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import has_scope
from payments.api import credit_examples as examples
from payments.api import doors
from payments.serializers import credit_orders as bodies
from payments.services import credit_answers as answers
from payments.services import credit_orders, inbox, operations
from payments.services import credit_words as words
from pimpshop.core import budget, clients, errors, throttles
from pimpshop.core.api import idempotent
from pimpshop.core.api.callers import caller_of
from pimpshop.core.parsers import StrictJSONParser, UnreadParser

log = structlog.get_logger(__name__)

PRODUCTS_PER_ADDRESS = throttles.Limit("credit-products", 600, 60)
#: A callback with the right token is never throttled: it tells of somebody's money.
GUESSES_PER_ADDRESS = throttles.Limit("credit-callback-guess", 60, 60)
_may_log = budget.Budget(30, 60)
TAGS = ["credits"]


class CallbackRefused(errors.ShopError):
    code, status = "unauthorized", 401
    message = _("This needs the callback's token. Nothing was changed.")


class ProductDoor(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        throttles.enforce(PRODUCTS_PER_ADDRESS, throttles.client_address(request))
        super().initial(request, *args, **kwargs)


class ProductsView(ProductDoor):
    @extend_schema(
        operation_id="list_credit_products", parameters=[bodies.Page], tags=TAGS, examples=examples.PRODUCTS,
        responses={200: bodies.Product(many=True), **examples.refusals(400, 429)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """GET /api/products/: the packs that are sold for yuan, in their order. Empty in an app that may not sell them
        (`X-Client`)."""
        page = bodies.Page(data=request.query_params).bounds()
        offers = [] if clients.hides_virtual_goods(request) else credit_orders.products()[page]
        return Response([answers.product(*offer) for offer in offers])


class ProductView(ProductDoor):
    @extend_schema(
        operation_id="get_credit_product", tags=TAGS, examples=examples.PRODUCT,
        responses={200: bodies.Product, **examples.refusals(403, 404, 429)},
    )  # fmt: skip
    def get(self, request: Request, product_id: str) -> Response:
        """GET /api/products/{product_id}."""
        clients.must_sell_virtual_goods(request)
        known = product_id.isascii() and product_id.isdigit() and len(product_id) < 10
        try:
            offer = credit_orders.product(int(product_id) if known else 0)
        except credit_orders.ProductUnknown as error:
            raise errors.NotFound(error.message) from error
        return Response(answers.product(*offer))


class OrderDoor(doors.Counted):
    """Whose orders, and the line in the log."""

    operation = ""

    def user(self) -> Any:
        """Whose orders these are. Raises PermissionDenied for a key that acts for nobody."""
        caller = caller_of(self.request)
        user = caller.buyer if caller is not None else self.request.user
        if user is None:
            raise PermissionDenied(_("This key acts for nobody. Use a user's token."))
        return user

    def order(self) -> Any:
        return credit_orders.find(self.user(), self.kwargs["order_id"])

    def handle_exception(self, exc: Exception) -> Response:
        known = errors.as_shop_error(exc)
        if known is not None and self.operation:
            caller = caller_of(self.request)
            who = caller.user_id if caller is not None else self.request.user.pk
            number = str(self.kwargs.get("order_id", ""))
            operations.note_refusal(self.operation, user_id=who, payment=number, error=known)
        return super().handle_exception(exc)


class CreateOrderView(OrderDoor):
    operation = "credit_order"
    permission_classes = [has_scope("orders:write")]

    @extend_schema(
        operation_id="create_credit_order", request=bodies.CreateOrder, tags=TAGS, examples=examples.CREATE,
        responses={200: bodies.Created, **examples.refusals(400, 401, 403, 409, 429)},
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST /api/orders/create: an order at our price. It ends by itself if nobody pays it within an hour."""
        clients.must_sell_virtual_goods(request)
        body = bodies.CreateOrder(data=request.data)
        body.is_valid(raise_exception=True)
        number, user = body.validated_data["product_id"], self.user()
        order = credit_orders.create(user, number, public_id=idempotent.row_id(request, "credit order"))
        operations.note(self.operation, user_id=user.pk, status=order.status, amount=str(order.total))
        return Response(answers.created(order))


class PayView(OrderDoor):
    operation = "credit_pay"
    permission_classes = [has_scope("payments:pay")]
    parser_classes = [StrictJSONParser, UnreadParser]

    @extend_schema(
        operation_id="pay_credit_order", request=None, tags=TAGS, examples=examples.PAY,
        responses={200: bodies.Started, **examples.refusals(400, 401, 403, 404, 409, 429, 502, 503)},
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request, order_id: str) -> Response:
        """POST /api/orders/pay/{order_id}: what wx.requestPayment takes. Asked twice: the payment that is open. What
        wx.requestPayment reports proves nothing: ask payment-status."""
        clients.must_sell_virtual_goods(request)
        caller = caller_of(request)
        order = self.order()
        intent = credit_orders.pay(
            order,
            client_ip=throttles.client_address(request),
            api_key_id=caller.key_id if caller is not None else None,
        )
        operations.note(self.operation, user_id=order.user_id, intent=intent)
        return Response(answers.started(intent, credit_orders.parameters(intent)), headers=doors.UNKEPT)


class OrdersView(OrderDoor):
    permission_classes = [has_scope("orders:read")]

    @extend_schema(
        operation_id="list_credit_orders", parameters=[bodies.Page], tags=TAGS, examples=examples.ORDERS,
        responses={200: bodies.CreditOrder(many=True), **examples.refusals(400, 401, 403, 429)},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """GET /api/orders/: the caller's orders of packs for yuan, newest first."""
        page = bodies.Page(data=request.query_params).bounds()
        return Response(answers.orders(list(credit_orders.mine(self.user())[page])))


class OrderView(OrderDoor):
    permission_classes = [has_scope("orders:read")]

    @extend_schema(
        operation_id="get_credit_order", tags=TAGS, examples=examples.ORDER,
        responses={200: bodies.CreditOrderDetails, **examples.refusals(401, 403, 404, 429)},
    )  # fmt: skip
    def get(self, request: Request, order_id: str) -> Response:
        """GET /api/orders/{order_id}: as our rows have it."""
        return Response(answers.order(self.order()))


class PaymentStatusView(OrderDoor):
    operation = "credit_status"
    permission_classes = [has_scope("orders:read")]

    @extend_schema(
        operation_id="get_credit_payment_status", tags=TAGS, examples=examples.STATUS,
        responses={200: bodies.CreditPaymentStatus, **examples.refusals(401, 403, 404, 429)},
    )  # fmt: skip
    def get(self, request: Request, order_id: str) -> Response:
        """GET /api/orders/payment-status/{order_id}: WeChat Pay is asked when our rows may be stale, at most once in
        three seconds."""
        order = self.order()
        told = credit_orders.look(order)
        operations.note(self.operation, user_id=order.user_id, status=told["status"], amount=str(order.total))
        return Response(told)


class CallbackView(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    operation = "credit_callback"

    @extend_schema(
        operation_id="credit_payment_callback", request=bodies.Callback, parameters=[examples.TOKEN], tags=TAGS,
        examples=examples.CALLBACK, responses={200: bodies.Handled, **examples.refusals(400, 401, 404, 429, 503)},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """POST /api/orders/callback: a hint that an order was paid. WeChat Pay is asked; its word moves our rows."""
        _must_know_the_token(request)
        body = bodies.Callback(data=request.data)
        body.is_valid(raise_exception=True)
        told = body.validated_data
        order = credit_orders.hint(order_no=told["order_no"], amount=told.get("amount"))
        operations.note(self.operation, user_id=order.user_id, status=order.status, amount=str(order.total))
        return Response({"message": words.say("The callback was handled")})


def _must_know_the_token(request: Request) -> None:
    """Before the body is looked at. Raises CallbackRefused, also where the setting is empty."""
    wanted, given = settings.PAYMENT_CALLBACK_TOKEN, request.headers.get("X-Payment-Token", "")
    if wanted and hmac.compare_digest(given.encode(), wanted.encode()):
        return
    inbox.count("callback_refused")
    if _may_log.allows():
        log.warning("callback_refused", given=bool(given))
    throttles.enforce(GUESSES_PER_ADDRESS, throttles.client_address(request))
    raise CallbackRefused
