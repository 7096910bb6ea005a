"""Sessions at a machine: made, claimed by one phone, paid, ended. Rows are kept for ever.

Every move is `advance()`; no call leaves from here. A session whose payment has started never expires by time.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Design
from pimpshop.core import errors, ids
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import Money
from pimpshop.core.states import advance, remark
from vending import selectors
from vending.models import Machine, VendingSession
from vending.services import machines, turns

MIN_MINUTES, DEFAULT_MINUTES, MAX_MINUTES = 5, 30, 60
MAX_LIVE = 5
#: The machine's own screen may make one more: strangers' sessions never leave it without a code.
SCREEN_MAX_LIVE = MAX_LIVE + 1
PAYMENT_LIVE_FOR = turns.PAYMENT_LIVE_FOR
OPEN = ("active", "designing", "payment_failed")


class SessionUnknown(errors.NotFound):
    code = "session_not_found"
    message = _("Session not found")


class SessionIdMalformed(errors.ShopError):
    code = "session_id_malformed"
    message = _(
        "This is no session id. It looks like MACHINE_YYYYMMDD_HHMMSS_8HEX, in upper case, without the query string."
    )


class SessionExpired(errors.Gone):
    code = "session_expired"
    message = _("This session has expired. Nothing was charged. Please scan the machine's code again.")


class SessionEnded(errors.Conflict):
    code = "session_ended"
    message = selectors.ENDED


class SessionTaken(errors.Conflict):
    code = "session_taken"
    message = _("Another phone is using this session. Please scan the machine's current code.")


class NotYourSession(errors.ShopError):
    code, status = "session_token_required", 403
    message = _("This session belongs to another phone.")


class WrongMachine(errors.ShopError):
    code = "machine_mismatch"
    message = _("This session belongs to another machine.")


class TooManySessions(errors.TooManyRequests):
    code = "too_many_sessions"
    message = _("Too many people are using this machine right now. Please try again in a moment.")


class CannotCancel(errors.Conflict):
    code = "cannot_cancel"
    message = _("This session is already paid or ended. Nothing was changed.")


class SummaryMissing(errors.ShopError):
    code = "order_summary_missing"
    message = _("Submit the order summary before the payment. Nothing was charged.")


class SummaryDiffers(errors.Conflict):
    code = "order_summary_differs"
    message = _("The payment of this session has started, so its order cannot be changed any more.")


def live_filter(now: Any = None) -> Q:
    """Sessions that count against the machine's limit and may be on its screen."""
    now = now or timezone.now()
    return Q(status__in=OPEN, expires_at__gt=now) | Q(
        status="payment_pending", payment_started_at__gt=now - PAYMENT_LIVE_FOR
    )


def create_session(
    *,
    machine: Machine,
    location: str = "",
    timeout_minutes: int = DEFAULT_MINUTES,
    language: str = "",
    source: str,
) -> VendingSession:
    """A new session. At most five live ones per machine, and one of its screen. Raises TooManySessions (429 with
    Retry-After).

    Guarantees: the limit holds under concurrency (the machine's row is locked for the count).
    """
    now = timezone.now()
    with transaction.atomic():
        Machine.objects.select_for_update(no_key=True).get(pk=machine.pk)
        live = list(VendingSession.objects.filter(live_filter(now), machine=machine).order_by("created_at"))
        most = SCREEN_MAX_LIVE if source == "screen" else MAX_LIVE
        if len(live) >= most and not _make_room(live, now):
            soonest = min(_leaves_at(one) for one in live)
            raise TooManySessions(retry_after=max(1, min(120, int((soonest - now).total_seconds()) + 1)))
        session = VendingSession.objects.create(
            session_id=ids.new_session_id(machine.machine_id, now),
            machine=machine,
            location=location or machine.location,
            language=language or machine.language,
            expires_at=now + timedelta(minutes=timeout_minutes),
        )
        remark(session, source=source, reason="created")
    return session


def _leaves_at(session: VendingSession) -> datetime:
    """When a live session stops to count by itself."""
    started = session.payment_started_at
    return (
        started + PAYMENT_LIVE_FOR if started and session.status == "payment_pending" else session.expires_at
    )


def _make_room(live: list[VendingSession], now: Any) -> bool:
    """End one session that gives way. Answers whether there was one."""
    return any(
        advance(session, "expired", source="system", reason="gave way to a new session", only_from=["active"])
        for session in turns.give_way(live, now)
    )


