"""The ways to pay in the words of staff, and the filter by them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from payments import registry
from pimpshop.core.admin.questions import one_of

WAYS = {
    "machine": _("At the machine"), "credits": _("Credits"), "stripe": _("Card (Stripe)"),
    "airwallex": _("Card (Airwallex)"), "wechatpay": _("WeChat Pay"), "alipay": _("Alipay"),
}  # fmt: skip

ByGateway = one_of("gateway", _("way to pay"), lambda: [(key, WAYS.get(key, key)) for key in registry.KEYS])
