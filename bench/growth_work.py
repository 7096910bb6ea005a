"""The process of one size in B9: fills its database, then times what it is asked, question by question (stdin, JSON)."""

from __future__ import annotations

import functools
import itertools
import json
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import django

SIZE = int(sys.argv[1])
#: Tables that grow with history: nothing may read them from end to end.
BIG = (
    "orders_order", "orders_orderline", "orders_orderevent", "payments_paymentintent", "payments_paymentevent",
    "payments_webhookevent", "vending_vendingsession", "vending_sessionevent", "vending_printjob",
    "vending_printjobevent", "accounts_user", "credits_creditaccount", "credits_posting", "credits_lot",
)  # fmt: skip
#: The lists of the desk whose rows grow with what was sold.
ASKED = {
    "orders": "orders.order", "payments": "payments.paymentintent", "sessions": "vending.vendingsession",
    "print jobs": "vending.printjob", "inbox events": "payments.webhookevent", "postings": "credits.posting",
}  # fmt: skip


def fill() -> None:
    from bench import rows

    rows.fill(SIZE)


def jobs() -> dict[str, Callable[[], object]]:
    """What is timed. Each is called many times and leaves the rows as they were."""
    from django.contrib import admin
    from django.core.cache import cache
    from django.db import transaction
    from django.test import Client
    from django.utils import timezone

    from accounts.models import User
    from bench import rows
    from credits import selectors as credits
    from orders.models import Order
    from orders.services import fulfilment
    from payments.gateways import base
    from payments.services import inbox, intents, sync
    from tests import factories
    from vending.services import print_jobs, sessions

    client, desk, customer = Client(), Client(), Client()
    desk.force_login(factories.staff())
    gateway = inbox.gateway("machine")
    people = SIZE // rows.ORDERS_EACH
    first = User.objects.get(email="customer@example.com").pk
    customer.force_login(User.objects.get(pk=first + people // 2))

    def known() -> str:
        return rows.third_id(rows.DONE, random.randint(1, SIZE))

    def poll() -> None:
        answer = client.get(
            f"/api/vending/session/{rows.session_id(rows.DONE, random.randint(1, SIZE))}/status"
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.content)

    def look(page: str, browser: Client = desk) -> None:
        if browser.get(page).status_code != 200:
            raise RuntimeError(page)

    def first_page() -> None:
        cache.clear()  # else its figures are a minute old
        look("/admin/")

    def someone() -> int:
        return first + random.randint(1, people)

    def ask(label: str) -> None:
        """One question of a list after the other, as its chips do."""
        model = next(model for model in admin.site._registry if model._meta.label_lower == label)
        filters = admin.site._registry[model].list_filter[0]
        if label not in turns:
            turns[label] = itertools.cycle([question.name for question in filters.questions])
        look(f"/admin/{label.replace('.', '/')}/?show={next(turns[label])}")

    turns: dict[str, Iterator[str]] = {}
    newest = Order.objects.latest("pk").pk

    def store() -> None:
        body = json.dumps({"third_id": known(), "status": 4}).encode()
        post = base.WebhookRequest(
            body=body, received_at=timezone.now(), headers={}, query={}, remote_addr="127.0.0.1"
        )
        [event] = gateway.read_webhook(post)
        with transaction.atomic():
            if inbox._store(gateway, event)[1] != "due":
                raise RuntimeError("not stored")
            transaction.set_rollback(True)

    return {
        "look-up by third_id": lambda: intents.by_number(known()),
        "session status poll": poll,
        "storing statement of the inbox": store,
        "admin: list of orders": lambda: look("/admin/orders/order/"),
        "admin: search for an order": lambda: look(
            f"/admin/orders/order/?q=P20251120{rows.DONE.tag}{random.randint(1, SIZE):012d}"
        ),
        "admin: search for a payment by the provider's number": lambda: look(
            f"/admin/payments/paymentintent/?q=pi_{random.randint(1, SIZE)}"
        ),
        "admin: find four digits": lambda: desk.get("/admin/find/?q=4242"),
        "admin: one order with its story": lambda: look(
            f"/admin/orders/order/{newest - random.randint(1, SIZE // 2)}/change/"
        ),
        "admin: first page": first_page,
        **{
            f"admin: questions about {words}": functools.partial(ask, label) for words, label in ASKED.items()
        },
        "a customer's list of orders": lambda: look("/account/orders/", customer),
        "balance": lambda: credits.balance(someone()),
        "statement": lambda: credits.statement(someone()),
        "sweep: inbox due": inbox.due,
        "sweep: payments due": sync.due,
        "sweep: print jobs due": print_jobs.due,
        "sweep: sessions to expire": sessions.expire_due,
        "sweep: orders to complete": fulfilment.complete_printed,
    }


def timed(job: Callable[[], object], times: int) -> list[float]:
    """Seconds of each call, the first few left out."""
    taken = []
    for number in range(times + 3):
        started = time.perf_counter()
        job()
        if number >= 3:
            taken.append(time.perf_counter() - started)
    return taken


def _sequential_scans() -> dict[str, int]:
    """How often each big table was read from end to end so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(%s)", [list(BIG)]
        )
        return dict(cursor.fetchall())


def plans(job: Callable[[], object]) -> list[str]:
    """The big tables that a statement of the job reads from end to end."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    before = _sequential_scans()
    with CaptureQueriesContext(connection) as captured:
        job()
    after = _sequential_scans()
    found = {
        table for table in BIG if after[table] > before[table]
    }  # sees into functions, which EXPLAIN does not
    for query in captured.captured_queries:
        if not re.match(r"\s*(SELECT|WITH|UPDATE|INSERT|DELETE)", query["sql"], re.IGNORECASE):
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"].replace("%", "%%"), None)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        found |= set(re.findall(r"Seq Scan on (\w+)", plan)) & set(BIG)
    return sorted(found)


def main() -> None:
    django.setup()
    known: dict[str, Callable[[], object]] = {}
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        answer: Any = None
        if question["do"] == "fill":
            fill()
            known = jobs()
        elif question["do"] == "names":
            answer = list(known)
        elif question["do"] == "time":
            answer = timed(known[question["name"]], question["times"])
        else:
            answer = plans(known[question["name"]])
        print(f"={json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    main()
