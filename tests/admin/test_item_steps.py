"""From an item to what puts it right and back: the acts that its kind suggests, of the row and of what stands beside it; what
is said and taken on the item's own page; the open items on the row's."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from payments.models import Dispute, ShippingNotice
from payments.services import disputes
from payments.services import staff_kinds as kinds
from pimpshop.core import staff_items
from pimpshop.core.models import AuditEntry, StaffItem, StaffNote
from tests import factories

pytestmark = pytest.mark.django_db
ITEM = "core_staffitem"


def item(kind: str, subject: str, **data: Any) -> StaffItem:
    staff_items.open_item(kind=kind, subject=subject, title="Look", **data)
    return StaffItem.objects.get(kind=kind, subject=subject)


def offered(desk: Any, row: StaffItem) -> list[str]:
    return [step.href for step in desk.page(ITEM, row).context["steps"]]


def act(model: str, row: Any, name: str) -> str:
    return reverse(f"admin:{model}_act", args=[row.pk, name])


def paid(**more: Any) -> Any:
    return factories.intent(**{"status": "succeeded", "captured_minor": 1999, "settles_order": True, **more})


# --- what is offered
def test_an_item_that_leads_to_another_row_offers_what_is_done_there(admin: Any) -> None:
    """Surplus money: the item is about the payment, its link and its act are those of the refund."""
    refund = factories.refund(kind="manual", status="created")
    path = reverse("admin:payments_refund_change", args=[refund.pk])
    row = item("surplus_payment", refund.intent.out_trade_no, path=path)
    assert offered(admin, row) == [path, act("payments_refund", refund, "mark-paid-back")]


def test_a_refund_that_failed_offers_what_its_payment_allows_step_by_step(admin: Any) -> None:
    intent = paid(gateway="alipay", method="page")
    row = item("refund_failed", factories.refund(of=intent, status="failed").out_refund_no)
    first = offered(admin, row)
    assert first[1:] == [act("payments_paymentintent", intent, name) for name in ("refund", "pay-back")]
    admin.send("payments_paymentintent", intent, "pay-back", reason="by bank")
    by_hand = intent.refunds.get(status="created")
    assert offered(admin, row)[1:] == [act("payments_refund", by_hand, "mark-paid-back")]


def test_a_case_that_hangs_offers_to_pay_its_buyer_back(admin: Any) -> None:
    job = factories.print_job(status="gave_up")
    intent = paid(of=factories.order(order_no=job.order_no), gateway="stripe", method="card")
    hrefs = offered(admin, item("print_stuck", job.reference))
    assert hrefs[1] == act("vending_printjob", job, "send-again")
    assert act("payments_paymentintent", intent, "refund") in hrefs


def test_only_what_somebody_may_do_is_offered_and_it_is_said_when_that_is_nothing(member: Any) -> None:
    refund = factories.refund(kind="manual", status="created")
    path = reverse("admin:payments_refund_change", args=[refund.pk])
    row = item("surplus_payment", refund.intent.out_trade_no, path=path)
    page = member("support").page(ITEM, row)
    assert [step.href for step in page.context["steps"]] == [path]
    assert "Give it to somebody who may" in page.content.decode()
    assert "Give it to somebody who may" not in member("finance").page(ITEM, row).content.decode()


def test_finance_tells_wechat_of_a_delivery_again(member: Any) -> None:
    notice = ShippingNotice.objects.create(
        intent=paid(), logistics_type=3, description="x", next_attempt_at=None, ended_at=timezone.now()
    )  # fmt: skip
    row = item("wechat_delivery_not_told", notice.intent.out_trade_no)
    desk = member("finance")
    assert offered(desk, row)[1:] == [act("payments_shippingnotice", notice, "tell-again")]
    desk.act("payments_shippingnotice", notice, "tell-again")
    notice.refresh_from_db()
    assert (notice.ended_at, notice.next_attempt_at is None) == (None, False)


def test_an_item_that_is_over_offers_nothing_more_and_counts_what_is_left(admin: Any) -> None:
    job = factories.print_job(status="gave_up")
    row, _other = item("print_stuck", job.reference), item("inbox_parked", "x:y")
    staff_items.resolve(row, actor="ada", resolution="done")
    page = admin.page(ITEM, row)
    assert [step.main for step in page.context["steps"]] == [True]
    assert (page.context["still_open"], sorted(page.context["at_once"])) == (1, ["note"])


# --- on the item's own page
def test_what_is_taken_noted_and_resolved_needs_no_page_in_between(admin: Any) -> None:
    row = item("inbox_parked", "x:y")
    page = admin.page(ITEM, row)
    assert sorted(page.context["at_once"]) == ["note", "resolve", "take"]
    assert [str(button["title"]) for button in page.context["actions_detail"]] == ["Give it to somebody"]
    once = page.context["once"]
    admin.client.post(page.context["at_once"]["take"]["path"], {"once": f"{once}-take"})
    for _ in range(2):  # a double click
        admin.client.post(
            page.context["at_once"]["note"]["path"], {"once": f"{once}-note", "reason": "called"}
        )
    row.refresh_from_db()
    assert (row.owner, StaffNote.objects.count()) == ("boss@example.com", 1)
    assert "take" not in admin.page(ITEM, row).context["at_once"]  # it is mine
    admin.client.post(page.context["at_once"]["resolve"]["path"], {"once": f"{once}-resolve", "reason": ""})
    row.refresh_from_db()
    assert row.resolved_at is None
    answer = admin.client.post(
        page.context["at_once"]["resolve"]["path"], {"once": f"{once}-resolve", "reason": "mended"}
    )
    row.refresh_from_db()
    assert (answer.status_code, row.resolution) == (302, "mended")


def test_what_the_provider_said_stands_on_the_page_where_it_said_anything(admin: Any) -> None:
    said = admin.page(ITEM, item("payment_mismatch", "P1", why="amount 30.00 CNY instead of 39.90 CNY"))
    assert "amount 30.00 CNY instead of 39.90 CNY" in said.content.decode()
    assert "field-why" not in admin.page(ITEM, item("payment_mismatch", "P2")).content.decode()


# --- on the row's page
def test_a_row_leads_back_to_its_open_items(admin: Any, viewer: Any) -> None:
    intent = paid(gateway="stripe", method="card")
    refund = factories.refund(of=intent, status="failed")
    failed, late = item("refund_failed", refund.out_refund_no), item("paid_late", intent.out_trade_no)
    over = item("payment_unknown", intent.out_trade_no)
    staff_items.resolve(over, actor="ada", resolution="paid")
    hrefs = [row["href"] for row in admin.page("payments_paymentintent", intent).context["waiting"]]
    assert hrefs == [reverse("admin:core_staffitem_change", args=[row.pk]) for row in (failed, late)]
    assert f'href="{hrefs[0]}"' in admin.page("payments_refund", refund).content.decode()
    stranger = viewer("payments.view_paymentintent").page("payments_paymentintent", intent)
    assert stranger.context["waiting"] == []


# --- a dispute that was answered elsewhere
def test_a_dispute_that_was_answered_elsewhere_waits_for_the_bank_alone(member: Any) -> None:
    dispute = Dispute.objects.create(intent=paid(), provider_ref="dp_1", amount_minor=1999, currency="GBP")
    due, open_ = item(kinds.DUE_KIND, "dp_1"), item(disputes.OPEN_KIND, "dp_1")
    desk = member("finance")
    assert act("payments_dispute", dispute, "was-answered") in offered(desk, due)
    desk.send("payments_dispute", dispute, "was-answered", reason="sent in Alipay's pages")
    dispute.refresh_from_db()
    assert dispute.status == "under_review"
    for row in (due, open_):
        row.refresh_from_db()
        assert (row.resolved_by, row.resolution) == (desk.user.email, "answered: sent in Alipay's pages")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "dispute answered elsewhere", "dp_1", "sent in Alipay's pages",
    )  # fmt: skip
    with pytest.raises(disputes.NotOpen):
        disputes.mark_answered(dispute=dispute, actor="ada", reason="again")
    assert AuditEntry.objects.count() == 1


def test_who_may_not_change_disputes_does_not_answer_them(member: Any) -> None:
    dispute = Dispute.objects.create(intent=paid(), provider_ref="dp_1", amount_minor=1999, currency="GBP")
    assert member("support").act("payments_dispute", dispute, "was-answered", "x").status_code == 403
    dispute.refresh_from_db()
    assert (dispute.status, AuditEntry.objects.count()) == ("opened", 0)
