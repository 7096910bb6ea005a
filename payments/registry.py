"""The gateways that are configured, built from settings. One entry here is all that the shop needs to know of one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from credits.services import till
from payments.gateways import airwallex, alipay, base, credits, machine, stripe, wechatpay
from pimpshop.core import calls, errors, tokens
from vending.services import machines

log = logging.getLogger(__name__)


class GatewayUnknown(errors.NotFound):
    code = "GATEWAY_NOT_FOUND"
    message = _("This way to pay is not available.")


def _machine() -> base.Gateway | None:
    if not settings.MANUFACTURER_API_BASE:
        return None
    return machine.MachineGateway(
        machine.Config(
            client=machines.client(),
            account=settings.MANUFACTURER_ACCOUNT,
            live=not settings.SANDBOX,
            webhook_signed=settings.MANUFACTURER_WEBHOOK_SIGNED,
            sign_key=settings.MANUFACTURER_SIGN_KEY,
        )
    )


def _alipay() -> base.Gateway | None:
    """Certificate mode when all three certificates are set, else key mode. Raises ValueError for unreadable keys, which
    `check` reports before anything starts."""
    certificates = (settings.ALIPAY_APP_CERT, settings.ALIPAY_PUBLIC_CERT, settings.ALIPAY_ROOT_CERT)
    theirs = settings.ALIPAY_PUBLIC_KEY or all(certificates)
    if not (settings.ALIPAY_APP_ID and settings.ALIPAY_PRIVATE_KEY and theirs):
        return None
    app_cert, public_cert, root_cert = certificates if all(certificates) else ("", "", "")
    return alipay.AlipayGateway(
        alipay.Config(
            app_id=settings.ALIPAY_APP_ID,
            private_key=settings.ALIPAY_PRIVATE_KEY,
            public_key=settings.ALIPAY_PUBLIC_KEY,
            seller_id=settings.ALIPAY_SELLER_ID,
            gateway_url=settings.ALIPAY_GATEWAY,
            app_cert=app_cert,
            public_cert=public_cert,
            root_cert=root_cert,
            live=not settings.SANDBOX and "alipaydev" not in settings.ALIPAY_GATEWAY,
            recorder=calls.record,
        )
    )


def _stripe() -> base.Gateway | None:
    if not settings.STRIPE_SECRET_KEY:
        return None
    return stripe.StripeGateway(
        stripe.Config(
            secret_key=settings.STRIPE_SECRET_KEY,
            webhook_secrets=tuple(settings.STRIPE_WEBHOOK_SECRETS),
            api_base=settings.STRIPE_API_BASE,
            raw_cards=settings.STRIPE_RAW_CARDS,
            recorder=calls.record,
        )
    )


#: Airwallex's hosts for trying out: nothing there is live.
_AIRWALLEX_DEMO = {"api-demo.airwallex.com", "api.sandbox.airwallex.com"}


def _airwallex() -> base.Gateway | None:
    if not (
        settings.AIRWALLEX_CLIENT_ID and settings.AIRWALLEX_API_KEY and settings.AIRWALLEX_WEBHOOK_SECRETS
    ):
        return None
    host = urlsplit(settings.AIRWALLEX_API_BASE).hostname
    return airwallex.AirwallexGateway(
        airwallex.Config(
            base_url=settings.AIRWALLEX_API_BASE,
            client_id=settings.AIRWALLEX_CLIENT_ID,
            api_key=settings.AIRWALLEX_API_KEY,
            webhook_secrets=tuple(settings.AIRWALLEX_WEBHOOK_SECRETS),
            token_store=tokens.SharedTokenStore("airwallex"),
            account_id=settings.AIRWALLEX_ACCOUNT_ID,
            live=not (settings.SANDBOX or host in _AIRWALLEX_DEMO),
            raw_cards=settings.AIRWALLEX_RAW_CARDS,
            recorder=calls.record,
        )
    )


class _WeChatCertificates:
    """The platform's certificates as WeChat Pay sealed them, shared by all processes."""

    def __init__(self, mch_id: str) -> None:
        self._row = tokens.SharedTokenStore(f"wechatpay:{mch_id}")

    def load(self) -> str | None:
        return self._row.get()

    def save(self, text: str) -> None:
        try:
            self._row.single_flight(lambda: text, self._row.get())
        except TimeoutError:
            log.info("another process is saving the certificates")


def _wechatpay() -> base.Gateway | None:
    """Raises ValueError for unreadable keys, which `check` reports before anything starts."""
    needed = (
        settings.WECHAT_APP_ID, settings.WECHAT_MCH_ID, settings.WECHAT_API_V3_KEY, settings.WECHAT_CERT_SERIAL_NO,
        settings.WECHAT_PRIVATE_KEY,
    )  # fmt: skip
    if not all(needed):
        return None
    config = wechatpay.Config(
        app_id=settings.WECHAT_APP_ID,
        mch_id=settings.WECHAT_MCH_ID,
        serial_no=settings.WECHAT_CERT_SERIAL_NO,
        private_key=settings.WECHAT_PRIVATE_KEY,
        api_v3_key=settings.WECHAT_API_V3_KEY,
        base_url=settings.WECHAT_GATEWAY,
        notify_url=settings.WECHAT_NOTIFY_URL or f"{settings.PUBLIC_BASE_URL}/api/v1/payments/wechat/notify",
        mini_app_id=settings.WECHAT_MINI_APP_ID,
        mobile_app_id=settings.WECHAT_MOBILE_APP_ID,
        public_key_id=settings.WECHAT_PUBLIC_KEY_ID,
        public_key=settings.WECHAT_PUBLIC_KEY,
        certificates=_WeChatCertificates(settings.WECHAT_MCH_ID),
        live=not settings.SANDBOX,
        recorder=calls.record,
    )
    return wechatpay.WeChatPayGateway(config)


def _credits() -> base.Gateway:
    """Always there: it needs nobody's keys. Staff switch it off like any other."""
    return credits.CreditsGateway(
        credits.Config(
            hold=till.hold,
            look=till.look,
            release=till.release,
            give_back=till.give_back,
            look_refund=till.look_refund,
            live=not settings.SANDBOX,
        )
    )


_BUILDERS: dict[str, Callable[[], base.Gateway | None]] = {
    "machine": _machine,
    "airwallex": _airwallex,
    "alipay": _alipay,
    "stripe": _stripe,
    "wechatpay": _wechatpay,
    "credits": _credits,
}


#: The ids of all gateways that there are, configured or not.
KEYS = tuple(_BUILDERS)


def get(key: str) -> base.Gateway:
    """The gateway with that id. Raises GatewayUnknown when there is none or it is not configured."""
    builder = _BUILDERS.get(key)
    gateway = builder() if builder else None
    if gateway is None:
        raise GatewayUnknown
    return gateway


def configured() -> list[str]:
    """The ids of all configured gateways."""
    return [key for key, builder in _BUILDERS.items() if builder() is not None]
