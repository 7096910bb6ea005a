"""Where somebody designs: the two owners of the one studio.

In front of a machine the phone that claimed the session designs; at home a browser or somebody with an account.
Lives here: what the studio's doors ask of the place that they are opened at. Not here: the doors (`studio`), the page.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from catalog import selectors
from catalog.models import Design, Draft, Shell
from catalog.services import drafts
from catalog.views import visitors
from vending.services import machines, sessions

if TYPE_CHECKING:
    from vending.models import VendingSession


class Room:
    """One studio as its addresses know it: `key` stands in them."""

    #: How the names of its addresses begin ("studio" -> studio, studio-photo, …).
    name: str
    key: Any
    #: Who the limits count.
    counted: str
    #: Anybody on the internet may come in here.
    is_open_to_all = False

    def url(self, part: str = "", *args: object) -> str:
        """The address of the studio, or of one of its parts."""
        return reverse(f"{self.name}-{part}" if part else self.name, args=[self.key, *args])

    def leave(self, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, with what this browser shall remember."""
        return response


class Place(Room, ABC):
    """What an owner designs there, and with what."""

    owner: str
    currency: str

    @abstractmethod
    def design(self) -> Design | None:
        """What is being designed here; None before anything is saved."""

    @abstractmethod
    def stock(self) -> dict[int, int] | None:
        """Shell pk -> pieces; None where nothing is refused for want of them."""

    @abstractmethod
    def is_open(self) -> bool:
        """May anything be changed here?"""

    @abstractmethod
    def prepare(self, *, photo: bool = False) -> None:
        """Before something is kept here. Raises when there is no room."""

    @abstractmethod
    def saved(self, design: Design) -> None:
        """A layout was saved here."""

    @abstractmethod
    def next_page(self) -> str:
        """Where the button "Continue" leads."""

    @abstractmethod
    def words(self) -> dict[str, Any] | None:
        """`session` of templates/catalog/studio.html."""


def must_be_open(place: Place) -> None:
    """Raises sessions.SummaryDiffers when nothing may be changed here any more."""
    if not place.is_open():
        raise sessions.SummaryDiffers


def must_have(place: Place, shell: Shell) -> None:
    """Raises machines.OutOfStock when none is left here, selectors.NotSold without a price in its currency."""
    selectors.case_price(shell, place.currency)
    stock = place.stock()
    if stock is not None and stock.get(shell.pk, 0) <= 0:
        raise machines.OutOfStock


class AtMachine(Place):
    """In front of a machine, in a session that this phone has claimed."""

    name = "studio"

    def __init__(self, session: VendingSession) -> None:
        self.session = session
        self.key = self.counted = session.session_id
        self.owner = f"session:{session.session_id}"
        self.currency = session.machine.currency

    def design(self) -> Design | None:
        return self.session.design or selectors.latest_design(self.owner)

    def stock(self) -> dict[int, int] | None:
        return machines.stock_for(self.session.machine)

    def is_open(self) -> bool:
        return self.session.status in sessions.OPEN

    def prepare(self, *, photo: bool = False) -> None:
        """A session has limits of its own."""

    def saved(self, design: Design) -> None:
        sessions.attach_design(self.session, design)
        sessions.note_progress(self.session, "designing")

    def next_page(self) -> str:
        return reverse("summary", args=[self.key])

    def words(self) -> dict[str, Any] | None:
        return {
            "machine_name": self.session.machine.name,
            "location": self.session.location,
            "seconds_left": max(0, int((self.session.expires_at - timezone.now()).total_seconds())),
        }


def at_machine(request: HttpRequest, session_id: str) -> Place:
    """The session of the phone that claimed it. Raises sessions' refusals."""
    token = request.COOKIES.get(sessions.claim_cookie(session_id), "")
    return AtMachine(sessions.claimed_session(session_id=session_id, token=token))


#: What prices are shown in while there is no machine that says so.
CURRENCY = "GBP"


class AtHome(Place):
    """At home, in a draft of this browser or person (or one that was opened on this device); begun with the first save."""

    name = "home-studio"
    is_open_to_all = True

    def __init__(self, visitor: visitors.Visitor, draft_id: uuid.UUID) -> None:
        self.visitor, self.counted = visitor, visitor.keeper
        self.key = draft_id
        self.draft: Draft | None = drafts.find(visitor.keeper, draft_id)
        self.owner = Draft(pk=draft_id).owner
        self.currency = currency_at_home()

    def design(self) -> Design | None:
        return selectors.latest_design(self.owner) if self.draft else None

    def stock(self) -> dict[int, int] | None:
        return None

    def is_open(self) -> bool:
        return True

    def prepare(self, *, photo: bool = False) -> None:
        self.draft = drafts.begin(keeper=self.visitor.keeper, draft_id=self.key)
        if photo:
            drafts.must_have_room(self.draft)

    def saved(self, design: Design) -> None:
        """The draft knows its design by its owner."""

    def next_page(self) -> str:
        return self.url("ready")

    def words(self) -> dict[str, Any] | None:
        return None

    def leave(self, response: HttpResponseBase) -> HttpResponseBase:
        response["X-Robots-Tag"] = "noindex"
        return self.visitor.leave(response)


def currency_at_home() -> str:
    """What prices are shown in where no machine says so."""
    found = machines.in_use()
    return found[0].currency if found else CURRENCY


def at_home(request: HttpRequest, draft_id: uuid.UUID) -> Place:
    """The draft with that id. Raises NotFound (404) when it is somebody else's."""
    return AtHome(visitors.meet(request), draft_id)
