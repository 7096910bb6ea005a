"""The peer as a WSGI application; Stripe answers in process."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.djstripe.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from bench.peers.djstripe import stripe_api  # noqa: E402  (needs the apps to be loaded)

stripe_api.answer_at_once()
