"""Addresses that fail in every way, on each seed's paths; ROOT_URLCONF of test_errors."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import include, path
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pimpshop.core import errors

handler400 = "pimpshop.core.views.bad_request"
handler403 = "pimpshop.core.views.forbidden"
handler404 = "pimpshop.core.views.not_found"
handler500 = "pimpshop.core.views.server_error"


class Amount(serializers.Serializer[Any]):
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    name = serializers.CharField(max_length=3)


WAYS: dict[str, Exception] = {
    "shop": errors.ShopError("Model gone.", code="model_gone", status=409, details={"field": "model"}),
    "wait": errors.TooManyRequests(retry_after=7),
    "unauthorized": errors.ShopError("Log in.", code="unauthorized", status=401),
    "http404": Http404("row 7 of table secrets"),
    "denied": PermissionDenied("row 7"),
    "toobig": RequestDataTooBig("29 MB"),
    "suspicious": SuspiciousOperation("row 7"),
    "bad": BadRequest("row 7"),
    "hungup": UnreadablePostError("gone"),
    "throttled": exceptions.Throttled(wait=2.2),
    "surprise": ZeroDivisionError("the password is hunter2"),
}


class Fail(APIView):
    """POST {"how": …} raises it; anything else goes through the serializer."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    max_body_bytes = 200

    def post(self, request: Request) -> Response:
        how = request.data.get("how")
        if how:
            raise WAYS[how]
        form = Amount(data=request.data)
        form.is_valid(raise_exception=True)
        return Response({"ok": True})


class Staff(APIView):
    """With the project's default permission."""

    def get(self, request: Request) -> Response:
        return Response({"ok": True})


def page(request: HttpRequest) -> HttpResponse:
    how = request.GET.get("how")
    if how:
        raise WAYS[how]
    return HttpResponse("ok")


SEEDS = [
    "api/vending/x",
    "api/v1/payments/wechat/x",
    "api/stripe/x",
    "api/orders/x",
    "api/v1/payments",
    "v2/payments",
]
urlpatterns = [
    *[path(seed, Fail.as_view()) for seed in SEEDS],
    path("api/vending/staff", Staff.as_view()),
    path("api/vending/page", page),
    path("page", page),
    path("credits/", page, name="credits"),  # the ways out that every page's head and foot offer
    path("plans/", page, name="plans"),
    path("account/", page, name="account"),
    path("studio/", page, name="studio-home"),
    path("help/", page, name="help"),
    path("app.<str:language>.webmanifest", page, name="manifest"),
    path("", include("accounts.urls")),
]
