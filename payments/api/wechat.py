"""Seed 2: WeChat Pay, /api/v1/payments/wechat/…. Doors: they translate and make one call.

A Bearer token or key for all of it. A caller sees, pays and closes only its own; a refund needs a member of staff or a
key that may. Refusals speak the seed's codes (core.seed_words). Every operation, done or refused, is one log line.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import authentication
from accounts.selectors import wechat_openid
from payments import selectors
from payments.api import wechat_bodies as bodies
from payments.api import wechat_examples as examples
from payments.services import operations, refund_requests, sync, wechat_answers, wechat_orders
from pimpshop.core import clients, errors, throttles
from pimpshop.core.api import idempotent
from pimpshop.core.api.callers import caller_of, owner_of

PAY_PER_CALLER = throttles.Limit("wechat-pay", 60, 60)
READ_PER_CALLER = throttles.Limit("wechat-read", 300, 60)
#: What every mini program's requests carry, with its app id; a page cannot send that host.
MINI_PROGRAM = "https://servicewechat.com/"


class WechatView(APIView):
    """Who calls, whose payment it is, and the line in the log."""

    operation = ""
    limit = PAY_PER_CALLER

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        caller = caller_of(request)
        limit = self.limit
        if caller is not None and caller.kind != "user":  # a server asks for many people
            limit = throttles.Limit(f"{limit.name}-key", limit.count * 10, limit.seconds)
        throttles.enforce(limit, owner_of(request) or throttles.client_address(request))

    def done(self, data: dict[str, Any], intent: Any, **told: str) -> Response:
        operations.note(self.operation, user_id=self._user_id(), intent=intent, **told)
        return Response({"success": True, "data": data})

    def handle_exception(self, exc: Exception) -> Response:
        known = errors.as_shop_error(exc)
        if known is not None:
            read = getattr(
                self.request, "_full_data", None
            )  # what was read so far; nothing is read for the log
            sent = read if isinstance(read, dict) else {}
            number = self.kwargs.get("number") or sent.get("outTradeNo") or sent.get("contentId") or ""
            operations.note_refusal(self.operation, user_id=self._user_id(), payment=str(number), error=known)
        return super().handle_exception(exc)

    def _user_id(self) -> int | None:
        caller = caller_of(self.request)
        return caller.user_id if caller is not None else self.request.user.pk

    def payment(self, number: str) -> Any:
        """The WeChat payment with our number, if the caller may see it. Raises NotFound for every other one."""
        return selectors.wechat_payment(
            number,
            user_id=self._user_id(),
            all_of_them=authentication.sees_all(self.request, "payments.view_paymentintent"),
        )


def _payer(request: Request, told: str) -> Any:
    """Who pays: the caller, who must be the one that `userId` names (our id or the public one). A key of the shop itself
    acts for whom it names."""
    caller = caller_of(request)
    if caller is not None and caller.sees_all and caller.kind == "secret":
        user = selectors.person(told)
    else:
        user = caller.user if caller is not None else request.user
    if user is None or told not in (str(user.pk), str(user.public_id)):
        raise PermissionDenied
    return user


def _asked(request: Request, body: Any, method: str) -> wechat_orders.Asked:
    body.is_valid(raise_exception=True)
    sent = {name: value for name, value in body.validated_data.items() if value is not None}
    caller = caller_of(request)
    return wechat_orders.Asked(
        user=_payer(request, sent["userId"]),
        content_id=sent["contentId"],
        amount=sent["amount"],
        subject=sent["subject"],
        body=sent.get("body", ""),
        openid=sent.get("openid", ""),
        metadata=sent.get("metadata", {}),
        method=method,
        sells_virtual=not clients.hides_virtual_goods(request),
        language=get_language() or "en",
        client_ip=throttles.client_address(request),
        api_key_id=caller.key_id if caller else None,
    )


class Native(WechatView):
    operation = "wechat_native"
    permission_classes = [authentication.has_scope("payments:write")]

    @extend_schema(
        request=bodies.WechatPayment, responses=examples.answers("A code to scan"), tags=["wechat"],
        examples=[*examples.NATIVE, *examples.REFUSALS],
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST …/native: the content of a QR code (codeUrl), which lives two hours. Asked twice: the same code."""
        asked = _asked(request, bodies.WechatPayment(data=request.data), "native")
        intent = wechat_orders.start(asked)
        return self.done(wechat_answers.started(intent), intent)


