"""Settings of the providers, in sections. A gateway with none of its settings is off; with some but not all, `check`
fails with a hint (payments.checks, pimpshop.core.checks).

Under SANDBOX each setting defaults to what the simulators of `sandbox/` hand out: fixed words, and key pairs that
`python -m sandbox.keys` makes on this machine (`make run` and the tests do). Imported by pimpshop.settings alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pimpshop.environment import DATA_DIR, SANDBOX, SANDBOX_URL, env

SANDBOX_KEYS_DIR = Path(env.str("SANDBOX_KEYS_DIR", default="") or DATA_DIR / "sandbox-keys")


def _provider(name: str, sandbox_value: str) -> str:
    """A provider's setting: the environment's, else under SANDBOX the simulator's, else empty (gateway off)."""
    return env.str(name, default="") or (sandbox_value if SANDBOX else "")


def _with_keys(name: str, sandbox_value: str) -> str:
    """The same where the simulator's keys are needed beside it: without them the gateway is off, not half there."""
    return _provider(
        name, sandbox_value if (SANDBOX_KEYS_DIR / "wechat_merchant.private.pem").exists() else ""
    )


def _pem(name: str, file: str) -> str:
    path = SANDBOX_KEYS_DIR / file
    return _provider(name, path.read_text() if SANDBOX and path.exists() else "")


# --- The manufacturer and its machines --------------------------------------------------------------------------------
MANUFACTURER_API_BASE = _provider(
    "MANUFACTURER_API_BASE", f"{SANDBOX_URL}/manufacturer/mobileShell/en"
).rstrip("/")
MANUFACTURER_ACCOUNT = _provider("MANUFACTURER_ACCOUNT", "pimpshop")
MANUFACTURER_PASSWORD = _provider("MANUFACTURER_PASSWORD", "sandbox-password")
MANUFACTURER_SIGN_KEY = _provider("MANUFACTURER_SIGN_KEY", "TESTFIXEDKEY")
MANUFACTURER_WEBHOOK_ALLOWED_IPS: list[str] = env.list("MANUFACTURER_WEBHOOK_ALLOWED_IPS", default=[])
MANUFACTURER_WEBHOOK_SECRET_PATH: str = env.str("MANUFACTURER_WEBHOOK_SECRET_PATH", default="")
MANUFACTURER_WEBHOOK_SIGNED: bool = env.bool("MANUFACTURER_WEBHOOK_SIGNED", default=False)
MANUFACTURER_ORDER_ID_KIND: str = env.str("MANUFACTURER_ORDER_ID_KIND", default="oren")
MANUFACTURER_ORDER_DELAY_SECONDS: int = env.int("MANUFACTURER_ORDER_DELAY_SECONDS", default=3)

# --- Stripe -----------------------------------------------------------------------------------------------------------
_FAKE = "sandbox" * 4  # in the shape that Stripe's keys have
STRIPE_SECRET_KEY = _provider("STRIPE_SECRET_KEY", f"sk_test_{_FAKE}")
STRIPE_PUBLISHABLE_KEY = _provider("STRIPE_PUBLISHABLE_KEY", f"pk_test_{_FAKE}")
#: Several while one is replaced: each of them is accepted.
STRIPE_WEBHOOK_SECRETS: list[str] = env.list(
    "STRIPE_WEBHOOK_SECRETS", default=[f"whsec_{_FAKE}"] if SANDBOX else []
)
STRIPE_API_BASE = (
    _provider("STRIPE_API_BASE", f"{SANDBOX_URL}/stripe").rstrip("/") or "https://api.stripe.com"
)
#: Card numbers through our server (PCI SAQ D). Off in live mode unless set.
STRIPE_RAW_CARDS: bool = env.bool("STRIPE_RAW_CARDS", default=SANDBOX)
#: dj-stripe as a mirror for staff (payments.services.stripe_mirror), where there is a Stripe. Next: what dj-stripe reads.
STRIPE_MIRROR: bool = env.bool("STRIPE_MIRROR", default=True) and bool(STRIPE_SECRET_KEY)
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
STRIPE_API_VERSION = "2026-08-26.dahlia"
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
if STRIPE_API_BASE != "https://api.stripe.com":
    STRIPE_API_HOST = STRIPE_API_BASE

