"""Notifications leave their rows once: taken by one sender, tried again with back-off, given up with a staff item."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import timezone

from pimpshop.core import sweeper
from pimpshop.core.http import OpenTransaction
from pimpshop.core.models import AuditEntry, Notification, StaffItem
from pimpshop.core.notifications import kinds, letters, outbox
from pimpshop.core.notifications.mail import NotSent
from tests.support.threads import together

pytestmark = pytest.mark.django_db

TO = kinds.Addressee(email="alice@example.com")


@pytest.fixture(autouse=True)
def letters_about(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """One kind, `case_late`, whose letter is what the test puts here."""
    told: dict[str, Any] = {
        "letter": kinds.Letter(TO, "en", {"place": "Kiosk", "what": "iPhone", "order_no": "P1"})
    }
    kind = kinds.Kind("case_late", "late", lambda note: told["letter"], dict)
    monkeypatch.setitem(kinds._kinds, "case_late", kind)
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    return told


def note(reference: str = "P1", **more: Any) -> Notification:
    return Notification.objects.create(**{"reference": reference, "kind": "case_late", **more})


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(self: EmailMessage, fail_silently: bool = False) -> int:
        raise error

    monkeypatch.setattr(EmailMessage, "send", refuse)


def again() -> Notification:
    return Notification.objects.get()


def test_a_message_is_sent_once_and_marked() -> None:
    row = note()
    assert outbox.send_due() == 1
    assert outbox.send_due() == 0
    [message] = mail.outbox
    assert (message.to, message.subject) == (["alice@example.com"], "Your case takes a little longer")
    assert message.extra_headers == {
        "Message-ID": f"<notification-{row.pk}-0@127.0.0.1>", "Auto-Submitted": "auto-generated",
    }  # fmt: skip
    assert message.attachments == []
    row.refresh_from_db()
    assert (row.outcome, row.channel, row.recipient, row.attempts) == ("sent", "mail", "alice@example.com", 1)
    assert row.due_at is None
    assert row.sent_at is not None


def test_a_second_row_of_the_same_kind_is_refused_by_the_database() -> None:
    note()
    with pytest.raises(IntegrityError), transaction.atomic():
        note()
    assert outbox.write([Notification(reference="P1", kind="case_late")]) == 1
    assert Notification.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_senders_send_each_row_once() -> None:
    rows = [note(f"P{number}").pk for number in range(12)]
    taken = together(4, lambda number: [outbox.send(pk) for pk in rows])
    assert sum(map(sum, taken)) == 12
    assert len(mail.outbox) == 12
    assert Notification.objects.filter(outcome="sent", attempts=1).count() == 12


@pytest.mark.parametrize(
    ("letter", "outcome"),
    [(None, "overtaken"), (kinds.Letter(kinds.Addressee(), "en"), "nobody")],
    ids=["overtaken", "nobody to tell"],
)
def test_what_is_not_to_be_said_ends_without_a_mail(
    letters_about: dict[str, Any], letter: kinds.Letter | None, outcome: str
) -> None:
    letters_about["letter"] = letter
    note()
    assert outbox.send_due() == 1
    assert (again().outcome, again().due_at, again().sent_at, mail.outbox) == (outcome, None, None, [])


def test_a_kind_without_words_is_only_shown() -> None:
    note(kind="something_else")
    outbox.send_due()
    assert (again().outcome, again().due_at, mail.outbox) == ("shown", None, [])


def test_nothing_is_sent_inside_a_transaction() -> None:
    row = note()
    with pytest.raises(OpenTransaction), transaction.atomic():
        outbox.mail.send(outbox.letters.write("case_late", "en", {}), to="a@example.com", message_id="<1@x>")
    with transaction.atomic():
        assert outbox.send(row.pk) is True  # it is put off, as after any error
    assert mail.outbox == []
    row.refresh_from_db()
    assert (row.sent_at, row.last_error) == (None, "failed: OpenTransaction")


def test_a_server_that_is_out_is_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = note(), note("P2")
    with monkeypatch.context() as out:
        broken(out, ConnectionRefusedError())
        assert outbox.send_due() == 1  # the second one is not tried: nobody answers
        assert outbox.send_due() == 0
    for row in (first, second):
        row.refresh_from_db()
    now = timezone.now()
    assert timedelta(seconds=58) < first.due_at - now < timedelta(seconds=67)  # type: ignore[operator]
    assert (first.attempts, first.last_error, second.attempts) == (1, "ConnectionRefusedError", 0)
    monkeypatch.setattr(outbox, "_rests_until", 0.0)
    with time_machine.travel(now + timedelta(seconds=70), tick=True):
        assert outbox.send_due() == 2
    assert sorted(Notification.objects.values_list("outcome", "attempts")) == [("sent", 1), ("sent", 2)]
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2


def test_it_is_given_up_after_three_days_with_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    row, start, moment = note(), timezone.now(), timezone.now()
    broken(monkeypatch, smtplib.SMTPDataError(451, b"later"))
    tries = 0
    while row.due_at is not None:
        tries += 1
        with time_machine.travel(moment, tick=True):
            assert outbox.send(row.pk) is True
        row.refresh_from_db()
        moment = (row.due_at or moment) + timedelta(seconds=1)
    assert (row.outcome, row.attempts, tries) == ("gave_up", len(outbox.RETRIES) + 1, len(outbox.RETRIES) + 1)
    assert timedelta(hours=68) < moment - start < timedelta(hours=77)
    [item] = StaffItem.objects.all()
    assert (item.kind, item.subject, item.data["why"]) == ("message_not_sent", "P1", "refused: 451")


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"alice@example.com": (550, b"no such box")}),
        smtplib.SMTPDataError(554, b"spam"),
        ValueError("header"),
    ],
    ids=["recipient", "content", "no mail"],
)
def test_a_refusal_for_good_is_not_repeated(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    row = note()
    broken(monkeypatch, error)
    assert outbox.send(row.pk) is True
    row.refresh_from_db()
    assert (row.outcome, row.due_at, row.attempts) == ("gave_up", None, 1)
    assert "alice" not in row.last_error
    assert StaffItem.objects.get().kind == "message_not_sent"


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPAuthenticationError(535, b"who are you"),
        smtplib.SMTPSenderRefused(550, b"not from here", "shop@example.com"),
        smtplib.SMTPRecipientsRefused({"alice@example.com": (450, b"greylisted")}),
        smtplib.SMTPServerDisconnected("gone"),
        TimeoutError(),
        RuntimeError("a mistake of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_pass_is_tried_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    row = note()
    broken(monkeypatch, error)
    assert outbox.send(row.pk) is True
    row.refresh_from_db()
    assert row.due_at is not None
    assert (row.outcome, StaffItem.objects.count()) == ("", 0)


def test_staff_send_an_ended_one_again_as_a_message_of_its_own() -> None:
    row = note()
    with pytest.raises(outbox.StillDue):
        outbox.send_again(note=row, actor="ada", reason="asked for it")
    outbox.send_due()
    outbox.send_again(note=row, actor="ada", reason="asked for it")
    with pytest.raises(outbox.StillDue):
        outbox.send_again(note=row, actor="bob", reason="me too")
    outbox.send_due()
    ids = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert ids == [f"<notification-{row.pk}-{n}@127.0.0.1>" for n in (0, 1)]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.reason) == (
        "ada", "send message again", "P1", "asked for it",
    )  # fmt: skip


def given_up(monkeypatch: pytest.MonkeyPatch, reference: str = "P1", kind: str = "case_late") -> Notification:
    row = note(reference, kind=kind)
    with monkeypatch.context() as out:
        broken(out, smtplib.SMTPRecipientsRefused({"alice@example.com": (550, b"no such box")}))
        outbox.send(row.pk)
    row.refresh_from_db()
    assert row.outcome == "gave_up"
    return row


def test_what_arrives_when_it_is_sent_again_needs_nobody_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    row, other = given_up(monkeypatch), given_up(monkeypatch, "P2")
    outbox.send_again(note=row, actor="ada", reason="the address is right now")
    assert StaffItem.objects.filter(resolved_at=None).count() == 2  # on its way is not there
    assert outbox.send_due() == 1
    item = StaffItem.objects.get(subject="P1")
    assert (item.resolved_by, item.resolution) == ("system", "it was sent again")
    assert list(StaffItem.objects.filter(resolved_at=None).values_list("subject", flat=True)) == [
        other.reference
    ]


def test_what_fails_again_goes_on_to_need_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    row = given_up(monkeypatch)
    outbox.send_again(note=row, actor="ada", reason="once more")
    broken(monkeypatch, smtplib.SMTPDataError(554, b"spam"))
    assert outbox.send_due() == 1
    [item] = StaffItem.objects.all()
    assert (item.resolved_at, again().outcome) == (None, "gave_up")


def test_the_next_message_of_an_order_that_nobody_got_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One item per order: it is about one message after the other until all have arrived."""
    monkeypatch.setitem(
        kinds._kinds, "another", kinds.Kind("another", "more", kinds._kinds["case_late"].compose, dict)
    )
    written = letters.write
    monkeypatch.setattr(letters, "write", lambda kind, *more: written("case_late", *more))
    first, second = given_up(monkeypatch), given_up(monkeypatch, kind="another")
    outbox.send_again(note=first, actor="ada", reason="mended")
    outbox.send_due()
    told = [(item.data["message"], item.resolution) for item in StaffItem.objects.order_by("pk")]
    assert told == [("case_late", "it was sent again"), ("another", "")]
    outbox.send_again(note=second, actor="ada", reason="mended")
    outbox.send_due()
    assert not StaffItem.objects.filter(resolved_at=None).exists()


def test_a_sender_that_hung_marks_what_it_sent_and_puts_nothing_off() -> None:
    """Its right has ended and somebody else has the row: its yes counts, its no does not."""
    row = note()
    slow = outbox._take(row.pk)
    assert slow is not None
    Notification.objects.update(due_at=timezone.now())
    quick = outbox._take(row.pk)
    assert quick is not None
    outbox._not_sent(slow, NotSent("timed out", permanent=True))
    assert (again().outcome, again().attempts, StaffItem.objects.count()) == ("", 2, 0)
    outbox._end(slow, outbox.Ended("sent", "mail", "alice@example.com"))
    outbox._end(quick, outbox.Ended("overtaken"))
    assert again().outcome == "sent"


def test_the_sweeper_sends_what_no_worker_took() -> None:
    fresh = note()
    moved = sweeper.walk(everything=True)
    assert (moved["messages to customers"], mail.outbox) == (0, [])
    with time_machine.travel(timezone.now() + outbox.UNHEARD + timedelta(seconds=1), tick=True):
        moved = sweeper.walk(everything=True)
    assert moved["messages to customers"] == 1
    fresh.refresh_from_db()
    assert fresh.outcome == "sent"
