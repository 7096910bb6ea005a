"""The ways to pay that make sense for a shopper now: by device, currency, amount and what is switched on, best first.

Here: which of the gateways' methods a page offers, and how it names them. Not here: starting one (`online_payments`), the
machine's own till (the summary page). Reads rows and settings; no call leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from credits import selectors as credits
from payments import registry
from payments.services import switches
from pimpshop.core import errors
from pimpshop.core.money import Money

PHONE, DESKTOP, WECHAT = "phone", "desktop", "wechat"
#: Words of a browser's User-Agent. WeChat's own browser opens neither WeChat Pay's phone page nor Alipay.
_WECHAT_WORD, _PHONE_WORDS = "MicroMessenger", ("Mobile", "Android", "iPhone", "iPad")


class WayUnknown(errors.Conflict):
    code = "way_unknown"
    message = _("This way to pay is not available right now. Nothing was charged. Please choose another one.")


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """What is known of who pays: `device` is PHONE, DESKTOP or WECHAT (a phone inside WeChat), `platform` ios, android,
    desktop or "", `openid` WeChat's name for the payer where we know it, `user_id` who is logged in."""

    device: str
    platform: str = ""
    openid: str = ""
    user_id: int | None = None

    @classmethod
    def of(cls, user_agent: str, openid: str = "", user_id: int | None = None) -> Shopper:
        """By the browser's own words; who disguises it only gets other buttons."""
        apple = "iPhone" in user_agent or "iPad" in user_agent
        platform = "ios" if apple else "android" if "Android" in user_agent else "desktop"
        if _WECHAT_WORD in user_agent:
            return cls(device=WECHAT, platform=platform, openid=openid, user_id=user_id)
        device = PHONE if any(word in user_agent for word in _PHONE_WORDS) else DESKTOP
        return cls(device=device, platform=platform, openid=openid, user_id=user_id)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One button: a gateway's method and its words. `asks_card`: our own card form comes first."""

    gateway: str
    method: str
    devices: tuple[str, ...]
    name: Any
    hint: Any
    icon: str
    asks_card: bool = False

    @property
    def key(self) -> str:
        """What a form posts: `wechatpay.native`."""
        return f"{self.gateway}.{self.method}"


_ALL = (PHONE, DESKTOP, WECHAT)
#: Best first. Each is shown on the devices where it works.
WAYS = (
    Way(gateway="wechatpay", method="jsapi", devices=(WECHAT,), icon="phone",
        name=_("WeChat Pay"), hint=_("Confirm here, inside WeChat")),
    Way(gateway="wechatpay", method="h5", devices=(PHONE,), icon="phone",
        name=_("WeChat Pay"), hint=_("Opens WeChat on this phone")),
    Way(gateway="wechatpay", method="native", devices=(DESKTOP,), icon="qr",
        name=_("WeChat Pay"), hint=_("Scan a code with your phone")),
    Way(gateway="alipay", method="wap", devices=(PHONE,), icon="phone",
        name=_("Alipay"), hint=_("Opens Alipay on this phone")),
    Way(gateway="alipay", method="precreate", devices=(DESKTOP,), icon="qr",
        name=_("Alipay"), hint=_("Scan a code with your phone")),
    Way(gateway="alipay", method="page", devices=(DESKTOP,), icon="lock",
        name=_("Alipay on this computer"), hint=_("Log in on Alipay's own page")),
    Way(gateway="stripe", method="checkout", devices=_ALL, icon="card",
        name=pgettext_lazy("way to pay", "Card"), hint=_("On Stripe's secure page")),
    Way(gateway="airwallex", method="card", devices=_ALL, icon="card", asks_card=True,
        name=_("Card by Airwallex"), hint=_("Type the card's number here")),
    Way(gateway="credits", method="credits", devices=_ALL, icon="gift",
        name=_("Your credits"), hint=_("Taken from your balance at once")),
)  # fmt: skip


def offered(total: Money, shopper: Shopper) -> list[Way]:
    """The ways to pay `total`, best first."""
    methods = {
        key: {method.key for method in registry.get(key).methods(total.currency, total)}
        for key in switches.usable()
        if key != "machine"
    }
    return [
        way
        for way in WAYS
        if shopper.device in way.devices
        and way.method in methods.get(way.gateway, ())
        and (way.method != "jsapi" or shopper.openid)
        and (way.gateway != "credits" or _has(shopper, total))
    ]


def kind_of(way: Way) -> str:
    """What a shopper would call it: two doors to one wallet, or two companies that take a card, are one kind."""
    return "card" if way.icon == "card" else way.gateway


def first_of_kind(offered: Sequence[Way]) -> list[Way]:
    """The ways to show at first: one of each kind. The others stand under "Other ways to pay"."""
    first: dict[str, Way] = {}
    for way in offered:
        first.setdefault(kind_of(way), way)
    return list(first.values())


def _has(shopper: Shopper, total: Money) -> bool:
    """Has the shopper so many credits?"""
    return shopper.user_id is not None and credits.available(shopper.user_id) >= total.amount_minor


def find(key: str, total: Money, shopper: Shopper) -> Way:
    """The way with that key, if it may be used now. Raises WayUnknown (409)."""
    way = next((way for way in offered(total, shopper) if way.key == key), None)
    if way is None:
        raise WayUnknown
    return way


def shut_in_wechat(total: Money, shopper: Shopper) -> bool:
    """Inside WeChat's browser, and WeChat Pay or Alipay would be offered in another one."""
    elsewhere = Shopper(device=PHONE, platform=shopper.platform)
    return shopper.device == WECHAT and any(
        way.gateway in ("wechatpay", "alipay") for way in offered(total, elsewhere)
    )
