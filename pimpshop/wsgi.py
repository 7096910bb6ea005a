"""The WSGI entry point. Refuses to serve with settings that are not safe (pimpshop.core.checks)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pimpshop.settings")

application = get_wsgi_application()

from pimpshop.core import checks  # noqa: E402  (needs the apps to be loaded)

checks.refuse_unsafe_start()
