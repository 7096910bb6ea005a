"""The URL map of the sandbox: its own pages and control API, then every provider's."""

from django.urls import path, re_path

from sandbox import registry
from sandbox.pages import control, views

urlpatterns = [
    path("", views.home),
    path("healthz", views.alive),
    path("sandbox/", views.index, name="index"),
    path("sandbox/faults/", views.fault_board, name="faults"),
    path("sandbox/calls/", views.call_log, name="calls"),
    re_path(r"^sandbox/static/(?P<path>[a-z.]+)$", views.static_file, name="static"),
    path("sandbox/api/faults", control.set_fault),
    path("sandbox/api/knobs", control.set_knobs),
    path("sandbox/api/books", control.books),
    path("sandbox/api/calls", control.call_log),
    path("sandbox/api/reset", control.reset),
    path("sandbox/api/hurry", control.hurry),
    path("sandbox/api/machine/<str:device_id>", control.add_machine),
    path("sandbox/api/machine/<str:device_id>/pay", control.pay),
    path("sandbox/api/machine/<str:device_id>/session", control.start_session),
    *(url for provider in registry.PROVIDERS for url in provider.urls),
]
