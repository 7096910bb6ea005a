"""Giving back at each of the four gateways: in part, in full, slowly, in vain, and behind our back; and disputes.

GUARANTEES 11, 12, 14, 15, 18: the row stands before the call, a refund is asked about to its end however long it takes,
one that fails re-opens, and what was done in the provider's own pages is recorded for staff.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from credits import selectors as credits
from payments.models import Dispute, PaymentIntent, Refund
from payments.services import inbox, refunds
from pimpshop.core.models import StaffItem
from tests.support.online import GATEWAYS, Online, let_pass, settle_down, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox]
each_gateway = pytest.mark.parametrize("gateway", GATEWAYS)
#: Gateways whose refunds take their time; Alipay's are done at once.
SLOW = ("stripe", "airwallex", "wechatpay")
REFUND_PENDING, REFUND_FAILS = "4000000000007726", "4000000000005126"


def give_back(intent: PaymentIntent, minor: int | None = None) -> Refund:
    return refunds.request_refund(
        intent=intent, amount_minor=minor, origin="staff", actor="ada", reason="requested", source="admin"
    )


def stands(intent: PaymentIntent) -> tuple[str, str, int, int]:
    intent.refresh_from_db()
    intent.order.refresh_from_db()
    return intent.order.status, intent.status, intent.refund_reserved_minor, intent.refunded_minor


def to_the_end(online: Online) -> None:
    """Ask until nothing is on its way any more."""
    for _ in range(8):
        settle_down(seconds=40, rounds=1)
        if not Refund.objects.filter(status__in=("created", "pending")).exists():
            return
        online.breathe()
    raise AssertionError(list(Refund.objects.values_list("status", "error_code")))


@each_gateway
def test_a_part_and_then_the_rest(online: Online, gateway: str) -> None:
    intent = online.paid(gateway)
    part = give_back(intent, 1330)
    assert stands(intent) == ("completed", "succeeded", 1330, 0)
    assert online.refunds(gateway) == []  # the row stands before the call
    to_the_end(online)
    assert stands(intent) == ("completed", "partially_refunded", 1330, 1330)
    assert credits.balance(intent.order.user_id) == 500 - 166
    rest = give_back(intent)
    to_the_end(online)
    assert stands(intent) == ("refunded", "refunded", 3990, 3990)
    assert credits.balance(intent.order.user_id) == 0
    assert online.refunds(gateway) == [1330, 2660]
    assert [part.out_refund_no, rest.out_refund_no] == [f"{intent.out_trade_no}_R{n}" for n in (1, 2)]
    with pytest.raises(refunds.AlreadyRefunded):
        give_back(intent, 1)
    assert online.refunds(gateway) == [1330, 2660]


@pytest.mark.parametrize("gateway", SLOW)
def test_five_days_on_its_way_and_asked_about_to_the_end(online: Online, gateway: str) -> None:
    intent = paid_slowly(online, gateway)
    refund = give_back(intent)
    sweep()
    for _ in range(20):
        let_pass(hours=6)
        before = online.asked()
        sweep()
        assert online.asked() > before
        refund.refresh_from_db()
        assert (refund.status, refund.next_query_at is None) == ("pending", False)
    online.end_refunds()
    settle_down(seconds=7 * 3600, rounds=1)
    assert stands(intent) == ("refunded", "refunded", 3990, 3990)
    assert online.refunds(gateway) == [3990]
    assert not StaffItem.objects.exists()


def paid_slowly(online: Online, gateway: str) -> PaymentIntent:
    """Paid, and a refund of it stays on its way for longer than the test runs."""
    forever = 9000
    online.sandbox.knobs(
        wechat_refund_seconds=forever, airwallex_settle_seconds=forever, stripe_settle_seconds=forever
    )
    if gateway == "stripe":
        return online.paid(gateway, method="card", card=REFUND_PENDING)
    return online.paid(gateway)


@pytest.mark.parametrize(
    ("gateway", "fault"),
    [("stripe", ""), ("airwallex", "refund_failed"), ("wechatpay", "refund_closed")],
)
def test_a_refund_that_fails_later_reopens_and_tells_staff(online: Online, gateway: str, fault: str) -> None:
    """At Stripe it was done already when the bank sends it back: only a post says so."""
    if gateway == "stripe":
        intent = online.paid(gateway, method="card", card=REFUND_FAILS)
    else:
        intent = online.paid(gateway)
        online.fault(gateway, fault, count=1)
    refund = give_back(intent)
    to_the_end(online)
    if gateway == "stripe":
        assert stands(intent) == ("refunded", "refunded", 3990, 3990)
        (post,) = online.box.wait(about='"refund.failed"')
        assert post.deliver() == 200
        work_on_events()
    refund.refresh_from_db()
    assert refund.status == "failed"
    sweep()
    assert stands(intent) == ("completed", "succeeded", 0, 0)
    assert credits.balance(intent.order.user_id) == 500
    assert [item.kind for item in StaffItem.objects.filter(resolved_at=None)] == ["refund_failed"]
    assert online.refunds(gateway) == []


def test_a_refund_that_the_bank_does_not_take_is_put_before_staff_once(online: Online) -> None:
    """WeChat Pay's ABNORMAL is no end: people send it elsewhere there. It is asked about meanwhile."""
    intent = online.paid("wechatpay")
    online.fault("wechatpay", "refund_abnormal", count=1)
    refund = give_back(intent)
    sweep()
    online.breathe()
    for _ in range(3):
        settle_down(seconds=40, rounds=1)
    refund.refresh_from_db()
    assert (refund.status, refund.next_query_at is None) == ("pending", False)
    assert stands(intent) == ("completed", "succeeded", 3990, 0)
    (item,) = StaffItem.objects.all()
    assert (item.kind, item.subject, item.resolved_at) == ("refund_stuck", refund.out_refund_no, None)


