"""What the buyer of an order is told, and where they can be reached: the kinds of messages that are about an order.

Each is put together when it is sent, from what is true then; one that is not true any more answers None. Reads only, no
call leaves. Not here: when a message is written (`news`, vending's notices), money given back (payments.services.messages).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from credits.models import PlanTerm
from orders import selectors
from orders.models import Order
from orders.services import credit_parts
from pimpshop.core.models import Notification
from pimpshop.core.money import Money
from pimpshop.core.notifications import kinds, letters
from vending.models import Machine, PrintJob
from vending.services import print_jobs


def addressee(order: Order) -> kinds.Addressee:
    """Where the order's buyer can be reached: the address given with the order, else the account's; at WeChat by the
    account's identity. Nowhere for another shop's orders (that shop tells its buyers) and closed accounts."""
    user = order.user
    if order.kind == Order.Kind.MERCHANT or (user is not None and not user.is_active):
        return kinds.Addressee()
    email = order.email or (user.email if user else "") or ""
    app_id = settings.WECHAT_MINI_APP_ID
    openid = accounts.wechat_openid(user, app_id) if user is not None and app_id and not email else ""
    return kinds.Addressee(email=email, openid=openid)


def letter(order: Order, **more: Any) -> kinds.Letter:
    """A letter about `order`; `more` is added to what every one of them has."""
    language = letters.language_of(order.language)
    read_in = f"&lang={language}"
    with translation.override(language):
        lines = selectors.line_texts(order)
    context = {
        "order_no": order.order_no, "lines": lines, "what": ", ".join(line["text"] for line in lines),
        "amount": order.total, "order_url": f"{selectors.status_url(order)}{read_in}",
        "receipt_url": f"{selectors.receipt_url(order)}{read_in}",
        "number": "", "place": "",
    }  # fmt: skip
    page = f"{settings.WECHAT_MESSAGE_PAGE}?order_no={order.order_no}" if settings.WECHAT_MESSAGE_PAGE else ""
    return kinds.Letter(addressee(order), order.language, {**context, **more}, page=page)


def _order(note: Notification) -> Order | None:
    return Order.objects.select_related("user").filter(order_no=note.reference).first()


def _paid(note: Notification) -> kinds.Letter | None:
    order = _order(note)
    if order is None or order.paid_at is None or order.status == "refunded":
        return None
    job = PrintJob.objects.filter(order_no=order.order_no).first()
    machine, part = job.machine if job else None, credit_parts.current(order)
    return letter(
        order, kind=order.kind, credits=Money(part.credits, credit_parts.CREDITS) if part else None, place=_place(machine), chooses=bool(job and job.status == "waiting" and not job.held)
    )  # fmt: skip


def _case(note: Notification, *still: str) -> tuple[Order, PrintJob] | None:
    """The order and its case, while that stands where it is spoken of."""
    order = _order(note)
    job = PrintJob.objects.select_related("machine").filter(order_no=note.reference, status__in=still).first()
    if order is None or job is None or order.status == "refunded":
        return None
    return order, job


def _case_letter(found: tuple[Order, PrintJob] | None, **more: Any) -> kinds.Letter | None:
    if found is None:
        return None
    order, job = found
    return letter(order, number=job.queue_no, place=_place(job.machine), **more)


def _case_accepted(note: Notification) -> kinds.Letter | None:
    return _case_letter(_case(note, "accepted", "printing"))


def _case_printed(note: Notification) -> kinds.Letter | None:
    return _case_letter(_case(note, "printed"))


def _case_late(note: Notification) -> kinds.Letter | None:
    return _case_letter(_case(note, *print_jobs.UNSENT))


def _case_delayed(note: Notification) -> kinds.Letter | None:
    return _case_letter(_case(note, "gave_up", "failed", "accepted", "printing"))


def _unclaimed(note: Notification) -> kinds.Letter | None:
    return _case_letter(_case(note, "waiting"))


def _granted(note: Notification) -> kinds.Letter | None:
    order = _order(note)
    credits = selectors.credits_of(order) if order else 0
    if order is None or order.status != "completed" or not credits:
        return None
    return letter(order, credits=Money(credits, "CREDITS"), must_log_in=order.user_id is None)


def _plan_began(note: Notification) -> kinds.Letter | None:
    order = _order(note)
    if order is None or order.status != "completed":
        return None
    term = PlanTerm.objects.filter(payment_reference=order.order_no).order_by("-ends_at").first()
    begins = term.starts_at if term else None
    return letter(
        order, credits=Money(selectors.credits_of(order), "CREDITS"), must_log_in=order.user_id is None,
        begins=begins, ends=term.ends_at if term else None, later=begins is not None and begins > timezone.now(),
    )  # fmt: skip


def _place(machine: Machine | None) -> str:
    """Where a machine stands, in one line."""
    if machine is None:
        return ""
    there = machine.location if machine.location != machine.name else ""
    return ", ".join(part for part in (machine.name, there) if part)


def sample(**more: Any) -> Mapping[str, Any]:
    """A context for the desk's preview; nobody's order."""
    chinese = (translation.get_language() or "").startswith("zh")
    price, order_no = Money(1999, "GBP"), "P202511201011120a1b2c3d"
    what = "iPhone 15 Pro · " + ("原色钛金属" if chinese else "Natural titanium")
    address = f"{settings.PUBLIC_BASE_URL}/orders/{order_no}/"
    return {
        "order_no": order_no, "lines": [{"text": what, "price": price, "quantity": 1, "sum": price}], "what": what, "amount": price,
        "order_url": f"{address}?k=…", "receipt_url": f"{address}receipt/?k=…", "number": "A17",
        "place": "Kiosk 3, Central Station", "kind": Order.Kind.CASE, "chooses": False, **more,
    }  # fmt: skip


def _goods_sample(**more: Any) -> Mapping[str, Any]:
    credits = Money(500, "CREDITS")
    now = timezone.now()
    return sample(
        credits=credits, must_log_in=False, begins=now, ends=now + timedelta(days=30), later=False, **more
    )


for _kind in (
    kinds.Kind("paid", _("paid"), _paid, sample),
    kinds.Kind("case_accepted", _("case is being printed"), _case_accepted, sample),
    kinds.Kind("case_printed", _("case is ready"), _case_printed, sample),
    kinds.Kind("case_late", _("case takes longer, we keep trying"), _case_late, sample),
    kinds.Kind("case_delayed", _("case not printed, staff are on it"), _case_delayed, sample),
    kinds.Kind("print_unclaimed", _("no machine was chosen"), _unclaimed, sample),
    kinds.Kind("credits_granted", _("credits are there"), _granted, _goods_sample),
    kinds.Kind("plan_began", _("plan has begun"), _plan_began, _goods_sample),
):
    kinds.register(_kind)
