"""Demo trouble: each kind once, the invariants hold with it, and hold again when the desk has put everything right."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.services import seeding as people
from catalog.services import seeding as catalogue
from credits.models import CreditAccount
from credits.services import staff_kinds as credit_kinds
from orders.models import Order
from payments.models import Dispute, PaymentIntent, ReconcileDifference, StatementRun
from payments.services import refunds, switches, trouble, trouble_cases, trouble_designs, watching  # noqa: F401  (registers its own)
from payments.services import staff_kinds as money_kinds
from pimpshop.core import invariants, staff_kinds
from pimpshop.core.models import StaffItem
from vending.models import PrintJob
from vending.services import seeding as machines
from vending.services import watching as machine_watching

pytestmark = pytest.mark.django_db

KINDS = {
    "surplus_payment", "paid_late", "payment_unknown", "payment_mismatch", "external_refund", "refund_failed",
    "dispute_open", "dispute_due", "credits_owed", "inbox_parked", "reconcile_difference", "webhook_endpoint_off",
    "message_not_sent", "gateway_resting", "print_stuck", "print_failed", "machine_offline", "case_not_received",
    "wechat_delivery_not_told", "design_reported",
}  # fmt: skip


@pytest.fixture
def made(settings: Any) -> list[str]:
    settings.SANDBOX = True
    catalogue.seed()
    machines.seed()
    people.seed(fixed_passwords=True)
    names = trouble.seed()
    watching.look_around(), machine_watching.tell_of_silent_machines(), credit_kinds.tell_of_debts()
    return names


def test_each_kind_of_trouble_is_there_once_and_the_books_are_right(made: list[str]) -> None:
    items = list(StaffItem.objects.filter(resolved_at=None).values_list("kind", flat=True))
    assert KINDS - set(items) == set()
    assert [kind for kind in items if not staff_kinds.is_known(kind)] == []
    assert [str(violation) for violation in invariants.violations()] == []
    orders = Order.objects.count()
    assert (trouble.seed(), Order.objects.count()) == ([], orders)
    assert money_kinds.UNKNOWN_KIND in items


def test_every_kind_is_made_or_it_is_said_why_not() -> None:
    kinds = {kind.name for kind in staff_kinds.every()}
    assert set(trouble_cases.NOT_MADE) & KINDS == set()
    assert set(trouble_cases.NOT_MADE) | KINDS == kinds


def test_every_kind_names_acts_that_there_are() -> None:
    """And of what it leads to or what stands beside that, so that its item offers them."""
    known = {act.name for page in admin.site._registry.values() for act in getattr(page, "acts", ())}
    named = {kind.name: kind.acts for kind in staff_kinds.every() if kind.acts}
    assert len(named) > 20
    assert {kind: acts for kind, acts in named.items() if not known.issuperset(acts)} == {}


def test_no_trouble_is_made_on_a_real_shop(settings: Any) -> None:
    settings.SANDBOX = False
    with pytest.raises(CommandError, match="no money moves"):
        call_command("seed_demo", trouble=True)
    assert (Order.objects.count(), StaffItem.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "of_refund", "how"), [("paid_late", False, "posted"), ("refund_failed", True, "paid back another way")]
)  # fmt: skip
def test_what_asked_for_the_money_is_done_when_all_of_it_is_back(
    made: list[str], kind: str, of_refund: bool, how: str
) -> None:
    item = StaffItem.objects.get(kind=kind)
    found = {"refunds__out_refund_no": item.subject} if of_refund else {"out_trade_no": item.subject}
    intent = PaymentIntent.objects.get(**found)
    refund = refunds.request_manual_refund(
        intent=intent, amount_minor=intent.captured_minor, actor="ada", reason="posted", note="posted"
    )
    item.refresh_from_db()
    assert item.resolved_at is None  # written down is not paid back
    refunds.mark_paid_back(refund=refund, actor="ada", note="posted")
    item.refresh_from_db()
    assert (item.resolved_by, item.resolution) == ("ada", how)
    assert [str(violation) for violation in invariants.violations()] == []


def test_a_part_that_is_back_ends_nothing(made: list[str]) -> None:
    item = StaffItem.objects.get(kind="paid_late")
    intent = PaymentIntent.objects.get(out_trade_no=item.subject)
    refund = refunds.request_manual_refund(
        intent=intent, amount_minor=990, actor="ada", reason="posted", note="posted"
    )
    refunds.mark_paid_back(refund=refund, actor="ada", note="posted")
    item.refresh_from_db()
    assert (item.resolved_at, item.resolution) == (None, "")


def test_a_way_to_pay_that_is_switched_on_does_not_wait_for_a_person(made: list[str]) -> None:
    switches.switch(key="airwallex", off=True, actor="ada", reason="for the day")
    item = StaffItem.objects.get(kind="gateway_resting")
    assert item.resolved_at is None
    switches.switch(key="airwallex", off=False, actor="ada", reason="it answers")
    item.refresh_from_db()
    assert (item.resolved_by, item.resolution) == ("ada", "switched on: it answers")


def test_an_item_leads_to_where_it_is_put_right(made: list[str], admin_client: Client) -> None:
    """A debt to the account that credits are given to, a statement to its differences, an order to its case."""
    debt = StaffItem.objects.get(kind="credits_owed")
    page = admin_client.get(reverse("admin:core_staffitem_change", args=[debt.pk])).content.decode()
    bobs = CreditAccount.objects.get(user__email="bob@example.com", kind="user")
    assert f'href="/admin/credits/creditaccount/{bobs.pk}/act/give-credits/"' in page
    [row] = ReconcileDifference.objects.all()
    StatementRun.objects.create(gateway="alipay", account="another", day=row.run.day)
    item = StaffItem.objects.get(kind="reconcile_difference")
    found = admin_client.get(reverse("admin:find"), {"q": item.subject, "kind": "statement"})
    assert found.headers["Location"] == f"/admin/payments/statementrun/{row.run_id}/change/"
    page = admin_client.get(reverse("admin:payments_statementrun_change", args=[row.run_id])).content.decode()
    assert f'href="/admin/payments/reconciledifference/{row.pk}/change/"' in page
    assert "payment that we do not know: DEMO-NOT-OURS" in page
    job = PrintJob.objects.get(order_no=StaffItem.objects.get(kind="case_not_received").subject)
    order = Order.objects.get(order_no=job.order_no)
    page = admin_client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert f'q={job.order_no}%2F1&amp;kind=print+job"' in page


def test_a_dispute_offers_its_evidence_once(made: list[str], admin_client: Client) -> None:
    [dispute] = Dispute.objects.all()
    page = admin_client.get(reverse("admin:payments_dispute_change", args=[dispute.pk])).content.decode()
    assert page.count(f'href="/admin/payments/dispute/{dispute.pk}/evidence/"') == 1
