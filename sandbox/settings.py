"""Django settings of the sandbox, used as a library: no models, no sessions, no users; the books are in `database`.

Everything comes from the environment, with defaults that suit a machine of one's own. Not for the open internet.
"""

import os
import secrets
from pathlib import Path

HERE = Path(__file__).resolve().parent

# --- where things are ---
DATA = Path(os.environ.get("SANDBOX_DATA") or HERE.parent / ".data" / "sandbox")
KEYS = Path(os.environ.get("SANDBOX_KEYS_DIR") or HERE.parent / ".data" / "sandbox-keys")
SHOP_URL = os.environ.get("SANDBOX_SHOP_URL", "http://127.0.0.1:8000").rstrip("/")

# --- what the simulated manufacturer asks of its partners ---
MANUFACTURER_ACCOUNT = os.environ.get("SANDBOX_MANUFACTURER_ACCOUNT", "pimpshop")
MANUFACTURER_PASSWORD = os.environ.get("SANDBOX_MANUFACTURER_PASSWORD", "sandbox-password")
MANUFACTURER_SIGN_KEY = os.environ.get("SANDBOX_MANUFACTURER_SIGN_KEY", "TESTFIXEDKEY")

# --- the application and the seller that the simulated Alipay knows; keys are in KEYS ---
ALIPAY_APP_ID = os.environ.get("SANDBOX_ALIPAY_APP_ID", "2021000000000001")
ALIPAY_SELLER_ID = os.environ.get("SANDBOX_ALIPAY_SELLER_ID", "2088000000000001")

# --- what the simulated Airwallex asks of its merchants, and signs its webhooks with ---
AIRWALLEX_CLIENT_ID = os.environ.get("SANDBOX_AIRWALLEX_CLIENT_ID", "sandbox-client")
AIRWALLEX_API_KEY = os.environ.get("SANDBOX_AIRWALLEX_API_KEY", "sandbox-airwallex-api-key")
AIRWALLEX_WEBHOOK_SECRET = os.environ.get(
    "SANDBOX_AIRWALLEX_WEBHOOK_SECRET", "sandbox-airwallex-webhook-secret"
)

# --- the merchant that the simulated WeChat Pay knows; keys are in KEYS ---
WECHAT_MCH_ID = os.environ.get("SANDBOX_WECHAT_MCH_ID", "1900000109")
WECHAT_APP_IDS = os.environ.get("SANDBOX_WECHAT_APP_IDS", "wx1234567890abcdef,wxsandboxminiprogram").split(
    ","
)
WECHAT_SERIAL = os.environ.get("SANDBOX_WECHAT_SERIAL", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1")
WECHAT_V3_KEY = os.environ.get("SANDBOX_WECHAT_V3_KEY", "sandbox-v3-key-of-thirty-two-byt")
WECHAT_MINI_APP_ID = os.environ.get("SANDBOX_WECHAT_MINI_APP_ID", "wxsandboxminiprogram")
WECHAT_MINI_APP_SECRET = os.environ.get("SANDBOX_WECHAT_MINI_APP_SECRET", "sandbox-mini-app-secret")
WECHAT_PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092024092900000000"

# --- the secret that Stripe's posts are signed with ---
STRIPE_WEBHOOK_SECRET = os.environ.get("SANDBOX_STRIPE_WEBHOOK_SECRET", "whsec_" + "sandbox" * 4)

# --- Django ---
SECRET_KEY = secrets.token_urlsafe(32)  # nothing that outlives the process is signed with it
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
INSTALLED_APPS: list[str] = []
MIDDLEWARE = [
    "sandbox.pages.render.strict_policy",
    "django.middleware.csrf.CsrfViewMiddleware",
]
# Cookies are shared between the ports of one host: a name of our own keeps the shop's token apart.
CSRF_COOKIE_NAME = "sandbox_csrftoken"
CSRF_COOKIE_HTTPONLY = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            "builtins": ["sandbox.pages.tags"],
            "context_processors": ["django.template.context_processors.request"],
        },
    }
]
STATIC_ROOT = HERE / "static"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False  # two languages by a table of our own (pages.words), no compiled catalogues
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "sandbox %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
