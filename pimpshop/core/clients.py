"""Which of our apps asks, and what it may not sell: some platforms forbid that an app sells what is only credits.

A client says who it is in `X-Client: <client>:<platform>[/<version>]`, for example `miniprogram:ios/1.4.0`. A WeChat mini
program that says nothing is known by what WeChat adds to its requests. VIRTUAL_GOODS_HIDDEN lists clients in which packs
and plans are not sold (`miniprogram:ios`; `miniprogram` is all its platforms). This is politeness towards a platform's
rules, no guard: whoever writes their own client may write anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from pimpshop.core import errors

HEADER = "X-Client"
#: What WeChat writes into every request of a mini program: https://servicewechat.com/<app id>/<version>/page-frame.html
MINI_PROGRAM = "https://servicewechat.com/"
_CLIENT = re.compile(
    r"(?P<name>[a-z0-9_-]{1,32})(?::(?P<platform>[a-z0-9_-]{1,32}))?(?:/[\w.+-]{1,32})?", re.ASCII
)
_PLATFORMS = (
    ("devtools", re.compile("wechatdevtools", re.I)),
    ("ios", re.compile("iphone|ipad|ipod", re.I)),
    ("harmony", re.compile("openharmony|harmonyos", re.I)),
    ("android", re.compile("android", re.I)),
    ("mac", re.compile("macintosh", re.I)),
    ("windows", re.compile("windows", re.I)),
)  # fmt: skip


class VirtualGoodsHidden(errors.ShopError):
    """This client sells no packs and plans."""

    code, status = "virtual_goods_hidden", 403
    message = _("Credits and plans cannot be bought in this app on this device. Nothing was charged.")


@dataclass(frozen=True, slots=True)
class Client:
    """One of our apps, in small letters; "" where nobody said."""

    name: str = ""
    platform: str = ""


def client_of(request: Any) -> Client:
    """Who asks, by its own word (a Django or DRF request)."""
    said = _CLIENT.fullmatch(request.headers.get(HEADER, "").strip().lower())
    agent = request.headers.get("User-Agent", "")
    if said:
        return Client(said["name"], said["platform"] or _platform(agent))
    if request.headers.get("Referer", "").startswith(MINI_PROGRAM):
        return Client("miniprogram", _platform(agent))
    return Client()


def _platform(agent: str) -> str:
    return next((name for name, sign in _PLATFORMS if sign.search(agent)), "")


def hides_virtual_goods(request: Any) -> bool:
    """Must packs and plans not be sold in the app that asks?"""
    client = client_of(request)
    hidden = {entry.strip().lower() for entry in settings.VIRTUAL_GOODS_HIDDEN}
    return bool(client.name) and not hidden.isdisjoint({client.name, f"{client.name}:{client.platform}"})


def must_sell_virtual_goods(request: Any) -> None:
    """Raises VirtualGoodsHidden where packs and plans are not sold."""
    if hides_virtual_goods(request):
        raise VirtualGoodsHidden
