"""What the order's page says, for every state of order, payment and print: exactly which headline, and never a word of
failure where money arrived or may have arrived."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from orders.models import Order
from payments import states as payment_states
from payments.models import PaymentIntent
from payments.services import progress
from tests import factories as make
from vending import states as vending_states
from vending.models import PrintJob

pytestmark = pytest.mark.django_db

#: Words that send somebody to pay a second time, or into fear for their money.
FAILURE = re.compile(
    "did not go through|not paid|nothing was charged|declined|refused|cancelled|have not seen a payment|expired|failed|"
    "choose how you would like to pay|pay another way",
    re.I,
)
NOT_AGAIN = re.compile(r"do(?: not need to|\s+not) pay again", re.I)

CHECKING, THANKS = "We are checking your payment", "Thank you, it is paid"
PAY_NOW, SCAN, CONFIRM = "Now pay at the machine", "Scan with WeChat", "Confirm the payment"
UNPAID, REFUSED = "Not paid yet", "The payment did not go through"
UNSEEN, ENDED = "We have not seen a payment", "This order was cancelled"
STAFF, BACK = "Something went wrong, and we know it", "Your money was given back"
LATE = "Your payment came too late"

#: A paid case, by its print job.
PRINT = {
    None: THANKS,
    "waiting": THANKS,
    "announcing": THANKS,
    "confirming": THANKS,
    "submitting": THANKS,
    "accepted": "You are in the queue",
    "printing": "Your case is being printed",
    "printed": "Your case is ready. Come and get it!",
    "collected": "Enjoy your case!",
    "failed": STAFF,
    "gave_up": STAFF,
    "canceled": STAFF,
}
#: An attempt at the machine, by its state: (headline of a pending order, of a cancelled one).
AT_MACHINE = {
    None: (UNPAID, ENDED),
    "created": (CHECKING, CHECKING),
    "requires_action": (PAY_NOW, PAY_NOW),
    "processing": (CHECKING, CHECKING),
    "authorized": (CHECKING, CHECKING),
    "expiring": (CHECKING, CHECKING),
    "failed": (REFUSED, REFUSED),
    "canceled": (ENDED, ENDED),
    "expired": (UNSEEN, UNSEEN),
}
#: The same for an attempt on the phone or at home.
ONLINE = AT_MACHINE | {"requires_action": (CHECKING, CHECKING), "canceled": (UNPAID, ENDED)}
PAID_INTENTS = ("succeeded", "partially_refunded", "refunded")
#: Before the provider has said "no" itself, money may be on its way.
MAY_HAVE_ARRIVED = ("created", "processing", "authorized", "expiring")


def case(status: str = "pending", printing: str | None = None) -> Order:
    paid = status in ("paid", "completed", "refunded")
    order = make.order(status=status, paid_at=timezone.now() if paid else None)
    if printing is not None:
        accepted = printing not in ("waiting", "announcing", "confirming", "submitting", "gave_up")
        make.print_job(
            reference=f"{order.order_no}/1", order_no=order.order_no, status=printing,
            accepted_at=timezone.now() if accepted else None, machine=None if printing == "waiting" else make.machine(),
        )  # fmt: skip
    return order


def said(order: Order) -> tuple[str, str]:
    """(headline, all words) of the live part of the order's page."""
    shown = progress.order_progress(order)
    urls = dict.fromkeys(("fragment", "missing", "machine"), "/x/") | {"again": "", "another": ""}
    page = render_to_string(
        "orders/_status.html",
        {
            "status": shown,
            "poll_ms": shown["poll_ms"],
            "urls": urls,
            "machines": [],
            "stopped": "",
            "problem": "",
        },
    )
    [headline] = re.findall(r"<h1[^>]*>(.*?)</h1>", page)
    return headline, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_state_is_in_the_tables() -> None:
    known = set(payment_states.PAYMENT.statuses)
    assert set(AT_MACHINE) | set(PAID_INTENTS) == known | {None}
    assert set(ONLINE) == set(AT_MACHINE)
    assert set(PRINT) == set(vending_states.PRINT_JOB.statuses) | {None}


@pytest.mark.parametrize(
    ("status", "intent"),
    [*product(["paid"], PAID_INTENTS), ("completed", "succeeded"), ("completed", "refunded")],
)
def test_whoever_paid_reads_no_word_of_failure(status: str, intent: str) -> None:
    """Whatever the print job does, and also when a later attempt failed, was cancelled or ran out."""
    for printing, later in [
        *product(PRINT, ["failed"]),
        ("accepted", None),
        ("failed", "canceled"),
        (None, "expired"),
    ]:
        order = case(status, printing)
        back = {"refunded_minor": 100, "refund_reserved_minor": 100} if intent == "partially_refunded" else {}
        make.intent(order, status=intent, settles_order=True, captured_minor=order.total_minor, **back)
        if later:
            make.intent(order, status=later, attempt=2)
        headline, words = said(order)
        assert (printing, later, headline) == (printing, later, PRINT[printing])
        assert FAILURE.search(words) is None, (printing, later, words)
        if headline == STAFF:
            assert NOT_AGAIN.search(words)


