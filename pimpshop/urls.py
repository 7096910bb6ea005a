"""The whole URL map on one screen: health, staff, API pages, then each app's own addresses."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from pimpshop.core import views as core_views

handler400 = "pimpshop.core.views.bad_request"
handler403 = "pimpshop.core.views.forbidden"
handler404 = "pimpshop.core.views.not_found"
handler500 = "pimpshop.core.views.server_error"

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("readyz", core_views.readyz, name="readyz"),
    path("metrics", core_views.metrics, name="metrics"),
    path("sandbox/", core_views.sandbox, name="sandbox"),
    path("admin/", admin.site.urls),
    path("app.<str:language>.webmanifest", core_views.manifest, name="manifest"),
    path("design/", core_views.design, name="design"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/schema/", SpectacularAPIView.as_view(permission_classes=[]), name="schema"),
    path("api/docs/", core_views.ApiDocs.as_view(), name="docs"),
    path("", include("accounts.urls")),  # log-in of the API
    path("", include("vending.urls")),  # seed 1: sessions, machines, screens
    path("", include("credits.urls")),  # the API of one's credits
    path("", include("payments.urls")),  # webhooks
    path("", include("orders.urls")),  # summary and status pages
    path("", include("catalog.urls")),  # shop, studio, pictures
]