def work_on_events() -> None:
    for pk in inbox.due():
        inbox.process(pk)


@pytest.mark.parametrize("gateway", ["stripe", "alipay"])
def test_a_refund_made_in_the_providers_own_pages_is_recorded(online: Online, gateway: str) -> None:
    intent = online.paid(gateway)
    online.forget_posts()
    if gateway == "stripe":
        online.control(f"stripe/intents/{intent.transaction_ref}/refund", amount=1995)
        online.box.wait(2)
    else:
        online.control(f"alipay/trades/{intent.out_trade_no}/refund", amount=str(Decimal("19.95")))
        online.box.wait()
    for post in (*online.box.posts, *reversed(online.box.posts)):
        assert post.deliver() == 200
        work_on_events()
    refund = Refund.objects.get()
    assert (refund.origin, refund.status, refund.amount_minor) == ("provider", "succeeded", 1995)
    assert stands(intent) == ("completed", "partially_refunded", 1995, 1995)
    assert credits.balance(intent.order.user_id) == 250
    assert [item.kind for item in StaffItem.objects.all()] == ["external_refund"]


@pytest.mark.parametrize(("won", "left"), [(True, 500), (False, 0)])
def test_a_dispute_blocks_refunds_until_the_bank_decides(online: Online, won: bool, left: int) -> None:
    intent = online.paid("stripe")
    online.forget_posts()
    dispute = online.control(f"stripe/intents/{intent.transaction_ref}/dispute")
    hear(online, 2)
    row = Dispute.objects.get()
    assert (row.status, row.amount_minor, row.deadline is None) == ("opened", 3990, False)
    assert credits.balance(intent.order.user_id) == 0
    with pytest.raises(refunds.RefundBlocked):
        give_back(intent)
    online.control(f"stripe/disputes/{dispute['id']}/decide", won=won)
    hear(online, 2 if won else 1)
    row.refresh_from_db()
    assert row.status == ("won" if won else "lost")
    sweep()
    assert credits.balance(intent.order.user_id) == left
    assert [item.kind for item in StaffItem.objects.filter(resolved_at=None)] == (
        [] if won else ["dispute_lost"]
    )
    assert not Refund.objects.exists()


def hear(online: Online, count: int) -> None:
    """Hand the next posts on, twice each, the last one first."""
    posts = online.box.wait(count)[::-1]
    online.box.posts.clear()
    for post in posts * 2:
        assert post.deliver() == 200
        work_on_events()
