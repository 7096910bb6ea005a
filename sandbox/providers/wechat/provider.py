"""WeChat for mini programs, as the registry sees it: its URLs, links, faults and books."""

from django.urls import path, reverse

from sandbox import database
from sandbox.providers.base import Link, Provider
from sandbox.providers.wechat import api, books, codes, pages

URLS = [
    path("wechat/sns/jscode2session", api.call, {"name": codes.LOGIN}),
    path("wechat/cgi-bin/stable_token", api.call, {"name": codes.TOKEN}),
    path("wechat/wxa/sec/order/upload_shipping_info", api.call, {"name": codes.SHIP}),
    path("wechat/wxa/msg_sec_check", api.call, {"name": codes.TEXT}),
    path("wechat/wxa/img_sec_check", api.call, {"name": codes.PICTURE}),
    path("wechat/cgi-bin/message/subscribe/send", api.call, {"name": codes.MESSAGE}),
    path("wechat/people/", pages.people, name="wechat-people"),
    path("sandbox/api/wechat/code", pages.control_code),
]


def _links() -> list[Link]:
    found = database.row("SELECT count(*) AS n FROM mini_people")
    return [Link("Mini program: people", reverse("wechat-people"), str(found["n"] if found else 0))]


PROVIDER = Provider(
    name=codes.NAME,
    title="WeChat mini program",
    schema=books.SCHEMA,
    tables=books.TABLES,
    seed=books.seed,
    faults=codes.FAULTS,
    urls=URLS,
    links=_links,
    books=books.everything,
)
