"""payment_method: a card, a token, a saved card, a bank account, WeChat Pay, Alipay, read into what gateways take.

Guarantee: whatever is wrong is 400 INVALID_PAYMENT_METHOD that names the field and repeats nothing of it. Not here:
whether a gateway takes it (services.offers), whose it is (services.unified).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from payments.gateways import base
from payments.serializers.fields import Text, Word, saved_token
from payments.services import offers, refusals
from payments.services.unified import Means

_WECHAT_FLOWS = ("native", "jsapi", "mini", "h5", "app")
_NAME_THE_PAYER = ("jsapi", "mini")
_OPENID = re.compile(r"[A-Za-z0-9_-]+\Z", re.ASCII)
_ALIPAY_FLOWS = ("page", "wap", "app", "precreate")


@extend_schema_field(OpenApiTypes.STR)
class Digits(serializers.Field):
    """Digits, as a text or a number; blanks between them are left out where `spaced`."""

    default_error_messages = {"invalid": _("These are not the digits that belong here.")}

    def __init__(self, least: int, most: int, *, spaced: bool = False, **more: Any) -> None:
        self.pattern = re.compile(rf"\d{{{least},{most}}}\Z", re.ASCII)
        self.spaced, self.most = spaced, most
        super().__init__(write_only=True, **more)

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid")
        text = str(data) if isinstance(data, str) or abs(data) < 10**20 else ""
        if self.spaced:
            text = text.replace(" ", "")
        if not self.pattern.match(text):
            self.fail("invalid")
        return text


class Card(serializers.Serializer[Any]):
    """Seed 5's card. `exp_month` is 12 or "12", the number may have blanks."""

    number = Digits(13, 19, spaced=True, help_text="13 to 19 digits; blanks are ignored.")
    exp_month = Digits(1, 2)
    exp_year = Digits(4, 4)
    cvc = Digits(3, 4)
    name = Text(max_length=100, required=False, allow_blank=True, default="", write_only=True)

    @sensitive_variables()
    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not _luhn(given["number"]):
            raise ValidationError({"number": [_("This is no card number.")]})
        month, year = int(given["exp_month"]), int(given["exp_year"])
        # The day ends last at UTC-12, and a card is good until its month is over.
        now = datetime.now(UTC) - timedelta(hours=12)
        if not 1 <= month <= 12:
            raise ValidationError({"exp_month": [_("A month is 1 to 12.")]})
        if not (now.year, now.month) <= (year, month) <= (now.year + 50, 12):
            raise ValidationError({"exp_year": [_("This card has expired.")]})
        return given


def _luhn(digits: str) -> bool:
    doubled = [int(char) * (1 + place % 2) for place, char in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


class BankTransfer(serializers.Serializer[Any]):
    """A US bank account to be debited."""

    account_number = Digits(4, 17)
    routing_number = Digits(9, 9)
    account_holder_name = Text(max_length=100)
    bank_name = Text(max_length=100, required=False, allow_blank=True, default="")


class WeChatPay(serializers.Serializer[Any]):
    flow = Word(_WECHAT_FLOWS, required=False, default="")
    openid = Text(
        max_length=128,
        required=False,
        default="",
        help_text="The payer, for jsapi and mini. For mini it may be left out: the log-in of our mini program knows it.",
    )
    platform = Word(("ios", "android"), required=False, default="")

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Inside WeChat the payer is named; WeChat Pay would refuse our request, not the shopper's."""
        named = (
            given["flow"] in _NAME_THE_PAYER and given["flow"] != "mini"
        )  # mini: unified looks who logged in
        if (given["openid"] or named) and not _OPENID.match(given["openid"]):
            raise ValidationError({"openid": [_("This is no openid.")]})
        return given


class Alipay(serializers.Serializer[Any]):
    flow = Word(_ALIPAY_FLOWS, required=False, default="")


class PaymentMethod(serializers.Serializer[Any]):
    """What is paid with: `type`, and the part of that name; a token alone for `saved_card` and `token`."""

    type = Word(offers.TYPES)
    card = Card(required=False)
    token = Text(
        max_length=128,
        required=False,
        write_only=True,
        help_text="Ours (pm_<uuid>) or the provider's (pm_…).",
    )
    bank_transfer = BankTransfer(required=False)
    wechat_pay = WeChatPay(required=False)
    alipay = Alipay(required=False)

    default_error_messages = {"part": _("The part of that name is missing.")}

    def __repr__(self) -> str:
        """Never what was sent: error reports show it."""
        return "<PaymentMethod>"

    @sensitive_variables()
    def run_validation(self, data: Any = serializers.empty) -> Any:
        try:
            return super().run_validation(data)
        except ValidationError as error:
            raise refusals.InvalidPaymentMethod(details={"fields": _names(error.detail)}) from None

    @sensitive_variables()
    def to_internal_value(self, data: Any) -> Means | Any:
        given = super().to_internal_value(data)
        kind = given["type"]
        if kind in ("saved_card", "token") or (kind == "card" and "token" in given and "card" not in given):
            return self._by_token(given)
        if kind in ("wechat_pay", "alipay", "credits"):
            part = given.get(kind) or {}
            return Means(kind=kind, flow=part.get("flow", ""), openid=part.get("openid", ""))
        part = given.get(kind)
        if part is None:
            raise ValidationError({kind: [self.error_messages["part"]]})
        return Means(kind=kind, instrument=_card(part) if kind == "card" else base.BankAccount(**part))

    def _by_token(self, given: dict[str, Any]) -> Means:
        text = given.get("token", "")
        ours = saved_token(text)
        if ours is not None:
            return Means(kind="saved_card", saved=ours)
        if not text or given["type"] == "saved_card":
            raise ValidationError({"token": [_("This is no saved payment method.")]})
        return Means(kind="token", instrument=base.Token(value=text))


@sensitive_variables()
def _card(part: dict[str, Any]) -> base.Card:
    return base.Card(
        number=part["number"], exp_month=int(part["exp_month"]), exp_year=int(part["exp_year"]), cvc=part["cvc"],
        name=part["name"],
    )  # fmt: skip


def _names(detail: Any, prefix: str = "") -> dict[str, str]:
    """field -> why, of a validation error, flat ("card.number")."""
    if isinstance(detail, dict):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            found |= _names(inner, prefix if name == "non_field_errors" else f"{prefix}.{name}".lstrip("."))
        return found
    first = detail[0] if isinstance(detail, list) and detail else detail
    return {prefix or "payment_method": str(first)}
