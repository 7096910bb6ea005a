"""Airwallex, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, re_path, reverse

from sandbox import database
from sandbox.providers.airwallex import api, books, codes, pages, posts, refunds
from sandbox.providers.base import Link, Provider

JOB_MODULES = (posts, refunds)  # imported for their job handlers

URLS = [
    re_path(r"^airwallex/api/v1/(?P<path>.*)$", api.call, name="airwallex-api"),
    path("airwallex/3ds/<str:key>/", pages.three_ds, name="airwallex-3ds"),
    path("sandbox/api/airwallex/3ds/<str:key>", pages.three_ds_by_hand),
]


def _links() -> list[Link]:
    """The challenges that wait for their shopper."""
    waiting = database.rows(
        "SELECT id, thing FROM awx_challenges WHERE result = '' ORDER BY rowid DESC LIMIT 6"
    )
    return [
        Link("3-D Secure check", reverse("airwallex-3ds", args=[one["id"]]), one["thing"]) for one in waiting
    ]


PROVIDER = Provider(
    name=codes.NAME,
    title="Airwallex",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