@pytest.mark.parametrize("printing", PRINT)
def test_what_went_back_is_said_as_that(printing: str | None) -> None:
    order = case("refunded", printing)
    make.intent(
        order, status="refunded", settles_order=True, captured_minor=1999, refunded_minor=1999,
        refund_reserved_minor=1999,
    )  # fmt: skip
    headline, words = said(order)
    assert headline == BACK
    assert FAILURE.search(words) is None, words


@pytest.mark.parametrize("intent", PAID_INTENTS)
def test_money_that_came_too_late_was_seen(intent: str) -> None:
    """The order had ended; its page says that the money came and goes back, and invites nobody to pay again."""
    back = {"succeeded": 0, "partially_refunded": 100, "refunded": 1999}[intent]
    order = case("cancelled")
    make.intent(
        order, status=intent, is_surplus=True, captured_minor=1999, refunded_minor=back, refund_reserved_minor=back
    )  # fmt: skip
    headline, words = said(order)
    assert headline == LATE
    assert "Your payment of £19.99 came too late for this order and" in words
    assert FAILURE.search(words) is None, words


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("table", [AT_MACHINE, ONLINE], ids=["machine", "online"])
def test_before_the_money_is_certain(table: dict[str | None, tuple[str, str]], place: int) -> None:
    for intent, expected in table.items():
        order = case(("pending", "cancelled")[place])
        if intent is not None:
            gateway = "machine" if table is AT_MACHINE else "stripe"
            make.intent(order, status=intent, gateway=gateway)
        headline, words = said(order)
        assert (intent, headline) == (intent, expected[place])
        if intent in MAY_HAVE_ARRIVED or headline in (CHECKING, UNSEEN, PAY_NOW):
            assert NOT_AGAIN.search(words), (intent, words)
        if intent in MAY_HAVE_ARRIVED or headline in (CHECKING, PAY_NOW):
            assert FAILURE.search(words) is None, (intent, words)


@pytest.mark.parametrize(
    ("action", "headline"),
    [
        ({"kind": "qr_code", "content": "weixin://x", "expires_at": None}, SCAN),
        ({"kind": "redirect", "url": "https://pay.example/", "method": "GET", "fields": {}}, CHECKING),
        ({"kind": "client_params", "sdk": "wechat_jsapi", "params": {}}, CONFIRM),
    ],
)
def test_while_somebody_pays_elsewhere(action: dict[str, Any], headline: str) -> None:
    order = case()
    make.intent(order, status="requires_action", gateway="wechatpay", next_action=action)
    told, words = said(order)
    assert told == headline
    assert NOT_AGAIN.search(words)
    assert FAILURE.search(words.replace("Pay another way", "")) is None


def test_a_job_that_was_tried_often_is_late_and_not_lost() -> None:
    order = case("paid", "submitting")
    PrintJob.objects.update(attempts=progress.DELAYED_AFTER_ATTEMPTS)
    headline, words = said(order)
    assert headline == "Paid. The printer keeps us waiting"
    assert NOT_AGAIN.search(words)
    assert FAILURE.search(words) is None


# --- How often it asks -------------------------------------------------------------------------------------------------
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PACES = {
    "pay": [(0 * MINUTE, 2500), (2 * MINUTE - SECOND, 2500), (2 * MINUTE, 5000), (10 * MINUTE - SECOND, 5000),
            (10 * MINUTE, 15000), (72 * HOUR, 15000)],
    "hand over": [(0 * MINUTE, 2000), (MINUTE - SECOND, 2000), (MINUTE, 5000), (10 * MINUTE - SECOND, 5000),
                  (10 * MINUTE, 15000)],
    "queue": [(0 * MINUTE, 4000), (15 * MINUTE - SECOND, 4000), (15 * MINUTE, 8000), (HOUR - SECOND, 8000), (HOUR, 15000)],
}  # fmt: skip


@pytest.mark.parametrize("what", PACES)
def test_the_page_asks_ever_more_slowly(what: str, time_machine: Any) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    order = case(
        *{"pay": ("pending",), "hand over": ("paid", "submitting"), "queue": ("paid", "accepted")}[what]
    )
    make.intent(order, status="processing" if what == "pay" else "succeeded", settles_order=what != "pay")
    paces = []
    for age, _ in PACES[what]:
        PaymentIntent.objects.update(created_at=now - age)
        Order.objects.filter(pk=order.pk, paid_at__isnull=False).update(paid_at=now - age)
        PrintJob.objects.filter(accepted_at__isnull=False).update(accepted_at=now - age)
        order.refresh_from_db()
        paces.append((age, progress.order_progress(order)["poll_ms"]))
    assert paces == PACES[what]


def test_the_page_rests_while_nobody_looks_and_needs_no_script(client: Any) -> None:
    """The pace is an attribute; page.js stops what carries data-poll in a hidden page; without a script the page loads anew."""
    from orders import selectors

    order = case("paid", "accepted")
    page = client.get(selectors.status_path(order)).content.decode()
    assert re.search(r'hx-trigger="every 4000ms, refresh"[^>]* data-poll', page)
    assert '<noscript><meta http-equiv="refresh" content="8"></noscript>' in page
    ended = case("completed", "collected")
    page = client.get(selectors.status_path(ended)).content.decode()
    assert ("data-poll" in page, 'http-equiv="refresh"' in page) == (False, False)
