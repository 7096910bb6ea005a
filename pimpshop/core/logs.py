"""Structured logs: one line a happening, JSON in production, readable in development, redacted everywhere."""

from __future__ import annotations

import logging.config
from typing import Any

import structlog

from pimpshop.core import redaction


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook. `options`: format (json | console), level."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.format_exc_info,
        redaction.structlog_processor,
    ]
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if options.get("format") == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    }
    logging.config.dictConfig(_loggers(formatter, str(options.get("level", "INFO"))))


def _loggers(formatter: dict[str, Any], level: str) -> dict[str, Any]:
    """Everything to stderr in our format; what only repeats what our own lines say is kept quiet."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "urllib3": {"level": "WARNING"},
            "PIL": {"level": "WARNING"},
        },
    }
