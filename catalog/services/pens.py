"""Who writes: of several windows with one design, an old one is told before it writes over what a newer one has saved.

A page is told at its making how often the design had been written (`seen`), and writes under a name of its own. It may
write when it wrote last, or when nobody has written since. Guarantees: asked and noted under the owner's lock, before
anything else of the design changes; a refusal changes nothing.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalog import selectors
from catalog.models import Design, Shell
from catalog.services import designs
from pimpshop.core import errors

_TAB = re.compile(r"(?P<name>[0-9a-f]{8})-(?P<seen>\d{1,9})\Z", re.ASCII)


class DesignStale(errors.Conflict):
    code = "design_stale"
    message = _(
        "This design was changed in another window or on another device. Reload to see the newest, or keep what you see here."
    )


@dataclass(frozen=True, slots=True)
class Tab:
    """One window: its name, and how often the design had been written when it was opened."""

    name: str
    seen: int

    def __str__(self) -> str:
        return f"{self.name}-{self.seen}"


def new_tab(design: Design | None) -> Tab:
    """For a page that is made now."""
    return Tab(secrets.token_hex(4), design.revision if design else 0)


def read_tab(text: str) -> Tab | None:
    """What a page sent back; None for what is none: then nothing is compared."""
    found = _TAB.match(text)
    return Tab(found["name"], int(found["seen"])) if found else None


def take(*, owner: str, shell: Shell, tab: Tab | None, by_force: bool = False) -> Design:
    """The owner's open design, on `shell`, to be written by `tab`. `by_force`: the person has decided that it counts.

    Raises DesignStale (409), with nothing changed.
    """
    with transaction.atomic():
        designs.lock_owner(owner)
        before = selectors.latest_design(owner)
        if before is not None and tab is not None and not by_force and not _may_write(before, tab):
            raise DesignStale
        design = designs.design_for(owner=owner, shell=shell)
        written = max(before.revision if before else 0, design.revision) + 1
        by = tab.name if tab else ""
        Design.objects.filter(pk=design.pk).update(revision=written, written_by=by)
        design.revision, design.written_by = written, by
    return design


def _may_write(design: Design, tab: Tab) -> bool:
    return design.written_by == tab.name or design.revision <= tab.seen
