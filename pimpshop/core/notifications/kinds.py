"""The kinds of messages: what each is called, who gets it and what its words are made from. Apps register theirs.

Lives here: the registry and the data that travels. Not here: any order or payment (the apps' `messages`). Core imports
no app: a kind comes with a function that reads what is true when the message is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pimpshop.core.models import Notification


@dataclass(frozen=True)
class Addressee:
    """Where somebody can be reached. False when nowhere."""

    email: str = ""
    openid: str = ""  # at the shop's mini program

    def __bool__(self) -> bool:
        return bool(self.email or self.openid)


@dataclass(frozen=True)
class Letter:
    """One message, ready to be put into words: to whom, in which language, about what."""

    to: Addressee
    language: str
    context: Mapping[str, Any] = field(default_factory=dict)
    page: str = ""  # the mini program's page that a WeChat message opens


#: Answers None when the message is not true any more (it was overtaken by another one).
Compose = Callable[["Notification"], Letter | None]


@dataclass(frozen=True)
class Kind:
    """`name` is also that of the files in templates/emails/; `sample` is a context for the desk's preview."""

    name: str
    title: Any
    compose: Compose
    sample: Callable[[], Mapping[str, Any]]


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known. Idempotent."""
    _kinds[kind.name] = kind


def find(name: str) -> Kind | None:
    return _kinds.get(name)


def everything() -> list[Kind]:
    """All kinds, by name."""
    return [_kinds[name] for name in sorted(_kinds)]
