"""The contenders of a run, started when first asked for: the shop, its confirmation, the floor, dj-stripe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from bench import race, rows, servers


@dataclass
class Stage:
    """One run. `spare` numbers a payment that no stream of posts reaches."""

    place: servers.Place
    quick: bool
    long: bool = False
    webs: dict[str, servers.Web] = field(default_factory=dict)
    spare: int = 0
    first_event: int = 0
    database_url: str = ""
    base_made: bool = False

    @property
    def size(self) -> race.Size:
        return race.Size.of(quick=self.quick)

    def load(self) -> None:
        """Once: the shop's settings in this process, on a database of its own, still empty."""
        if self.database_url:
            return
        self.database_url = self.new_shop("shop")
        os.environ.update(
            self.place.environment(self.database_url, DJANGO_SETTINGS_MODULE="pimpshop.settings")
        )
        import django

        django.setup()

    def open(self) -> None:
        """Once: rows for all posts of a run."""
        self.load()
        if self.first_event:
            return
        self.spare = self.size.rounds * self.size.requests + 1000
        rows.fill(1000, under_way=self.spare, told=self.spare, waiting_online=self.spare)
        self.first_event = rows.first_told()

    def new_shop(self, name: str) -> str:
        """A database of the shop without rows. Answers its URL. The migrations run once in a run."""
        if not self.base_made:
            url = self.place.new_database("base")
            env = self.place.environment(url, DJANGO_SETTINGS_MODULE="pimpshop.settings")
            self.place.python("manage.py", "migrate", "--no-input", "-v0", env=env)
            self.base_made = True
        return self.place.new_database(name, like="base")

    def shop(self) -> servers.Web:
        """The shop as in production."""
        return self._web("shop", "pimpshop.wsgi", lambda: self.database_url)

    def api(self) -> servers.Web:
        """The shop as in production, with limits out of reach and a Stripe that answers at once."""
        return self._web("api", "bench.ours.api", lambda: self.database_url)

    def confirmations(self) -> servers.Web:
        """`inbox.process` behind one address."""
        return self._web("confirm", "bench.ours.wsgi", lambda: self.database_url)

    def floor(self) -> servers.Web:
        """One INSERT and commit; a ping."""
        return self._web("floor", "bench.floor.wsgi", self._floor_database)

    def djstripe(self) -> servers.Web:
        """dj-stripe's own view."""
        return self._web("djstripe", "bench.peers.djstripe.wsgi", self._djstripe_database)

    def stripe_events(self, kind: str, **where: Any) -> Iterator[bytes]:
        from bench.peers.djstripe import stripe_api

        return stripe_api.events(kind, **where)

    def statements(self, request: bytes, *, refused: bool = False) -> int:
        """SQL statements that one prepared POST to the shop's door costs, counted in this process. Raises RuntimeError
        unless it is taken (or, with `refused`, refused with 4xx): the count of another answer says nothing."""
        from django.test import Client

        head, _, body = request.partition(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
        with self._counted() as captured:
            answer = Client().post(path, body, content_type="application/json", headers=headers)
        if not (400 <= answer.status_code < 500 if refused else answer.status_code < 400):
            raise RuntimeError(f"{path}: {answer.status_code}")
        return len(captured)

    def statements_of_confirmation(self) -> int:
        """SQL statements of one confirmation, BEGIN and COMMIT left out."""
        from bench.ours import provider
        from payments.models import WebhookEvent
        from payments.services import inbox

        event = WebhookEvent.objects.filter(gateway="machine", status="received").latest("pk")
        with self._counted() as captured, provider.paid():
            if not inbox.process(event.pk):
                raise RuntimeError("the event was not worked on")
        return len(captured)

    def statements_of_online_confirmation(self) -> int:
        """SQL statements from a signed post of Stripe to the granted credits, BEGIN, COMMIT and savepoints included."""
        from orders.models import Order
        from payments.models import WebhookEvent
        from payments.services import inbox

        number = rows.online_number(self.spare)
        from bench.peers.djstripe import stripe_api

        post = stripe_api.signed(
            "payment_intent.succeeded", "evt_counted", f"pi_{number}", "/api/stripe/webhook"
        )
        stored = self.statements(post)
        event = WebhookEvent.objects.get(event_id="evt_counted")
        with self._counted() as captured:
            if event.status == "received":
                inbox.process(event.pk)
        if not Order.objects.filter(order_no=number, status="completed").exists():
            raise RuntimeError("the order was not settled")
        return stored + len(captured)

    def _counted(self) -> Any:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        return CaptureQueriesContext(connection)

    def _floor_database(self) -> str:
        from bench import floor

        url = self.place.new_database("floor")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(floor.TABLE)
        env = self.place.environment(url, DJANGO_SETTINGS_MODULE="bench.floor.settings")
        self.place.python("-m", "django", "migrate", "--run-syncdb", "-v0", env=env)
        return url

    def _djstripe_database(self) -> str:
        url = self.place.new_database("djstripe")
        env = self.place.environment(url, DJANGO_SETTINGS_MODULE="bench.peers.djstripe.settings")
        self.place.python("-m", "django", "migrate", "--run-syncdb", "-v0", env=env)
        self.place.python("-m", "bench.peers.djstripe.stripe_api", env=env)
        return url

    def _web(self, name: str, application: str, database: Callable[[], str]) -> servers.Web:
        if name not in self.webs:
            self.webs[name] = self.place.serve(name, application, self.place.environment(database()))
        return self.webs[name]
