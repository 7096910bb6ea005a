"""Alipay, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, re_path, reverse

from sandbox.providers.alipay import api, books, codes, control, notices, pages, trading
from sandbox.providers.base import Link, Provider

# Imported for their job handlers.
JOB_MODULES = (notices, trading)

URLS = [
    path("alipay/gateway.do", api.gateway, name="alipay-gateway"),
    path("alipay/", pages.trades, name="alipay-trades"),
    path("alipay/part/", pages.trades_part, name="alipay-trades-part"),
    path("alipay/cashier/<slug:token>/", pages.cashier, name="alipay-cashier"),
    path("alipay/cashier/<slug:token>/confirm/", pages.confirm, name="alipay-confirm"),
    path("alipay/cashier/<slug:token>/result/", pages.result, name="alipay-result"),
    re_path(r"^alipay/bills/(?P<token>[0-9a-f]{32})\.zip$", pages.bill, name="alipay-bill"),
    path("sandbox/api/alipay/open", control.open_order),
    path("sandbox/api/alipay/trades/<str:out_trade_no>/pay", control.pay),
    path("sandbox/api/alipay/trades/<str:out_trade_no>/finish", control.finish),
    path("sandbox/api/alipay/trades/<str:out_trade_no>/refund", control.refund),
]


def _links() -> list[Link]:
    return [Link("Alipay payments", reverse("alipay-trades"), "scan, confirm")]


PROVIDER = Provider(
    name=codes.NAME,
    title="Alipay",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
