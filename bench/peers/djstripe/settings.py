"""Settings of the peer."""

from __future__ import annotations

import os

import environ

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.peers.djstripe.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "djstripe"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Its migrations take 42 s, its tables made straight from the models one.
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "djstripe": None}
APPEND_SLASH = False
USE_TZ = True
LOGGING_CONFIG = None
DATABASES = {"default": {**environ.Env.db_url_config(os.environ["DATABASE_URL"]), "CONN_MAX_AGE": 0}}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": {"min_size": 1, "max_size": 8, "timeout": 10},
}
STRIPE_TEST_SECRET_KEY = "sk_test_" + "b" * 24
STRIPE_LIVE_MODE = False
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
