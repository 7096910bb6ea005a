"""How many statements the hot paths send (BENCH.md: asserted here, never timed). A higher number needs a reason.

What is counted is what reaches PostgreSQL, BEGIN, COMMIT and savepoints included. A lower number is good news: change
it here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from payments.models import PaymentIntent, WebhookEvent
from payments.services import inbox
from pimpshop.core.models import OutboundCall
from tests.support.shop import Shop

PAY_STATUS = "/api/chinese/order/payStatus"


def statements(what: Callable[[], Any]) -> list[str]:
    """What `what` sends to PostgreSQL, in one line each."""
    with CaptureQueriesContext(connection) as captured:
        what()
    return [" ".join(query["sql"].split()) for query in captured.captured_queries]


def post(body: Any, status: int = 200) -> list[str]:
    """The statements of one payStatus post through the real door."""
    raw = body if isinstance(body, str) else json.dumps(body)

    def send() -> None:
        assert Client().post(PAY_STATUS, raw, content_type="application/json").status_code == status

    return statements(send)


def test_a_first_delivery_is_stored_by_one_statement(shop: Shop) -> None:
    one = shop.paying()
    [only] = post({"third_id": one.third_id, "status": 3})
    assert "payments_store_event" in only
    assert WebhookEvent.objects.get().status == "received"


def test_a_duplicate_is_one_statement_that_writes_nothing(shop: Shop) -> None:
    one = shop.paying()
    post({"third_id": one.third_id, "status": 3})
    before = WebhookEvent.objects.values().get()
    assert len(post({"third_id": one.third_id, "status": 3})) == 1
    assert WebhookEvent.objects.values().get() == before


def test_a_post_about_a_foreign_number_is_one_statement(shop: Shop) -> None:
    assert len(post({"third_id": "PYEN251120999999", "status": 3})) == 1
    assert WebhookEvent.objects.count() == 0


def test_forged_posts_send_none(db: None) -> None:
    for forged in ("", "{not json", "[]", {"status": 3}, {"third_id": "PYEN251120000001"}, "x" * 70_000):
        status = 413 if isinstance(forged, str) and len(forged) > 65_536 else 400
        assert post(forged, status) == []


def test_a_confirmation(shop: Shop) -> None:
    """From the stored hint to paid order, print job and session; the recorded call to the provider is not ours to save."""
    one = shop.taken()
    post({"third_id": one.third_id, "status": 3})
    PaymentIntent.objects.update(last_query_at=None)
    event = WebhookEvent.objects.get()
    calls = OutboundCall.objects.count()
    sent = statements(lambda: inbox.process(event.pk))
    one.refresh()
    assert (one.order.status, one.session.status, one.job().status) == (
        "paid",
        "payment_completed",
        "submitting",
    )
    assert OutboundCall.objects.count() == calls + 1
    about_the_call = [sql for sql in sent if "core_outboundcall" in sql or "core_sharedtoken" in sql]
    assert len(about_the_call) == 2  # the shared token is read, the call is recorded
    assert len(sent) - len(about_the_call) == CONFIRMATION, "\n".join(sent)


#: The hint's lease with its payment, order and the right to ask; all that settling writes, and the hint's end
#: (payments.services.at_once).
CONFIRMATION = 2


def test_a_status_poll_of_a_paid_session(shop: Shop) -> None:
    """Machines and phones poll this every few seconds: session with machine and design, order, attempt, job."""
    one = shop.paid()
    path = f"/api/vending/session/{one.session.session_id}/status"
    sent = statements(lambda: Client().get(path))
    assert len(sent) == 5, "\n".join(sent)
