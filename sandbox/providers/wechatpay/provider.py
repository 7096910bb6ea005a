"""WeChat Pay, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, re_path, reverse

# Imported for their job handlers.
from sandbox import database
from sandbox.providers.base import Link, Provider
from sandbox.providers.wechatpay import api, books, codes, notices, pages, refunding

JOB_MODULES = (notices, refunding)
_ORDERS, _REFUNDS = "wechatpay/v3/pay/transactions", "wechatpay/v3/refund/domestic/refunds"

URLS = [
    re_path(rf"^{_ORDERS}/(?P<name>native|jsapi|app|h5)$", api.call),
    re_path(rf"^{_ORDERS}/out-trade-no/(?P<number>[^/]+)/close$", api.call, {"name": "close"}),
    re_path(rf"^{_ORDERS}/out-trade-no/(?P<number>[^/]+)$", api.call, {"name": "query"}),
    re_path(rf"^{_ORDERS}/id/(?P<number>[^/]+)$", api.call, {"name": "query_by_id"}),
    path(_REFUNDS, api.call, {"name": "refund"}),
    re_path(rf"^{_REFUNDS}/(?P<number>[^/]+)$", api.call, {"name": "query_refund"}),
    path("wechatpay/v3/certificates", api.call, {"name": "certificates"}),
    path("wechatpay/v3/bill/tradebill", api.call, {"name": "tradebill"}),
    path("wechatpay/v3/billdownload/file", api.call, {"name": "billdownload"}),
    re_path(r"^wechatpay/v3/(?P<path>.*)$", api.unknown),
    path("wechatpay/wallet/", pages.wallet, name="wechatpay-wallet"),
    path("wechatpay/scan/<str:prepay_id>/", pages.scan, name="wechatpay-scan"),
    path("wechatpay/h5/<str:prepay_id>/", pages.h5, name="wechatpay-h5"),
    path("sandbox/api/wechatpay/pay", pages.control_pay),
]


def _links() -> list[Link]:
    found = database.row("SELECT count(*) AS n FROM wechat_orders WHERE state = 'NOTPAY'")
    return [Link("WeChat wallet", reverse("wechatpay-wallet"), str(found["n"] if found else 0))]


PROVIDER = Provider(
    name=codes.NAME,
    title="WeChat Pay",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
