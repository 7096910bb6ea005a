"""The manufacturer, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, re_path, reverse

# Imported for their job handlers.
from sandbox import database
from sandbox.providers.base import Link, Provider
from sandbox.providers.manufacturer import api, books, codes, machine, notices, pages, printing

JOB_MODULES = (machine, notices, printing)

URLS = [
    re_path(r"^manufacturer/mobileShell/en/(?P<name>.*)$", api.call, name="manufacturer-api"),
    path("manufacturer/machine/<str:device_id>/", pages.screen, name="manufacturer-screen"),
    path("manufacturer/machine/<str:device_id>/part/", pages.screen_part, name="manufacturer-screen-part"),
    path("manufacturer/machine/<str:device_id>/press/", pages.press, name="manufacturer-press"),
    path("manufacturer/machine/<str:device_id>/bay/", pages.bay, name="manufacturer-bay"),
    path("manufacturer/machine/<str:device_id>/bay/part/", pages.bay_part, name="manufacturer-bay-part"),
    re_path(r"^manufacturer/pictures/(?P<digest>[0-9a-f]{64})$", pages.picture, name="manufacturer-picture"),
    re_path(r"^manufacturer/files/(?P<name>[0-9a-f]{32}\.png)$", pages.uploaded, name="manufacturer-file"),
]


def _links() -> list[Link]:
    found = []
    for device in database.rows("SELECT device_id, name FROM devices ORDER BY device_id"):
        args = [device["device_id"]]
        found.append(Link("Machine screen", reverse("manufacturer-screen", args=args), device["name"]))
        found.append(Link("Print bay", reverse("manufacturer-bay", args=args), device["name"]))
    return found


PROVIDER = Provider(
    name=codes.NAME,
    title="Manufacturer and its machines",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
