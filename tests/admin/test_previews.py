"""What an act would move is shown before it is done, and what was shown is what is done, or nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from credits import selectors as credits
from payments.models import PaymentIntent, Refund
from pimpshop.core.models import AuditEntry, StaffMove
from tests import factories
from tests.support.bought import bought, pay
from tests.support.spending import attempt, money_comes, order, shopper
from vending.models import PrintJob

pytestmark = pytest.mark.django_db
PAYMENT = "payments_paymentintent"


def paid(**more: Any) -> PaymentIntent:
    values = {
        "status": "succeeded",
        "captured_minor": 1999,
        "settles_order": True,
        "gateway": "stripe",
        "method": "card",
    }
    return factories.intent(**(values | more))


def nothing_moved(intent: PaymentIntent) -> bool:
    intent.refresh_from_db()
    return (intent.refund_reserved_minor, Refund.objects.count(), AuditEntry.objects.count(), StaffMove.objects.count()) == (
        0, 0, 0, 0,
    )  # fmt: skip


def test_a_refund_says_which_card_gets_how_much_and_what_stays(admin: Any) -> None:
    intent = paid(method_details={"method_type": "card", "card_brand": "visa", "last_four": "4242"})
    assert admin.shown(PAYMENT, intent, "refund") == ["£19.99 goes back to: the card ending 4242 (visa)."]
    assert admin.shown(PAYMENT, intent, "refund", amount="5") == [
        "£5.00 goes back to: the card ending 4242 (visa).",
        "£14.99 of this payment stays.",
    ]
    assert nothing_moved(intent)


def test_the_first_look_shows_it_too_before_anything_is_typed(admin: Any) -> None:
    html = admin.client.get(f"/admin/payments/paymentintent/{paid().pk}/act/refund/").content.decode()
    assert "£19.99 goes back to: Card." in html
    assert "What will happen" in html
    assert 'name="show"' in html


def test_credits_that_were_spent_are_told_as_a_debt_and_become_one(admin: Any) -> None:
    alice = shopper(0)
    intent = bought(user=alice)
    pay(intent)
    from credits.services import ledger

    ledger.spend(user_id=alice.pk, amount=300, reference="S1")
    lines = admin.shown(PAYMENT, intent, "pay-back")
    assert lines[1:] == [
        "500 credits are taken back.",
        "300 credits of them are spent already: they stay as a debt.",
    ]
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (200, 0)
    assert admin.act(PAYMENT, intent, "pay-back", "smeared").status_code == 302
    assert (credits.balance(alice.pk), credits.debt(alice.pk)) == (0, 300)


@pytest.mark.parametrize(
    ("status", "line", "confirm"),
    [
        ("submitting", "is not sent any more", ""),
        ("waiting", "is not sent any more", ""),
        ("failed", "is cancelled when the money is back", ""),
        ("printing", "cannot be stopped from here", "looked at the machine"),
        ("collected", "keeps the case and gets the money", "offered another print"),
    ],
)
def test_what_becomes_of_the_case_is_told_by_its_state(
    admin: Any, status: str, line: str, confirm: str
) -> None:
    intent = paid()
    job = factories.print_job(order_no=intent.order.order_no, status=status, queue_no="004", due_at=None)
    page = admin.client.get(f"/admin/payments/paymentintent/{intent.pk}/act/pay-back/")
    shown = page.context["shown"]
    assert "004" in shown.lines[-1]
    assert line in shown.lines[-1]
    assert confirm in shown.confirm
    assert bool(shown.confirm) is bool(confirm)
    again = f"/admin/vending/printjob/{job.pk}/act/reprint/"
    assert (again in page.content.decode()) is (status == "collected")


def test_what_is_to_be_ticked_must_be_ticked(admin: Any) -> None:
    intent = paid()
    factories.print_job(order_no=intent.order.order_no, status="printing", due_at=None)
    unticked = admin.send(PAYMENT, intent, "pay-back", reason="smeared", sure="")
    assert unticked.status_code == 200
    assert nothing_moved(intent)
    assert admin.send(PAYMENT, intent, "pay-back", reason="smeared").status_code == 302
    assert Refund.objects.get().amount_minor == 1999


@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_without_having_seen_it_nothing_is_done(admin: Any, seen: str) -> None:
    intent = paid(gateway="machine")
    answer = admin.client.post(
        f"/admin/payments/paymentintent/{intent.pk}/act/pay-back/", {"reason": "smeared", "seen": seen}
    )
    assert answer.status_code == 200
    assert "£19.99 is written down" in answer.content.decode()
    assert nothing_moved(intent)


def test_an_amount_that_was_changed_after_the_look_is_shown_first(admin: Any) -> None:
    intent = paid(gateway="machine")
    factories_rate(intent)
    seen = admin.seen(PAYMENT, intent, "refund", amount="5")
    page = f"/admin/payments/paymentintent/{intent.pk}/act/refund/"
    answer = admin.client.post(page, {"reason": "late", "amount": "15", "seen": seen})
    assert answer.status_code == 200
    assert answer.context["shown"].lines[0].startswith("£15.00 goes back")
    assert nothing_moved(intent)


def factories_rate(intent: PaymentIntent) -> None:
    """A payment that a provider gives back."""
    PaymentIntent.objects.filter(pk=intent.pk).update(gateway="stripe", method="card")


def test_what_moved_meanwhile_is_shown_anew_instead_of_done(admin: Any) -> None:
    intent = paid(gateway="machine")
    seen = admin.seen(PAYMENT, intent, "pay-back")
    factories.refund(intent, amount_minor=500)
    page = f"/admin/payments/paymentintent/{intent.pk}/act/pay-back/"
    answer = admin.client.post(page, {"reason": "smeared", "seen": seen})
    assert answer.status_code == 200
    assert answer.context["shown"].lines[0].startswith("A refund of £14.99 is written down")
    assert (Refund.objects.count(), AuditEntry.objects.count()) == (1, 0)


def test_the_case_that_moved_on_meanwhile_is_shown_anew(admin: Any) -> None:
    intent = paid(gateway="machine")
    job = factories.print_job(order_no=intent.order.order_no)
    seen = admin.seen(PAYMENT, intent, "pay-back")
    PrintJob.objects.filter(pk=job.pk).update(status="accepted")
    page = f"/admin/payments/paymentintent/{intent.pk}/act/pay-back/"
    answer = admin.client.post(page, {"reason": "smeared", "seen": seen, "sure": "on"})
    assert (answer.status_code, Refund.objects.count()) == (200, 0)


def test_a_double_click_moves_once(admin: Any) -> None:
    intent = paid(gateway="machine")
    seen = admin.seen(PAYMENT, intent, "pay-back")
    sent = {"reason": "smeared", "seen": seen, "once": "this form"}
    page = f"/admin/payments/paymentintent/{intent.pk}/act/pay-back/"
    assert [admin.client.post(page, sent).status_code for _ in range(2)] == [302, 302]
    assert (Refund.objects.count(), StaffMove.objects.count()) == (1, 1)


def test_too_much_says_why_where_the_preview_would_stand(admin: Any) -> None:
    intent = attempt(order(shopper(0)))
    money_comes(intent)
    page = f"/admin/payments/paymentintent/{intent.pk}/act/refund/"
    answer = admin.client.post(page, {"show": "1", "amount": "500"})
    assert "more than what is left" in answer.content.decode()
    answer = admin.client.post(page, {"reason": "r", "amount": "no", "seen": "x"})
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("typed", ["1,5", "19,99", "-1", "1e3", "0", "1.999"])
def test_an_amount_that_may_be_another_pays_nothing_back(admin: Any, typed: str) -> None:
    intent = paid()
    page = f"/admin/payments/paymentintent/{intent.pk}/act/refund/"
    answer = admin.client.post(page, {"show": "1", "amount": typed})
    assert "Nothing was changed." in answer.context["trouble"]
    admin.client.post(page, {"reason": "r", "amount": typed, "seen": "x"})
    assert nothing_moved(intent)


def test_chinese_staff_and_english_staff_see_the_same_act(admin: Any) -> None:
    """The fingerprint is of the English words, whoever reads."""
    intent = paid(gateway="machine")
    seen = admin.seen(PAYMENT, intent, "pay-back")
    admin.client.cookies["django_language"] = "zh-hans"
    assert admin.seen(PAYMENT, intent, "pay-back") == seen
