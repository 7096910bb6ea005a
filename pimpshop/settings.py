"""Settings, in sections, driven by the environment (or `.env`); `<NAME>_FILE` reads a file.

Every variable is documented in .env.example (tests/test_house.py checks). Empty or default secrets are refused
outside DEBUG. DATABASE_URL and REDIS_URL unset mean the embedded servers of pimpshop.embedded. The
providers' settings are in pimpshop.settings_providers, those of logging in in pimpshop.settings_people.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from pimpshop import embedded
from pimpshop.environment import BASE_DIR, DATA_DIR, env
from pimpshop.settings_people import *  # noqa: F403
from pimpshop.settings_providers import *  # noqa: F403
from pimpshop.settings_providers import STRIPE_MIRROR

# --- Basics -----------------------------------------------------------------------------------------------------------
DEBUG: bool = env.bool("DEBUG", default=False)
TESTING = "pytest" in sys.modules
#: 1 closes the shop for shoppers (pimpshop.core.maintenance); what is paid goes on.
MAINTENANCE: bool = env.bool("MAINTENANCE", default=False)
PUBLIC_BASE_URL: str = env.str("PUBLIC_BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
SECRET_KEY: str = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
_own_key = DATA_DIR / "secret_key"
if not SECRET_KEY and _own_key.exists():
    SECRET_KEY = _own_key.read_text().strip()
if not SECRET_KEY:
    if not (DEBUG or TESTING):
        raise ImproperlyConfigured(
            "SECRET_KEY is empty. Set it, or start the shop with `make run`, which makes one."
        )
    SECRET_KEY = "insecure-" + "only-for-debug-and-tests" * 2
_public = urlsplit(PUBLIC_BASE_URL)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[_public.hostname or "127.0.0.1", "127.0.0.1", "localhost"]
)
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])
ROOT_URLCONF = "pimpshop.urls"
WSGI_APPLICATION = "pimpshop.wsgi.application"
ASGI_APPLICATION = "pimpshop.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False  # a POST is never redirected; both slash forms are routed where a seed asks for them

INSTALLED_APPS = [
    "unfold", "unfold.contrib.filters",
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "whitenoise.runserver_nostatic", "django.contrib.staticfiles",
    "corsheaders", "rest_framework", "drf_spectacular", "drf_spectacular_sidecar", "django_htmx", "django_structlog",
    "allauth", "allauth.account", "allauth.mfa", "pimpshop.core", "accounts", "catalog", "credits", "vending", "orders",
    *(["djstripe"] if STRIPE_MIRROR else []), "payments",
]  # fmt: skip
#: Its own migrations take forty seconds. None of our tables refers to its tables, so ours are the same without it.
MIGRATION_MODULES = {"djstripe": "pimpshop.stripe_mirror.migrations"}

MIDDLEWARE = [
    "pimpshop.core.traffic.TrafficMiddleware",
    "pimpshop.core.middleware.RequestIdMiddleware",
    "pimpshop.core.lane.ProviderLaneMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pimpshop.core.middleware.CompressedPagesMiddleware",
    "csp.middleware.CSPMiddleware",
    "pimpshop.core.middleware.AdminCSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "pimpshop.core.middleware.LanguageFromQueryMiddleware",
    "pimpshop.core.middleware.SeedLanguageMiddleware",
    "pimpshop.core.middleware.UnkeptMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "pimpshop.core.maintenance.MaintenanceMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "pimpshop.core.middleware.ShopErrorMiddleware",
]

#: Providers' posts go straight to these doors (pimpshop.core.lane); each path stands in the URL map too.
PROVIDER_DOORS = {
    "/api/chinese/order/payStatus": "payments.webhooks.pay_status",
    "/api/stripe/webhook": "payments.webhooks.stripe",
    "/api/v1/payments/wechat/notify": "payments.webhooks.wechatpay",
}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "pimpshop.core.templatetags.shop",
            ],
        },
    }
]

# --- Database, cache, broker ------------------------------------------------------------------------------------------
_embedded_database, _embedded_redis = embedded.urls(DATA_DIR)
DATABASE_URL: str = env.str("DATABASE_URL", default="") or _embedded_database
REDIS_URL: str = env.str("REDIS_URL", default="") or _embedded_redis
DATABASES = {"default": {**env.db_url_config(DATABASE_URL), "CONN_MAX_AGE": 0}}
DATABASES["default"]["OPTIONS"] = {
    "prepare_threshold": 5,  # only for cursors that send parameters apart (credits.services.at_once)
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": False if TESTING else {"min_size": 1, "max_size": 8, "timeout": 10},
}
CACHES = {
    "default": {
        "BACKEND": "pimpshop.core.cache.FailFastRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "shop",
        "TIMEOUT": 300,
    }
}

# --- Background work: rows are the queue, Celery is the bell ----------------------------------------------------------
CELERY_BROKER_URL = embedded.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "shop"
CELERY_TASK_QUEUES_NAMES = ["shop", "money", "machines"]
CELERY_TASK_ROUTES = {
    "payments.tasks.mirror_*": {"queue": "shop"},  # for the eye only: never in money's way
    "payments.tasks.*": {"queue": "money"},
    "orders.tasks.*": {"queue": "money"},
    "vending.tasks.*": {"queue": "machines"},
}
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_TASK_ALWAYS_EAGER", default=False)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "visibility_timeout": 600,
    "max_retries": 0,  # who rings the bell must not wait (kombu's own way is six seconds); workers retry by themselves
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "heartbeat": {"task": "pimpshop.core.tasks.beat_heartbeat", "schedule": 20.0},
    "sync-catalogue": {"task": "vending.tasks.sync_catalogue", "schedule": 15 * 60.0},
    "mirror-stripe-prices": {"task": "payments.tasks.mirror_stripe_prices", "schedule": 3600.0},
    "check-invariants": {"task": "pimpshop.core.tasks.check_invariants", "schedule": 24 * 3600.0},
}

# --- Languages and times ----------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]

# --- Files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default="") or DATA_DIR / "media")
S3_BUCKET: str = env.str("S3_BUCKET", default="")
#: Photos and pictures of an order are removed so many days after its case was printed; 0 keeps them.
PHOTOS_KEPT_DAYS: int = env.int("PHOTOS_KEPT_DAYS", default=30)
_private_files: dict[str, object] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": str(MEDIA_ROOT),
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
if S3_BUCKET:
    _private_files = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "access_key": env.str("S3_ACCESS_KEY", default=""),
            "secret_key": env.str("S3_SECRET_KEY", default=""),
            "default_acl": "private",
            "file_overwrite": False,
        },
    }
STORAGES = {
    "default": _private_files,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Nothing collected yet is no trouble there.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG or TESTING
DATA_UPLOAD_MAX_MEMORY_SIZE = 29 * 1024 * 1024  # order-summary's base64; each door has a smaller cap
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
UPLOAD_MAX_PIXELS = 50_000_000
ORDER_SUMMARY_MAX_BYTES = 28 * 1024 * 1024

# --- Security ---------------------------------------------------------------------------------------------------------
_HTTPS = _public.scheme == "https"
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
CSRF_FAILURE_VIEW = "pimpshop.core.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF, *PAYMENT_PAGE_ORIGINS],  # noqa: F405
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = r"^/((api|v2)/.*|create-checkout-session/?|process-payment-success/?)$"
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Retry-After", "Idempotent-Replayed"]
CORS_ALLOW_HEADERS = [
    "accept", "accept-language", "authorization", "content-type", "idempotency-key", "x-session-token",
    "x-client", "x-payment-client-secret", "x-request-id",
]  # fmt: skip
#: Apps in which packs and plans are not sold (pimpshop.core.clients): miniprogram:ios, or miniprogram for all platforms.
VIRTUAL_GOODS_HIDDEN: list[str] = env.list("VIRTUAL_GOODS_HIDDEN", default=[])
REDIRECT_ALLOWED_HOSTS: list[str] = env.list("REDIRECT_ALLOWED_HOSTS", default=[])
OUTBOUND_ALLOWED_HOSTS: list[str] = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
SILENCED_SYSTEM_CHECKS = (
    [] if _HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]
)

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.DeskSession",
    ],
    # A view opens itself, never by default.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["pimpshop.core.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pimpshop.core.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "pimpshop API",
    "DESCRIPTION": "Vending sessions, orders and payments. Amounts are in major units as JSON numbers where a seed has them so.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pimpshop.core.api.description.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "PaymentStatus": "payments.states.PAYMENT_WORDS",
        "DeliveryStatus": "payments.states.DELIVERY_WORDS",
        "RefundStatus": ["pending", "succeeded", "failed"],
    },
}

# --- Receipts, alerts, logs -------------------------------------------------------------------------------------------
#: The lines at the head of a receipt: the shop's name, its address, its tax number.
RECEIPT_SHOP: list[str] = [line.strip() for line in env.str("RECEIPT_SHOP", default="pimpshop").split("|")]
ALERT_EMAILS: list[str] = env.list("ALERT_EMAILS", default=[])
ALERT_WEBHOOK_URL: str = env.str("ALERT_WEBHOOK_URL", default="")
#: Shares, in per cent, above which an item and an alert are made; 0: never. At least so many must be bad.
ALERT_PAYMENT_FAILURES_PERCENT: int = env.int("ALERT_PAYMENT_FAILURES_PERCENT", default=5)
ALERT_DELIVERY_FAILURES_PERCENT: int = env.int("ALERT_DELIVERY_FAILURES_PERCENT", default=5)
ALERT_API_ERRORS_PERCENT: int = env.int("ALERT_API_ERRORS_PERCENT", default=1)
ALERT_REFUNDS_PERCENT: int = env.int("ALERT_REFUNDS_PERCENT", default=10)
ALERT_LEAST: int = env.int("ALERT_LEAST", default=5)
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
LOG_FORMAT: str = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # RequestIdMiddleware has looked at it, or made it
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
LOGGING_CONFIG = "pimpshop.core.logs.configure"
LOGGING: dict[str, object] = {"format": LOG_FORMAT, "level": LOG_LEVEL}

#: Where the shop's day begins and ends: the desk's figures are by this day.
SHOP_TIME_ZONE: str = env.str("SHOP_TIME_ZONE", default="Asia/Shanghai")

# --- Staff's desk -----------------------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "pimpshop",
    "SITE_HEADER": "pimpshop",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SITE_SYMBOL": "smartphone",
    "STYLES": ["pimpshop.core.admin.navigation.style"],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "pimpshop.core.admin.navigation.favicon"}
    ],
    "DASHBOARD_CALLBACK": "pimpshop.core.admin.dashboard.fill",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "pimpshop.core.admin.navigation.sidebar",
    },
}
