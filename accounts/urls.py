"""Log-in and log-out of the API. Both slash forms answer: a POST is never redirected."""

from django.urls import re_path

from accounts.api import tokens

urlpatterns = [
    re_path(r"^api/auth/token/?$", tokens.TokenView.as_view(), name="api-token"),
    re_path(r"^api/auth/logout/?$", tokens.LogoutView.as_view(), name="api-logout"),
]
