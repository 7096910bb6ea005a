"""The shop's settings with one address and no middleware but allauth's, which it insists on: what is measured is
`inbox.process`, not the doors."""

from __future__ import annotations

from pimpshop.settings import *  # noqa: F403

ROOT_URLCONF = "bench.ours.urls"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
