"""Valid rows by the million: one row of each kind is made as the shop makes it, then multiplied by SQL.

Lives here: the history that a shop has after so many sold cases (every table of the machine flow), and what is under
way at any moment, which does not grow. Needs pimpshop.settings loaded on the database to fill.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.utils import timezone

#: What is under way at a time, whatever the history: orders waiting to be printed, payments waiting, live sessions.
UNDER_WAY = 100


#: How long the shop has been selling: history is spread over it evenly, the newest rows last.
DAYS = 1000


def multiply(
    model: type[models.Model], template: models.Model, count: int, *, spread: bool = False, **columns: str
) -> None:
    """Insert `count` rows like `template`; `columns` are SQL expressions over `n` (1 … count) by field name.

    `spread`: the n-th row happened so much earlier than the template as its place in the history says.
    """
    fields = [f for f in model._meta.concrete_fields if not f.primary_key and not f.generated]
    names = [field.column for field in fields]
    ago = f" - interval '{DAYS} days' * (1 - n / {int(count)}::float)" if spread and count else ""
    values = [
        f"({columns[f.name]})" if f.name in columns
        else f't."{f.column}"{ago if isinstance(f, models.DateTimeField) else ""}'
        for f in fields
    ]  # fmt: skip
    table = model._meta.db_table
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({listed}) SELECT {", ".join(values)} '
            f'FROM "{table}" t CROSS JOIN generate_series(1, {int(count)}) n WHERE t.id = %s',
            [template.pk],
        )


@dataclass(frozen=True)
class Kind:
    """One state of a sold case: the statuses of its rows, and whether anything is due."""

    tag: str  # two digits, makes the numbers of this kind unique
    order: str
    intent: str
    session: str
    job: str
    event: str


DONE = Kind("10", "completed", "succeeded", "payment_completed", "collected", "processed")
PRINTING = Kind("20", "paid", "succeeded", "payment_completed", "accepted", "processed")
WAITING = Kind("30", "pending", "requires_action", "payment_pending", "", "")
TOLD = Kind("40", "pending", "requires_action", "payment_pending", "", "received")


def pyen(kind: Kind, n: str = "n") -> str:
    return f"'PYEN' || {kind.tag} || lpad(({n})::text, 10, '0')"


def third_id(kind: Kind, n: int) -> str:
    """The PYEN number of the n-th case of a kind."""
    return f"PYEN{kind.tag}{n:010d}"


def session_id(kind: Kind, n: int) -> str:
    """The session id of the n-th case of a kind."""
    return f"BENCH_20251120_1011{kind.tag}_{n:08X}"


def _stage() -> dict[str, Any]:
    from tests import factories

    machine = factories.machine(machine_id="BENCH", stock_synced_at=timezone.now())
    shell = factories.sellable_shell(manufacturer_id="MS102503270003")
    factories.stock(machine, shell, count=1_000_000)
    design = factories.frozen_design(shell)
    return {"machine": machine, "shell": shell, "design": design}


#: What a customer has bought, whatever the shop has sold.
ORDERS_EACH = 10


def customers(orders: int) -> str:
    """So many people that each has ORDERS_EACH of so many orders and as many postings of credits, the last two unspent.

    Answers their ids as SQL over the order's n.
    """
    from accounts.models import User
    from credits.models import CreditAccount, Lot, Posting
    from tests import factories

    people = max(orders // ORDERS_EACH, 1)
    first = factories.user("customer@example.com")
    posting = factories.posting(first)
    account, last = posting.destination, CreditAccount.objects.latest("pk").pk  # the shop's own came after it
    multiply(User, first, people, email="'customer' || n || '@example.com'", public_id="gen_random_uuid()")
    multiply(CreditAccount, account, people, user=f"{first.pk} + n", balance="200")
    whose = f"1 + mod(n, {people})"
    multiply(
        Posting, posting, orders, spread=True, reference="'history/' || n", destination=f"{last} + {whose}"
    )  # fmt: skip
    multiply(
        Lot, posting.lot, orders, spread=True, account=f"{last} + {whose}", posting=f"{posting.pk} + n",
        payment_reference="'history/' || n", remaining=f"case when n > {orders - 2 * people} then 100 else 0 end",
    )  # fmt: skip
    return f"{first.pk} + {whose}"


def cases(stage: dict[str, Any], kind: Kind, count: int, *, buyers: str = "NULL") -> None:
    """`count` cases in the state of `kind`: session, order, line, intent, and job, inbox event and history as due.
    `buyers`: the id of whose it is, as SQL over n."""
    from orders.models import Order, OrderEvent, OrderLine
    from payments.models import PaymentEvent, PaymentIntent, WebhookEvent
    from tests import factories
    from vending.models import PrintJob, PrintJobEvent, SessionEvent, VendingSession

    now = timezone.now()
    number = f"'P20251120{kind.tag}' || lpad(n::text, 12, '0')"
    session = f"'BENCH_20251120_1011{kind.tag}_' || lpad(upper(to_hex(n)), 8, '0')"
    done = kind.intent == "succeeded"
    spread = kind is DONE
    first = factories.session(
        stage["machine"], session_id=f"BENCH_TEMPLATE_{kind.tag}", status=kind.session, design=stage["design"],
        amount_minor=1999, currency="GBP", payment_started_at=now,
        user_progress="order_submitted" if done else "payment_pending",
    )  # fmt: skip
    multiply(
        VendingSession, first, count, spread=spread, session_id=session, order_no=number, third_id=pyen(kind)
    )
    order = Order.objects.create(
        order_no=f"TEMPLATE{kind.tag}", kind="case", status=kind.order, currency="GBP", total_minor=1999,
        machine_id="BENCH", paid_at=now if done else None, completed_at=now if kind is DONE else None,
    )  # fmt: skip
    multiply(
        Order, order, count, spread=spread, order_no=number, session_id=session, public_id="gen_random_uuid()",
        user=f"({buyers})::bigint",
    )  # fmt: skip
    line = OrderLine.objects.create(
        order=order, unit_minor=1999, shell_id=stage["shell"].pk, design_id=stage["design"].pk,
        snapshot={"third_order_id": "OREN", "mobile_model_id": "MM020250224000010",
                  "mobile_shell_id": "MS102503270003", "print_sha256": "a" * 64, "model": "iPhone 15 Pro"},
    )  # fmt: skip
    base = f"{order.pk}"  # ids of a fresh table are dense: the template's and then 1 … count
    oren = f"'OREN' || {kind.tag} || lpad(n::text, 10, '0')"
    multiply(
        OrderLine, line, count, spread=spread, order=f"{base} + n",
        snapshot=f"t.snapshot || jsonb_build_object('third_order_id', {oren})",
    )  # fmt: skip
    intent = factories.intent(
        order, out_trade_no=f"TEMPLATE{kind.tag}", account="pimpshop", status=kind.intent, settles_order=done,
        captured_minor=1999 if done else 0, succeeded_at=now if done else None,
        next_query_at=None if done else now + timedelta(days=1),
    )  # fmt: skip
    multiply(
        PaymentIntent, intent, count, spread=spread, order=f"{base} + n", out_trade_no=pyen(kind),
        public_id="gen_random_uuid()", idempotency_key=f"'{kind.tag}:' || n",
    )  # fmt: skip
    moves: list[tuple[Any, str, models.Model]] = [
        (OrderEvent, "order", order), (PaymentEvent, "intent", intent), (SessionEvent, "session", first),
    ]  # fmt: skip
    if kind.job:
        job = factories.print_job(
            stage["machine"], reference=f"TEMPLATE{kind.tag}", status=kind.job, accepted_at=now,
            design_id=stage["design"].pk, due_at=None if kind is DONE else now + timedelta(days=1),
        )  # fmt: skip
        multiply(
            PrintJob, job, count, spread=spread, reference=f"{number} || '/1'", order_no=number, session_id=session,
            payment_third_id=pyen(kind), third_order_id=oren, manufacturer_order_id=f"'MSOR{kind.tag}' || n",
        )  # fmt: skip
        moves.append((PrintJobEvent, "print_job", job))
    if kind.event:
        event = factories.webhook_event(
            account="pimpshop", subject=f"TEMPLATE{kind.tag}", event_id=f"T{kind.tag}:3", status=kind.event,
            due_at=now if kind is TOLD else None, kind="payment_status", payload={"third_id": "x", "status": "3"},
        )  # fmt: skip
        multiply(
            WebhookEvent, event, count, spread=spread, subject=pyen(kind), event_id=f"{pyen(kind)} || ':3'"
        )
    for model, link, row in moves:
        if count:
            told = model.objects.create(**{link: row, "to_status": row.status, "source": "webhook"})  # type: ignore[attr-defined]
            multiply(model, told, count, spread=spread, **{link: f"{row.pk} + n"})


def online_number(n: int) -> str:
    """Our number of the n-th payment that waits at Stripe."""
    return f"P20251120500000{n:08d}"


def online(count: int, *, people: int = 200) -> None:
    """`count` orders of 100 credits by `people` people, each with an attempt that waits at Stripe."""
    from accounts.models import User
    from credits.models import CreditAccount
    from orders.models import Order, OrderLine
    from payments.models import PaymentIntent
    from tests import factories

    if not count:
        return
    buyer = factories.user("buyer@example.com")
    multiply(User, buyer, people, email="'buyer' || n || '@example.com'", public_id="gen_random_uuid()")
    account = CreditAccount.objects.create(kind="user", user=buyer)
    multiply(CreditAccount, account, people, user=f"{buyer.pk} + n")
    number = "'P20251120500000' || lpad(n::text, 8, '0')"
    order = Order.objects.create(
        order_no="TEMPLATE50", kind="credits", currency="GBP", total_minor=1999, user=buyer
    )
    multiply(
        Order,
        order,
        count,
        order_no=number,
        public_id="gen_random_uuid()",
        user=f"{buyer.pk} + 1 + mod(n, {people})",
    )
    line = OrderLine.objects.create(
        order=order, unit_minor=1999, snapshot={"credits": 100, "name": "100 credits"}
    )
    multiply(OrderLine, line, count, order=f"{order.pk} + n")
    intent = factories.intent(
        order, out_trade_no="TEMPLATE50", gateway="stripe", method="card", status="requires_action",
        provider_ref="pi_TEMPLATE50", next_query_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    multiply(
        PaymentIntent, intent, count, order=f"{order.pk} + n", out_trade_no=number, public_id="gen_random_uuid()",
        idempotency_key="'50:' || n", provider_ref=f"'pi_' || {number}",
    )  # fmt: skip


def fill(history: int, *, under_way: int = UNDER_WAY, told: int = 0, waiting_online: int = 0) -> None:
    """A shop that has sold `history` cases, with `under_way` being printed and as many waiting for their payment.

    `told` more have a stored hint that is due now; `waiting_online` payments wait at Stripe.
    """
    stage = _stage()
    cases(stage, DONE, history, buyers=customers(history))
    for kind, count in ((PRINTING, under_way), (WAITING, under_way), (TOLD, told)):
        cases(stage, kind, count)
    online(waiting_online)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def first_told() -> int:
    """The id of the first stored hint that is due; the others follow without a gap."""
    from payments.models import WebhookEvent

    return int(WebhookEvent.objects.filter(subject=third_id(TOLD, 1)).get().pk)
