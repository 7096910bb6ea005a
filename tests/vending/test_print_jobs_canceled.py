"""What staff may do to a print job that went wrong: cancel it, send it again, or see it go on by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from payments.services import refunds
from pimpshop.core.models import AuditEntry, StaffItem
from tests import factories
from tests.support.manufacturer import Manufacturer
from vending.models import PrintJob
from vending.services import print_jobs, print_steps

pytestmark = pytest.mark.django_db


def cancel(job: PrintJob) -> None:
    print_jobs.cancel_job(job=job, actor="support@example.com", reason="the customer left")


@pytest.mark.parametrize("status", ["waiting", "announcing", "confirming", "submitting", "failed", "gave_up"])
def test_what_the_machine_has_not_taken_can_be_cancelled(status: str) -> None:
    job = factories.print_job(status=status, due_at=timezone.now())
    cancel(job)
    job.refresh_from_db()
    assert (job.status, job.due_at) == ("canceled", None)
    item = StaffItem.objects.get(resolved_at=None)
    assert (item.kind, item.subject) == ("print_canceled", job.reference)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason) == (
        "support@example.com",
        "cancel print job",
        "the customer left",
    )


@pytest.mark.parametrize("status", ["accepted", "printing", "printed", "collected", "canceled"])
def test_what_the_machine_has_cannot_be_cancelled(status: str) -> None:
    job = factories.print_job(status=status, accepted_at=timezone.now())
    with pytest.raises(print_jobs.CannotCancel):
        cancel(job)
    job.refresh_from_db()
    assert job.status == status
    assert not StaffItem.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_step_that_is_being_sent_cannot_be_cancelled() -> None:
    job = factories.print_job(status="submitting", leased_until=timezone.now() + timedelta(seconds=60))
    with pytest.raises(print_jobs.CannotCancel):
        cancel(job)
    job.refresh_from_db()
    assert job.status == "submitting"


def test_paying_back_in_full_cancels_what_is_not_printed() -> None:
    order = factories.order(status="paid", paid_at=timezone.now())
    intent = factories.intent(order, status="succeeded", captured_minor=order.total_minor,
                              amount_minor=order.total_minor, settles_order=True)  # fmt: skip
    job = factories.print_job(order_no=order.order_no, reference=f"{order.order_no}/1", status="gave_up")
    refund = refunds.request_manual_refund(
        intent=intent, amount_minor=order.total_minor, actor="finance@example.com", reason="not printed"
    )
    refunds.mark_paid_back(refund=refund, actor="finance@example.com", note="cash")
    job.refresh_from_db()
    order.refresh_from_db()
    assert (job.status, order.status) == ("canceled", "refunded")
    assert not StaffItem.objects.filter(resolved_at=None).exists()


def test_a_failed_print_that_the_machine_takes_up_again_is_noticed() -> None:
    job = factories.print_job(status="failed", provider_status="13", third_order_id="OREN261120000001",
                              accepted_at=timezone.now(), due_at=timezone.now(), queue_no="9578",
                              manufacturer_order_id="MSOR1")  # fmt: skip
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        manufacturer = Manufacturer(mock)
        manufacturer.orders["OREN261120000001"] = 8
        assert print_steps.advance_job(job.pk)
        job.refresh_from_db()
        assert (job.status, job.provider_status) == ("failed", "8")
        with pytest.raises(print_jobs.CannotSendAgain):
            print_jobs.send_again(job=job, actor="support@example.com", reason="once more")
        PrintJob.objects.update(due_at=timezone.now())
        manufacturer.orders["OREN261120000001"] = 12
        assert print_steps.advance_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.third_order_id) == ("printed", "OREN261120000001")
    assert manufacturer.bodies("order/orderData") == []
