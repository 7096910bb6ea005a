"""The confirmation as a WSGI application."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.ours.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from bench.ours import provider  # noqa: E402  (needs the apps to be loaded)

provider.always_paid()
