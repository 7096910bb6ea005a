"""Credits' addresses: the API of one's own account. The pages are orders' and payments', which know what was bought."""

from django.urls import re_path

from credits.api import account

urlpatterns = [
    re_path(r"^api/credits/?$", account.StandingView.as_view(), name="api-credits"),
    re_path(r"^api/credits/statement/?$", account.StatementView.as_view(), name="api-credits-statement"),
]
