"""Vending's addresses: seed 1's API, the machine's screen, the landing button."""

from django.urls import path, re_path

from vending import views, webhooks
from vending.api import machines, sessions

_SESSION = "api/vending/session/<str:session_id>"

urlpatterns = [
    path("api/vending/create-session", sessions.CreateSession.as_view()),
    path(f"{_SESSION}/register-user", sessions.RegisterUser.as_view()),
    path(f"{_SESSION}/order-summary", sessions.OrderSummary.as_view()),
    path(f"{_SESSION}/init-payment", sessions.InitPayment.as_view()),
    path(f"{_SESSION}/status", sessions.SessionStatus.as_view()),
    path(f"{_SESSION}/order-info", sessions.OrderInfo.as_view()),
    path(f"{_SESSION}/health", sessions.SessionHealth.as_view()),
    path(f"{_SESSION}/cancel", sessions.CancelSession.as_view(http_method_names=["post", "options"])),
    path(_SESSION, sessions.SessionAddress.as_view()),
    path("api/chinese/payment/<str:third_id>/status", machines.PaymentStatus.as_view()),
    path("api/chinese/test-connection", machines.TestConnection.as_view()),
    path("api/chinese/debug/session-validation/<str:session_id>", machines.SessionValidation.as_view()),
    re_path(
        r"^api/chinese/(?:order-status-update|order/status-update)/?$",
        webhooks.order_status,
        name="order-status-post",
    ),
    path("start/<str:session_id>/", views.start, name="session-start"),
    path("m/<str:machine_id>/", views.screen, name="screen"),
    path("m/<str:machine_id>/live/", views.screen_fragment, name="screen-fragment"),
]