# --- WeChat Pay and the mini program ----------------------------------------------------------------------------------
WECHAT_APP_ID = _with_keys("WECHAT_APP_ID", "wx1234567890abcdef")
WECHAT_MCH_ID = _with_keys("WECHAT_MCH_ID", "1900000109")
WECHAT_API_V3_KEY = _with_keys("WECHAT_API_V3_KEY", "sandbox-v3-key-of-thirty-two-byt")
WECHAT_CERT_SERIAL_NO = _with_keys("WECHAT_CERT_SERIAL_NO", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1")
WECHAT_PRIVATE_KEY = _pem("WECHAT_PRIVATE_KEY", "wechat_merchant.private.pem")
#: Public key mode; without the pair, platform certificates are downloaded.
WECHAT_PUBLIC_KEY_ID = _with_keys("WECHAT_PUBLIC_KEY_ID", "PUB_KEY_ID_0119000001092024092900000000")
WECHAT_PUBLIC_KEY = _pem("WECHAT_PUBLIC_KEY", "wechat_platform.public.pem")
WECHAT_GATEWAY = (
    _provider("WECHAT_GATEWAY", f"{SANDBOX_URL}/wechatpay").rstrip("/") or "https://api.mch.weixin.qq.com"
)
#: Empty: PUBLIC_BASE_URL + /api/v1/payments/wechat/notify.
WECHAT_NOTIFY_URL: str = env.str("WECHAT_NOTIFY_URL", default="")
WECHAT_MINI_APP_ID = _provider("WECHAT_MINI_APP_ID", "wxsandboxminiprogram")
WECHAT_MINI_APP_SECRET = _provider("WECHAT_MINI_APP_SECRET", "sandbox-mini-app-secret")
#: Tell WeChat when what the mini program sold is delivered (order management; payments.services.shipping).
WECHAT_SHIPPING_NOTICES: bool = env.bool("WECHAT_SHIPPING_NOTICES", default=True)
#: Who looks at pictures and texts that are uploaded: wechat, or nobody (catalog.services.screening).
CONTENT_CHECKS: str = env.str("CONTENT_CHECKS", default="")
#: A native app's own id; empty: WECHAT_APP_ID.
WECHAT_MOBILE_APP_ID: str = env.str("WECHAT_MOBILE_APP_ID", default="")
WECHAT_LOGIN_BASE = (
    _provider("WECHAT_LOGIN_BASE", f"{SANDBOX_URL}/wechat").rstrip("/") or "https://api.weixin.qq.com"
)
#: kind of message -> {"id": template, "data": {keyword: value}}; see pimpshop.core.notifications.subscription.
WECHAT_MESSAGE_TEMPLATES: dict[str, Any] = env.json("WECHAT_MESSAGE_TEMPLATES", default={})
#: The mini program's page that a message opens (with ?order_no=…); empty: none.
WECHAT_MESSAGE_PAGE: str = env.str("WECHAT_MESSAGE_PAGE", default="")
WECHAT_MESSAGE_STATE: str = env.str("WECHAT_MESSAGE_STATE", default="formal")

# --- Mail ---------------------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
if SANDBOX and not env.str("EMAIL_URL", default=""):
    EMAIL_BACKEND = "pimpshop.core.notifications.mail.SandboxBackend"  # read them at SANDBOX_URL/mailbox/
EMAIL_TIMEOUT = 10  # seconds; somebody waits for the page that mails them a code
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="pimpshop <shop@example.com>")

