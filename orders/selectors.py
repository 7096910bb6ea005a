"""Reading orders for pages and machines: what to show, without deciding anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Max, Q, QuerySet
from django.utils.translation import get_language

from accounts.models import User
from catalog.models import Design
from credits import selectors as credits
from orders.models import Order, OrderLine
from pimpshop.core import errors, ids, storage
from pimpshop.core.money import Money
from vending.models import PrintJob
from vending.services import print_jobs


def find(order_no: str) -> Order | None:
    """The order with that number."""
    return Order.objects.filter(order_no=order_no).first()


def of_session(session_order_no: str) -> Order | None:
    """The order that a session is bound to; None before order-summary."""
    return find(session_order_no) if session_order_no else None


def snapshot(order_no: str) -> dict[str, Any]:
    """What the order's first line says in words and ids; empty when there is no order yet."""
    line = OrderLine.objects.filter(order__order_no=order_no).first() if order_no else None
    return line.snapshot if line else {}


def status_path(order: Order) -> str:
    """The signed link of the order's status page (no log-in needed)."""
    return f"/orders/{order.order_no}/?k={ids.link_key('order', order.order_no)}"


def status_url(order: Order) -> str:
    return f"{settings.PUBLIC_BASE_URL}{status_path(order)}"


def receipt_path(order: Order) -> str:
    """The signed link of the order's receipt; the same key as its status page's."""
    return f"/orders/{order.order_no}/receipt/?k={ids.link_key('order', order.order_no)}"


def receipt_url(order: Order) -> str:
    return f"{settings.PUBLIC_BASE_URL}{receipt_path(order)}"


def may_see(order_no: str, key: str) -> bool:
    """Does `key` open that order's page?"""
    return ids.link_key_matches("order", order_no, key)


@dataclass(frozen=True)
class CaseState:
    """An order's case: its line, its print job once paid, and its place in the machine's queue."""

    line: OrderLine
    job: PrintJob | None
    place: int | None


def case_state(order: Order) -> CaseState:
    """The one case of an order made at a machine."""
    line = order.lines.get()
    job = PrintJob.objects.filter(reference=f"{order.order_no}/{line.position}").first()
    return CaseState(line, job, print_jobs.place_in_queue(job) if job else None)


def get(order_no: str) -> Order:
    """The order with that number. Raises errors.NotFound."""
    order = find(order_no)
    if order is None:
        raise errors.NotFound
    return order


def line_texts(order: Order) -> list[dict[str, Any]]:
    """{text, price, quantity, sum} of each line, in the active language; `price` is that of one piece."""
    chinese = (get_language() or "").startswith("zh")
    lines = []
    for line in order.lines.all():
        said = line.snapshot
        colour = (said.get("colour_zh") if chinese else "") or said.get("colour", "")
        name = (said.get("name_zh") if chinese else "") or said.get("name", "")
        case = " · ".join(part for part in (said.get("model", ""), colour) if part)
        lines.append(
            {
                "text": case or name or order.order_no,
                "price": Money(line.unit_minor, order.currency),
                "quantity": line.quantity,
                "sum": Money(line.unit_minor * line.quantity, order.currency),
            }
        )
    return lines


def credits_of(order: Order) -> int:
    """The credits that an order buys, less what refunds and disputes took back; 0 for a case."""
    left = credits.left_of_payment(order.order_no) if order.paid_at else None
    if left is not None:
        return left
    return sum(
        int(line.snapshot.get("credits") or line.snapshot.get("points") or 0) * line.quantity
        for line in order.lines.all()
    )


def pay_path(order: Order) -> str:
    """The signed link of the page where the order is paid; the same key as its status page's."""
    return pay_path_of(order.order_no)


def pay_path_of(order_no: str) -> str:
    """The same by the order's number."""
    return f"/orders/{order_no}/pay/?k={ids.link_key('order', order_no)}"


def waits_for_money(order: Order) -> bool:
    """Can it still be paid on its own page? (At a machine the machine's own page is the way.)"""
    return order.status == "pending" and not order.session_id


def unpaid(order_no: str) -> Order | None:
    """The order with that number while it waits for its money; None otherwise."""
    return Order.objects.filter(order_no=order_no, status="pending").first() if order_no else None


def is_unpaid(order: Order) -> bool:
    """Does it wait for its money, as it was read?"""
    return order.status == "pending"


def preview_url(order: Order) -> str:
    """A signed, expiring link to the small picture of what was ordered, for a page; "" when there is none."""
    line = order.lines.first()
    if (
        line is None
        or line.design_id is None
        or not Design.objects.filter(pk=line.design_id, forgotten_at=None).exists()
    ):
        return ""
    path = storage.picture_path("preview", line.design_id, storage.PREVIEW_LINK_LIFE)
    return f"{path.removesuffix('.png')}.webp"


def texts_of(design: Design) -> str:
    """The words on a design, in one line."""
    return " ".join(item["text"] for item in design.layout.get("items", []) if item.get("kind") == "text")


def of_user(user: User, *, before_id: int | None = None, limit: int = 20) -> list[Order]:
    """Somebody's orders with their lines, newest first; only those before the order `before_id`. Two queries."""
    mine = Order.objects.filter(user=user)
    if before_id is not None:
        mine = mine.filter(pk__lt=before_id)
    return list(mine.prefetch_related("lines").order_by("-id")[:limit])


def paths_of(user: User, order_nos: Iterable[str]) -> dict[str, str]:
    """Order number -> the signed link of its status page, of those that are that user's."""
    asked = {number for number in order_nos if number}
    rows = Order.objects.filter(user=user, order_no__in=asked).only("order_no") if asked else ()
    return {order.order_no: status_path(order) for order in rows}


def of_packs(user: User, currency: str) -> QuerySet[Order]:
    """Somebody's orders of packs of credits in `currency`, newest first, with their lines and `paid_back_at`: when the last
    of the money had gone back."""
    back = Max("events__at", filter=Q(status="refunded", events__to_status="refunded"))
    mine = Order.objects.filter(user=user, kind=Order.Kind.CREDITS, currency=currency)
    return mine.annotate(paid_back_at=back).prefetch_related("lines").order_by("-id")
