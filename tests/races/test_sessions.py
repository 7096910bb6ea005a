"""Many people at one machine: five sessions, one phone each, one frozen design; and summaries against late payments."""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.test import Client

from catalog.models import Design
from catalog.services import designs
from orders.models import Order
from payments.gateways import base
from payments.models import PaymentIntent
from payments.services import settlement, sync
from tests.support import images
from tests.support.shop import Shop, sweep
from tests.support.threads import together
from vending.models import PrintJob, VendingSession
from vending.services import sessions


def test_twenty_create_five_sessions(shop: Shop) -> None:
    def create(n: int) -> tuple[int, str | None]:
        answer = Client().post(
            "/api/vending/create-session",
            {"machine_id": shop.machine.machine_id},
            content_type="application/json",
        )
        return answer.status_code, answer.headers.get("Retry-After")

    answers = together(20, create)
    assert sorted(status for status, _ in answers) == [200] * 5 + [429] * 15
    waits = {int(wait or 0) for status, wait in answers if status == 429}
    assert waits == {120}
    assert VendingSession.objects.count() == 5


def test_of_twenty_phones_one_gets_the_session(shop: Shop) -> None:
    session = shop.session()

    def scan(n: int) -> tuple[int, str]:
        answer = Client().post(
            f"/api/vending/session/{session.session_id}/register-user",
            {"machine_id": shop.machine.machine_id, "session_id": session.session_id},
            content_type="application/json",
        )
        return answer.status_code, answer.json().get("session_token", "")

    answers = together(20, scan)
    assert sorted(status for status, _ in answers) == [200] + [409] * 19
    [token] = [token for status, token in answers if status == 200]
    session.refresh_from_db()
    assert sessions.holds_claim(session, token)
    assert session.events.filter(to_status="qr_scanned").count() == 1


def test_a_design_is_frozen_once(shop: Shop) -> None:
    design = designs.design_from_picture(
        owner="session:x", shell=shop.shell, picture=images.photo(600, 1200, image_format="PNG"),
        accept_low_resolution=True,
    )  # fmt: skip
    frozen = together(4, lambda n: designs.freeze(Design.objects.get(pk=design.pk)))
    assert len({(one.print_sha256, one.print_file.name, one.frozen_at) for one in frozen}) == 1
    assert designs.verify_print(frozen[0])


def test_eight_equal_summaries_are_one_order(shop: Shop) -> None:
    session = shop.session()
    orders = together(
        8, lambda n: shop.ordered(session=VendingSession.objects.get(pk=session.pk)).order.order_no
    )
    assert len(set(orders)) == 1
    assert Order.objects.count() == 1


def test_eight_different_summaries_leave_one_order_open(shop: Shop) -> None:
    session = shop.session()

    def summary(n: int) -> None:
        shop.ordered(session=VendingSession.objects.get(pk=session.pk), content=f"design {n}")

    together(8, summary)
    session.refresh_from_db()
    assert Order.objects.count() == 8
    [still_open] = Order.objects.filter(status="pending")
    assert session.order_no == still_open.order_no


@pytest.mark.parametrize("number", range(3))
def test_a_late_payment_and_a_new_summary_do_not_block_each_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Both want the order and the session. Each pauses between its first and its second row: taken in the same order
    nobody waits for ever; in different orders PostgreSQL would end one of them (deadlock detected)."""
    first = shop.paying()
    shop.manufacturer.payments[first.third_id] = 4
    sync.check_now(intent=first.intent, source="poll")
    meet = threading.Barrier(2)

    def pausing(function: object) -> object:
        def paused(*args: object, **more: object) -> object:
            with contextlib.suppress(threading.BrokenBarrierError):
                meet.wait(0.5)
            return function(*args, **more)  # type: ignore[operator]

        return paused

    monkeypatch.setattr(sessions, "mark_paid", pausing(sessions.mark_paid))
    monkeypatch.setattr(sessions, "record_summary", pausing(sessions.record_summary))

    def act(n: int) -> str:
        if n:
            result = base.PaymentResult(status=base.PaymentStatus.SUCCEEDED, provider_status="3")
            intent = PaymentIntent.objects.get(pk=first.intent.pk)
            return settlement.apply_result(intent, result, source="webhook")
        try:
            return shop.ordered(
                session=VendingSession.objects.get(pk=first.session.pk), content="other"
            ).order.status
        except sessions.SummaryDiffers:
            return "paid before"

    shop.manufacturer.pays(first.third_id)
    answers = together(2, act)
    assert answers[1] == "settled"
    assert answers[0] in ("pending", "paid before")
    sweep()
    first.refresh()
    assert (first.order.status, first.session.status) == ("paid", "payment_completed")
    assert [job.order_no for job in PrintJob.objects.all()] == [first.order.order_no]
    assert first.session.order_no == first.order.order_no


def test_cancel_and_pay_together(shop: Shop) -> None:
    """Whoever is first: the money is honoured, and the session ends as paid."""
    for number in range(6):
        one = shop.taken(content=str(number))

        def act(n: int, one: object = one) -> None:
            if n:
                sync.check_now(intent=PaymentIntent.objects.get(pk=one.intent.pk), source="poll")  # type: ignore[attr-defined]
                return
            Client().post(
                f"/api/vending/session/{one.session.session_id}/cancel", content_type="application/json"
            )  # type: ignore[attr-defined]

        together(2, act)
        sweep()
        one.refresh()
        assert (one.intent.status, one.order.status, one.session.status) == (
            "succeeded",
            "paid",
            "payment_completed",
        )
        assert one.job().status == "accepted"


def test_a_summary_and_init_payment_together_never_bill_another_order(shop: Shop) -> None:
    """The second summary arrives while the first one is being paid for: the payment is for the order of the session."""
    from payments.services import intents, machine_payments

    for number in range(6):
        one = shop.ordered(content=f"{number} a")

        def act(n: int, one: object = one, number: int = number) -> None:
            session = VendingSession.objects.get(pk=one.session.pk)  # type: ignore[attr-defined]
            try:
                if n:
                    machine_payments.start_machine_payment(session, source="api")
                else:
                    shop.ordered(session=session, content=f"{number} b")
            except (sessions.SummaryDiffers, intents.SessionMoved):
                pass

        together(2, act)
        one.session.refresh_from_db()
        started = PaymentIntent.objects.filter(order__session_id=one.session.session_id)
        assert {intent.order.order_no for intent in started} <= {one.session.order_no}
        assert Order.objects.get(order_no=one.session.order_no).status == "pending"
        sessions.cancel_session(session=one.session, source="test")  # the machine is free for the next round