# --- Alipay -----------------------------------------------------------------------------------------------------------
ALIPAY_APP_ID = _with_keys("ALIPAY_APP_ID", "2021000000000001")
ALIPAY_PRIVATE_KEY = _pem("ALIPAY_PRIVATE_KEY", "alipay_app.private.pem")
ALIPAY_PUBLIC_KEY = _pem("ALIPAY_PUBLIC_KEY", "alipay_platform.public.pem")
ALIPAY_SELLER_ID = _with_keys("ALIPAY_SELLER_ID", "2088000000000001")
ALIPAY_GATEWAY = (
    _provider("ALIPAY_GATEWAY", f"{SANDBOX_URL}/alipay/gateway.do") or "https://openapi.alipay.com/gateway.do"
)
#: Certificate mode: all three, instead of ALIPAY_PUBLIC_KEY.
ALIPAY_APP_CERT: str = env.str("ALIPAY_APP_CERT", default="")
ALIPAY_PUBLIC_CERT: str = env.str("ALIPAY_PUBLIC_CERT", default="")
ALIPAY_ROOT_CERT: str = env.str("ALIPAY_ROOT_CERT", default="")

# --- Airwallex --------------------------------------------------------------------------------------------------------
AIRWALLEX_CLIENT_ID = _provider("AIRWALLEX_CLIENT_ID", "sandbox-client")
AIRWALLEX_API_KEY = _provider("AIRWALLEX_API_KEY", "sandbox-airwallex-api-key")
AIRWALLEX_WEBHOOK_SECRETS: list[str] = env.list(
    "AIRWALLEX_WEBHOOK_SECRETS", default=["sandbox-airwallex-webhook-secret"] if SANDBOX else []
)
AIRWALLEX_API_BASE = (
    _provider("AIRWALLEX_API_BASE", f"{SANDBOX_URL}/airwallex").rstrip("/") or "https://api.airwallex.com"
)
#: The account that events must name; empty: not compared.
AIRWALLEX_ACCOUNT_ID = _provider("AIRWALLEX_ACCOUNT_ID", "acct_sandbox")
AIRWALLEX_RAW_CARDS: bool = env.bool("AIRWALLEX_RAW_CARDS", default=SANDBOX)

# --- Seed 4's callback ------------------------------------------------------------------------------------------------
#: POST /api/orders/callback wants it in X-Payment-Token; empty: the door is shut.
PAYMENT_CALLBACK_TOKEN = _provider("PAYMENT_CALLBACK_TOKEN", "sandbox-callback-token")

# --- Pages of theirs --------------------------------------------------------------------------------------------------
#: Origins that a form of ours may lead on to (Content-Security-Policy form-action): Chromium stops a posted form that is
#: redirected anywhere else, on each hop. A Checkout domain of your own, or a bank's page, is added by the setting.
_PAYMENT_PAGES = {
    STRIPE_API_BASE: ("https://checkout.stripe.com", "https://hooks.stripe.com"),
    AIRWALLEX_API_BASE: ("https://*.airwallex.com",),
    ALIPAY_GATEWAY: ("https://*.alipay.com", "https://*.alipaydev.com"),
    WECHAT_GATEWAY: ("https://wx.tenpay.com",),
}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _payment_page_origins() -> list[str]:
    """Each provider's own pages where its public address is set, else the origin that stands for it (the sandbox)."""
    found = [SANDBOX_URL] if SANDBOX else []
    for base, pages in _PAYMENT_PAGES.items():
        known = (urlsplit(base).hostname or "").endswith((".stripe.com", ".airwallex.com", ".alipay.com",
                                                           ".alipaydev.com", ".weixin.qq.com"))  # fmt: skip
        found += pages if known else [_origin(base)]
    return list(dict.fromkeys(found + env.list("PAYMENT_PAGE_ORIGINS", default=[])))


PAYMENT_PAGE_ORIGINS: list[str] = _payment_page_origins()
