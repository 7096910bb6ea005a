"""Log-in and log-out of the API. Both slash forms answer: a POST is never redirected."""

from django.urls import re_path

from accounts.api import devices, tokens, wechat

urlpatterns = [
    re_path(r"^api/auth/token/?$", tokens.TokenView.as_view(), name="api-token"),
    re_path(r"^api/auth/wechat/login/?$", wechat.WeChatLogInView.as_view(), name="api-wechat-login"),
    re_path(r"^api/auth/logout/?$", tokens.LogoutView.as_view(), name="api-logout"),
    re_path(r"^api/auth/logout-all/?$", devices.LogoutAllView.as_view(), name="api-logout-all"),
    re_path(r"^api/auth/devices/?$", devices.DevicesView.as_view(), name="api-devices"),
    re_path(r"^api/auth/devices/(?P<token_id>\d{1,18})/?$", devices.DeviceView.as_view(), name="api-device"),
]
