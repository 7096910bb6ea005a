"""The shop as a WSGI application, all of its middleware, with limits out of reach and a Stripe that answers at once.

The limits are still counted: only their numbers are raised, for one key sends thousands of requests here.
"""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "pimpshop.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from bench.ours import provider  # noqa: E402  (needs the apps to be loaded)

provider.no_limits()
provider.stripe_at_once()