class Jsapi(WechatView):
    operation = "wechat_jsapi"
    permission_classes = [authentication.has_scope("payments:write")]

    @extend_schema(
        request=bodies.WechatJsapiPayment, responses=examples.answers("What wx.requestPayment takes"), tags=["wechat"],
        examples=[*examples.JSAPI, *examples.REFUSALS],
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST …/jsapi: for WeChat's browser and mini programs. The client's own "ok" proves nothing: query."""
        body = bodies.WechatJsapiPayment(data=_with_payer(request))
        asked = _asked(request, body, _method(request, body.initial_data))
        intent = wechat_orders.start(asked)
        return self.done(wechat_answers.started(intent), intent)


def _with_payer(request: Request) -> Any:
    """What was sent; from our mini program without `openid`, with the one that its log-in gave us."""
    sent, caller = request.data, caller_of(request)
    if not isinstance(sent, dict) or sent.get("openid") or _method(request, sent) != "mini":
        return sent
    user: Any = caller.user if caller is not None else request.user
    openid = wechat_openid(user, settings.WECHAT_MINI_APP_ID) if user is not None and user.pk else ""
    return {**sent, "openid": openid} if openid else sent


def _method(request: Request, sent: Any) -> str:
    """mini for our mini program (its requests say so, or the body names its app id), else jsapi."""
    mini = settings.WECHAT_MINI_APP_ID
    told = sent.get("appId") if isinstance(sent, dict) else ""
    referer = request.headers.get("Referer", "")
    return "mini" if mini and (told == mini or referer.startswith(f"{MINI_PROGRAM}{mini}/")) else "jsapi"


class Query(WechatView):
    operation = "wechat_query"
    limit = READ_PER_CALLER
    permission_classes = [authentication.has_scope("payments:read")]

    @extend_schema(
        responses=examples.answers("WeChat's words"),
        tags=["wechat"],
        examples=[*examples.QUERY, *examples.REFUSALS],
    )
    def get(self, request: Request, number: str) -> Response:
        """GET …/query/{outTradeNo}. WeChat Pay is asked when our rows may be stale (at most once in three seconds)."""
        intent = self.payment(number)
        sync.refresh_if_stale(intent.order, source="api")
        intent.refresh_from_db()
        return self.done(wechat_answers.queried(intent), intent)


class Details(WechatView):
    operation = "wechat_payment"
    limit = READ_PER_CALLER
    permission_classes = [authentication.has_scope("payments:read")]

    @extend_schema(
        responses=examples.answers("Our row"),
        tags=["wechat"],
        examples=[*examples.DETAILS, *examples.REFUSALS],
    )
    def get(self, request: Request, number: str) -> Response:
        """GET …/payment/{outTradeNo}: what our database says; nobody is asked."""
        intent = self.payment(number)
        return self.done(wechat_answers.details(intent), intent)


class Refund(WechatView):
    operation = "wechat_refund"
    permission_classes = [authentication.has_scope("refunds:write")]

    @extend_schema(
        request=bodies.WechatRefund, responses=examples.answers("The refund"), tags=["wechat"],
        examples=[*examples.REFUND, *examples.REFUSALS],
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST …/refund, all or a part. Normally PROCESSING at first; days for some banks. Send an Idempotency-Key."""
        body = bodies.WechatRefund(data=request.data)
        body.is_valid(raise_exception=True)
        intent = self.payment(body.validated_data["outTradeNo"])
        refund = refund_requests.refund_now(
            intent,
            amount=body.validated_data["refundAmount"],
            reason=body.validated_data.get("refundReason") or "",
            actor=str(request.user) if request.user.is_authenticated else (owner_of(request) or ""),
            refund_id=idempotent.row_id(request, f"refund {intent.pk}"),
        )
        data = wechat_answers.refunded(refund)
        return self.done(data, intent, status=data["status"], amount=str(refund.amount))


class Close(WechatView):
    operation = "wechat_close"
    permission_classes = [authentication.has_scope("payments:write")]

    @extend_schema(
        request=bodies.WechatNumber, responses=examples.answers("Nobody can pay it any more"), tags=["wechat"],
        examples=[*examples.CLOSE, *examples.REFUSALS],
    )  # fmt: skip
    @idempotent.idempotent
    def post(self, request: Request) -> Response:
        """POST …/close. Closing twice is harmless; 409 ORDERPAID when the money was faster."""
        body = bodies.WechatNumber(data=request.data)
        body.is_valid(raise_exception=True)
        intent = self.payment(body.validated_data["outTradeNo"])
        wechat_orders.close(intent, actor=owner_of(request) or "")
        return self.done({"outTradeNo": intent.out_trade_no, "closed": True}, intent)
