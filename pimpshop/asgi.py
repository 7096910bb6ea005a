"""The ASGI entry point, for servers that want one; the shop's views are synchronous. As careful as pimpshop.wsgi."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pimpshop.settings")

application = get_asgi_application()

from pimpshop.core import checks  # noqa: E402  (needs the apps to be loaded)

checks.refuse_unsafe_start()
