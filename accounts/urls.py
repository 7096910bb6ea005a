"""Logging in and out: pages for people (allauth's flows), and the API's tokens.

Both slash forms of the API answer: a POST is never redirected.
"""

from django.urls import include, path, re_path

from accounts.api import devices, tokens, wechat
from accounts.views import security

urlpatterns = [
    path("accounts/", security.overview, name="account_security"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/totp/activate/", security.activate, name="mfa_activate_totp"),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    re_path(r"^api/auth/token/?$", tokens.TokenView.as_view(), name="api-token"),
    re_path(r"^api/auth/wechat/login/?$", wechat.WeChatLogInView.as_view(), name="api-wechat-login"),
    re_path(r"^api/auth/logout/?$", tokens.LogoutView.as_view(), name="api-logout"),
    re_path(r"^api/auth/logout-all/?$", devices.LogoutAllView.as_view(), name="api-logout-all"),
    re_path(r"^api/auth/devices/?$", devices.DevicesView.as_view(), name="api-devices"),
    re_path(r"^api/auth/devices/(?P<token_id>\d{1,18})/?$", devices.DeviceView.as_view(), name="api-device"),
]
