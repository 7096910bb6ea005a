"""What a provider tells the rest of the sandbox about itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver

from sandbox.faults import Kind


@dataclass(frozen=True)
class Link:
    """One link on the index page."""

    title: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Provider:
    """A provider: its tables, their first content, its faults, its URLs, its links, its part of the books."""

    name: str
    title: str
    schema: str
    tables: tuple[str, ...]
    seed: Callable[[], None]
    faults: tuple[Kind, ...]
    urls: Sequence[URLPattern | URLResolver]
    links: Callable[[], list[Link]]
    books: Callable[[], dict[str, Any]]