def find(session_id: str) -> VendingSession:
    """The session, whatever its state; an overdue one is expired on the way. Raises SessionIdMalformed, SessionUnknown."""
    if not ids.SESSION_ID.match(session_id):
        raise SessionIdMalformed
    session = VendingSession.objects.select_related("machine", "design").filter(session_id=session_id).first()
    if session is None:
        raise SessionUnknown
    overdue = session.status in OPEN and session.expires_at <= timezone.now()
    if overdue and not advance(session, "expired", source="system", reason="time is up", only_from=OPEN):
        session.refresh_from_db()
    return session


def get_session(session_id: str) -> VendingSession:
    """Like `find`, but an expired or cancelled session raises SessionExpired (410): nothing was charged there.

    One whose payment had started is answered, for its money may have come or still come; see `must_be_running`.
    """
    session = find(session_id)
    if session.is_over and session.payment_started_at is None:
        raise SessionExpired
    return session


def must_be_running(session: VendingSession) -> None:
    """Raises SessionEnded for one that ended after its payment had started: nothing may be changed there."""
    if session.is_over:
        raise SessionEnded


def claim_cookie(session_id: str) -> str:
    """The name of the cookie that holds a phone's token: one per session, so that a second scan takes nothing away."""
    return f"sc_{ids.hash_token(session_id)[:12]}"


def holds_claim(session: VendingSession, token: str) -> bool:
    """Is `token` the one that the claiming phone got? Constant time."""
    return bool(session.claim_hash) and hmac.compare_digest(session.claim_hash, ids.hash_token(token or ""))


def require_access(session: VendingSession, token: str) -> None:
    """A session claimed by our own page needs its phone's token; one that a bare API client registered does not.
    Raises NotYourSession."""
    if session.claim_needs_token and not holds_claim(session, token):
        raise NotYourSession


def claimed_session(*, session_id: str, token: str) -> VendingSession:
    """The session for the page of the phone that claimed it. Raises SessionExpired, NotYourSession."""
    session = get_session(session_id)
    if not holds_claim(session, token):
        raise NotYourSession
    return session


def claim(session: VendingSession, *, token: str = "", needs_token: bool, source: str) -> str:
    """The first phone takes the session. Answers its token (the same one when this phone comes again).

    Guarantees: one compare-and-set; of any number of phones exactly one wins. Raises SessionTaken.
    """
    if holds_claim(session, token):
        return token
    must_be_running(session)
    fresh = ids.new_token()
    now = timezone.now()
    with transaction.atomic():
        won = VendingSession.objects.filter(pk=session.pk, claim_hash="", status__in=OPEN).update(
            claim_hash=ids.hash_token(fresh), claimed_at=now, claim_needs_token=needs_token, updated_at=now
        )
        if not won:
            raise SessionTaken
        advance(session, "qr_scanned", column="user_progress", source=source, reason="scanned")
    session.refresh_from_db()
    return fresh


def note_progress(session: VendingSession, progress: str, *, source: str = "page") -> bool:
    """Move the progress word (and active -> designing with it). Quietly does nothing where the tables say no."""
    if progress in ("designing", "design_complete"):
        advance(session, "designing", source=source, only_from=["active"])
    return session.user_progress != progress and advance(
        session, progress, column="user_progress", source=source
    )


def attach_design(session: VendingSession, design: Design) -> None:
    """Remember which design this session works on; only before the payment starts."""
    VendingSession.objects.filter(pk=session.pk, status__in=OPEN).update(
        design=design, updated_at=timezone.now()
    )
    session.design = design


def lock(session: VendingSession) -> VendingSession:
    """The session's row as it stands now, locked until the caller's transaction ends."""
    return VendingSession.objects.select_for_update(no_key=True).get(pk=session.pk)


def record_summary(
    session: VendingSession, *, order_no: str, design: Design, amount: Money, summary: dict[str, Any],
    summary_hash: str, source: str,
) -> None:  # fmt: skip
    """Bind the session to its order, inside the caller's transaction. Raises SummaryDiffers once a payment started."""
    bound = VendingSession.objects.filter(pk=session.pk, status__in=OPEN).update(
        order_no=order_no, design=design, amount_minor=amount.amount_minor, currency=amount.currency,
        summary=summary, summary_hash=summary_hash, updated_at=timezone.now(),
    )  # fmt: skip
    if not bound:
        raise SummaryDiffers
    note_progress(session, "design_complete", source=source)
    session.refresh_from_db()


