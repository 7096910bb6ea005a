"""Writers and senders of messages to buyers killed (SIGKILL) at each boundary: nothing is lost, and nothing is told twice but
where a mail server's yes and our mark cannot be one (ADR 17): then under the same Message-ID.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orders.models import OrderEvent
from orders.services import news
from payments.models import PaymentIntent, RefundEvent
from payments.services import news as refund_news
from payments.services import settlement
from pimpshop.core.models import Notification, StaffItem
from pimpshop.core.notifications import outbox
from tests import factories
from tests.support import workers
from tests.support.bought import ask, bought, end, pay, told
from tests.support.shop import assert_invariants, later, sweep
from tests.support.workers import Point, after, before

pytestmark = pytest.mark.django_db(transaction=True)

_OUTBOX = "pimpshop.core.notifications.outbox"
_NEWS = "orders.services.news"


@pytest.fixture
def letters(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mail server whose letter box is a directory, which dead processes have filled too."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    yield tmp_path
    assert_invariants()


def arrived(box: Path) -> list[tuple[str, str]]:
    """(subject, Message-ID) of each mail that was handed over, oldest first."""
    found = []
    for path in sorted(box.iterdir(), key=lambda one: one.stat().st_mtime_ns):
        for text in path.read_text().split("-" * 79):
            if text.strip():
                message = email.message_from_string(text.strip(), policy=email.policy.default)
                found.append((str(message["Subject"]), str(message["Message-ID"])))
    return found


def restart() -> None:
    """New workers; every right of the dead has ended."""
    with later(seconds=310):
        sweep()
    with later(seconds=330):
        sweep()


WRITING = [
    before(f"{_NEWS}:_of_order"),
    after(f"{_OUTBOX}:write"),
    before("pimpshop.core.bell:ring"),
    before("pimpshop.core.bell:_send"),  # committed, nobody heard
    after(f"{_NEWS}:write_due"),
]


@pytest.mark.parametrize("point", WRITING, ids=str)
def test_a_writer_killed_anywhere_loses_and_doubles_nothing(letters: Path, point: Point) -> None:
    pay(bought(user=factories.user()))
    workers.dies(lambda: news.write_due(), point)
    written = Notification.objects.count()
    untold = OrderEvent.objects.filter(told=False, to_status__in=["paid", "completed"]).count()
    assert (written, untold) in [(0, 2), (1, 0)]
    restart()
    assert [subject for subject, _ in arrived(letters)] == ["Paid: 500 credits on your account"]
    assert list(Notification.objects.values_list("outcome", "attempts")) == [("sent", 1)]


def test_a_settler_killed_right_after_its_commit_is_told_of_all_the_same(letters: Path) -> None:
    intent = bought(user=factories.user())
    workers.dies(
        lambda: settlement.apply_result(intent, told(intent), source="webhook"),
        after("payments.services.settlement:apply_result"),
    )
    assert PaymentIntent.objects.get().status == "succeeded"
    assert Notification.objects.count() == 0
    restart()
    assert [subject for subject, _ in arrived(letters)] == ["Paid: 500 credits on your account"]


@pytest.mark.parametrize(
    "point", [after(f"{_OUTBOX}:write"), before("pimpshop.core.bell:_send"), after("payments.services.news:write_due")],
    ids=str,
)  # fmt: skip
def test_a_writer_of_refunds_killed_loses_and_doubles_nothing(letters: Path, point: Point) -> None:
    intent = bought(user=factories.user())
    pay(intent)
    restart()
    end(ask(intent), "succeeded")
    workers.dies(lambda: refund_news.write_due(), point)
    restart()
    assert [subject for subject, _ in arrived(letters)][1:] == ["Your money was given back: CN¥39.90"]
    assert not RefundEvent.objects.filter(told=False, to_status__in=["created", "succeeded"]).exists()


#: Where a sender dies, how often the mail server has the mail then, and in the end.
SENDING = [
    (before(f"{_OUTBOX}:_take"), 0, 1),
    (after(f"{_OUTBOX}:_take"), 0, 1),
    (before("pimpshop.core.notifications.letters:write"), 0, 1),
    (before("django.core.mail:EmailMultiAlternatives.send"), 0, 1),
    (after("django.core.mail:EmailMultiAlternatives.send"), 1, 2),  # its yes was heard by nobody
    (before(f"{_OUTBOX}:_end"), 1, 2),
    (after(f"{_OUTBOX}:_end"), 1, 1),
    (after(f"{_OUTBOX}:send"), 1, 1),
]


@pytest.mark.parametrize(("point", "then", "times"), SENDING, ids=str)
def test_a_sender_killed_anywhere_loses_nothing_and_keeps_the_message_id(
    letters: Path, point: Point, then: int, times: int
) -> None:
    pay(bought(user=factories.user()))
    news.write_due()
    row = Notification.objects.get()
    workers.dies(lambda: outbox.send(row.pk), point)
    assert len(arrived(letters)) == then
    restart()
    mails = arrived(letters)
    assert len(mails) == times
    assert len(set(mails)) == 1
    row.refresh_from_db()
    assert (row.outcome, row.due_at, StaffItem.objects.count()) == ("sent", None, 0)


def test_nobody_else_sends_before_the_right_of_the_dead_has_ended(letters: Path) -> None:
    pay(bought(user=factories.user()))
    news.write_due()
    row = Notification.objects.get()
    workers.dies(lambda: outbox.send(row.pk), after("django.core.mail:EmailMultiAlternatives.send"))
    with later(seconds=280):
        sweep()
    assert len(arrived(letters)) == 1
