"""The process of one size in B9: fills its database, then times what it is asked, question by question (stdin, JSON)."""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import django

SIZE = int(sys.argv[1])
#: Tables that grow with history: nothing may read them from end to end.
BIG = (
    "orders_order", "orders_orderline", "orders_orderevent", "payments_paymentintent", "payments_paymentevent",
    "payments_webhookevent", "vending_vendingsession", "vending_sessionevent", "vending_printjob",
    "vending_printjobevent",
)  # fmt: skip


def fill() -> None:
    from bench import rows

    rows.fill(SIZE)


def jobs() -> dict[str, Callable[[], object]]:
    """What is timed. Each is called many times and leaves the rows as they were."""
    from django.db import transaction
    from django.test import Client
    from django.utils import timezone

    from bench import rows
    from orders.services import fulfilment
    from payments.gateways import base
    from payments.services import inbox, intents, sync
    from tests import factories
    from vending.services import print_jobs, sessions

    client, desk = Client(), Client()
    desk.force_login(factories.staff())
    gateway = inbox.gateway("machine")

    def known() -> str:
        return rows.third_id(rows.DONE, random.randint(1, SIZE))

    def poll() -> None:
        answer = client.get(
            f"/api/vending/session/{rows.session_id(rows.DONE, random.randint(1, SIZE))}/status"
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.content)

    def look(page: str) -> None:
        if desk.get(page).status_code != 200:
            raise RuntimeError(page)

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