def begin_payment(session: VendingSession, *, order_no: str, third_id: str, source: str) -> bool:
    """Money may arrive from now on: -> payment_pending, inside the caller's transaction. False: the row said no, or
    it is bound to another order by now. Raises machines.MachineBusy, machines.OutOfStock: one payment at a time."""
    machines.hold_for_payment(session)
    if lock(session).order_no != order_no:
        return False
    moved = advance(
        session, "payment_pending", source=source, data={"third_id": third_id},
        third_id=third_id, payment_started_at=timezone.now(),
    )  # fmt: skip
    if moved:
        advance(session, "payment_pending", column="user_progress", source=source)
    return moved


def note_provider_payment(session_id: str, *, third_id: str, provider_payment_id: str) -> None:
    """The manufacturer's own payment id (MSPY…) for the machine's screen."""
    VendingSession.objects.filter(session_id=session_id, third_id=third_id).update(
        provider_payment_id=provider_payment_id, updated_at=timezone.now()
    )


def note_due(session: VendingSession, amount: Money) -> None:
    """Less than the price is to be paid at the machine: something else pays the rest. In the caller's transaction."""
    VendingSession.objects.filter(pk=session.pk).update(amount_minor=amount.amount_minor)


def mark_paid(session_id: str, *, order_no: str, amount: Money, source: str) -> None:
    """The payment of that order was confirmed. Called inside the settling transaction; a repeat is harmless.

    The session shows the order that was paid, also when the money came late and a newer summary had replaced it.
    """
    session = VendingSession.objects.filter(session_id=session_id).first()
    if session:
        advance(
            session, "payment_completed", source=source,
            order_no=order_no, amount_minor=amount.amount_minor, currency=amount.currency,
        )  # fmt: skip


def mark_payment_failed(session_id: str, *, third_id: str, source: str, reason: str = "") -> None:
    """That payment ended without money; the session may be tried again until it expires. An older attempt's end
    does not touch a newer one."""
    session = VendingSession.objects.filter(session_id=session_id, third_id=third_id).first()
    if session and advance(
        session, "payment_failed", source=source, reason=reason, only_from=["payment_pending"]
    ):
        advance(session, "payment_failed", column="user_progress", source=source)
        soon = timezone.now() + timedelta(
            minutes=MIN_MINUTES
        )  # time for another try, however long the first took
        VendingSession.objects.filter(pk=session.pk, expires_at__lt=soon).update(expires_at=soon)


def mark_order(session_id: str, *, submitted: bool, source: str) -> None:
    """The print order reached the machine (or, for hours, did not)."""
    session = VendingSession.objects.filter(session_id=session_id).first()
    if session:
        progress = "order_submitted" if submitted else "order_failed"
        advance(session, progress, column="user_progress", source=source)


def may_try_again(session_id: str) -> bool:
    """May the phone of this session still order and pay?"""
    return VendingSession.objects.filter(
        session_id=session_id, status__in=OPEN, expires_at__gt=timezone.now()
    ).exists()


def cancel_session(*, session: VendingSession, source: str, actor: str = "", reason: str = "") -> None:
    """End a session. A payment that was started stays open at the manufacturer and is honoured if it comes late.
    Raises CannotCancel when it is paid or ended already."""
    with transaction.atomic():
        before = session.status
        if not advance(session, "cancelled", source=source, actor=actor, reason=reason):
            raise CannotCancel
        if actor:
            moved = [{"field": "status", "before": before, "after": "cancelled"}]
            AuditEntry.objects.create(
                actor=actor, action="cancel session", subject=session.session_id, reason=reason,
                data={"changes": moved, "order_no": session.order_no},
            )  # fmt: skip


def expire_due(limit: int = 200) -> int:
    """Expire sessions whose time is up; a sweep round. Never one with a payment started."""
    moved = 0
    for session in VendingSession.objects.filter(status__in=OPEN, expires_at__lte=timezone.now())[:limit]:
        moved += advance(session, "expired", source="sweeper", reason="time is up", only_from=OPEN)
    return moved
