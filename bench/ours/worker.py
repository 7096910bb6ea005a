"""The shop's worker and sweeper under B8: the provider's answers come at once, and the bench hears of each question.

`celery -A bench.ours.worker worker …` or `python -m bench.ours.worker` (the sweeper).
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pimpshop.settings")

import django

django.setup()

from bench.ours import provider  # noqa: E402  (needs the apps to be loaded)
from pimpshop.celery import app  # noqa: E402

provider.told_of_each_call()


@app.task(name="bench.arrived", queue="money")
def arrived(name: str) -> None:
    """The bare hop's end."""
    provider.tell(name)


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", "sweep", *sys.argv[1:]])
