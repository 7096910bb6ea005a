"""WSGI entry: `gunicorn sandbox.wsgi -w 1 --threads 16 --header-map dangerous`. Prepares the books and starts the background worker.

gunicorn drops headers whose names hold an underscore unless told otherwise, and the manufacturer wants `req_source`.
One process, without `--preload`: the worker's threads live in the process that imports this module.
"""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"  # a stranger, whoever started this process

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from sandbox import jobs, registry

registry.prepare_books()
jobs.start()
