"""The mailbox, as the registry sees it: its URLs, link, faults and books."""

from django.urls import path, reverse

from sandbox.providers.base import Link, Provider
from sandbox.providers.mailbox import books, pages

URLS = [
    path("mailbox/", pages.mails, name="mailbox"),
    path("mailbox/part/", pages.mails_part, name="mailbox-part"),
    path("mailbox/api/messages", pages.hand_in),
    path("mailbox/<int:number>/", pages.mail, name="mailbox-mail"),
    path("mailbox/<int:number>/html/", pages.html, name="mailbox-html"),
]


def _links() -> list[Link]:
    return [Link("Mailbox", reverse("mailbox"), "everything that the shop has mailed")]


PROVIDER = Provider(
    name=books.NAME,
    title="Mail",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=books.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
