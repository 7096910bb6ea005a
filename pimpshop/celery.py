"""The Celery app: the faster bell. What is due stands in rows; losing every message here loses nothing."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pimpshop.settings")

app = Celery("pimpshop")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.on_after_configure.connect
def _queues(sender: Celery, **kwargs: object) -> None:
    from django.conf import settings

    sender.conf.task_queues = [Queue(name) for name in settings.CELERY_TASK_QUEUES_NAMES]


app.autodiscover_tasks()
app.steps["worker"].add(
    DjangoStructLogInitStep
)  # a task's log lines carry the id of the request that enqueued it


@setup_logging.connect
def _keep_our_logging(**kwargs: object) -> None:
    """Celery leaves the root logger alone: Django has configured structured logs already."""


@worker_init.connect
@beat_init.connect
def _refuse_unsafe_start(**kwargs: object) -> None:
    """SystemExit, because Celery logs an Exception of a signal handler and goes on."""
    from django.core.exceptions import ImproperlyConfigured

    from pimpshop.core import checks

    try:
        checks.refuse_unsafe_start()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error


@worker_process_init.connect
def _fresh_connections(**kwargs: object) -> None:
    """A forked worker opens its own database pool."""
    from django.db import connections

    connections.close_all()
