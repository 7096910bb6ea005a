"""Machines: the client that speaks for them, their readiness, stock and printer.

Readiness is asked before any money is. `ensure_ready` may read the stock at the manufacturer (an outside call: never
inside a transaction); everything else is a few statements. Guarantee: `hold_for_payment` lets one session at a time ask
for money at a machine, and never for a blank case that is promised to somebody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Shell
from pimpshop.core import calls, errors, tokens
from pimpshop.core.models import AuditEntry
from vending import manufacturer
from vending.models import Machine, StockLevel, VendingSession
from vending.services import catalogue_sync, turns

log = structlog.get_logger(__name__)

#: A machine that was silent for longer than this is not asked for money.
SILENT_AFTER = timedelta(minutes=10)
#: Stock older than this is read again before somebody pays.
STOCK_STALE_AFTER = timedelta(minutes=10)
#: With so few pieces left the stock is read again before each payment, but not more often than this.
FEW, FEW_STALE_AFTER = 2, timedelta(seconds=15)
#: Printer trouble that nobody confirmed again for so long no longer keeps new customers away.
PRINTER_DOUBT = timedelta(minutes=30)
#: After trouble, paid jobs go out oldest first for so long ("one by one").
PRINTER_RECOVERY = timedelta(minutes=2)
#: How the reason of printer trouble begins when a print failed there.
PRINT_FAILED = "print failed"
#: What shoppers read at a machine in maintenance.
IN_MAINTENANCE = _("This machine is being serviced.")
_CONTACT_RESOLUTION = timedelta(seconds=10)


class MachineUnknown(errors.NotFound):
    code = "machine_not_found"
    message = _("We do not know this machine. Please scan the code on its screen again.")


class MachineNotReady(errors.ShopError):
    code, status = "machine_not_ready", 503
    message = _(
        "This machine cannot print right now. Nothing was charged. Please try another machine or come back soon."
    )


class MachineBusy(MachineNotReady):
    code = "machine_busy"
    message = _(
        "Somebody else is paying at this machine right now. Nothing was charged. Please try again in a moment."
    )


class OutOfStock(errors.Conflict):
    code = "out_of_stock"
    message = _(
        "This machine has no blank case for that phone left. Nothing was charged. Please choose another colour."
    )


@dataclass(frozen=True)
class Readiness:
    """May this machine take money now? `code` says why not: inactive, maintenance, printer_out, silent, out_of_stock."""

    ok: bool
    code: str = ""
    message: Any = ""

    def __bool__(self) -> bool:
        return self.ok


def client(subject: str = "") -> manufacturer.ManufacturerClient:
    """The manufacturer's client with the shared token and the call recorder; `subject` labels the recorded calls."""
    return manufacturer.ManufacturerClient(
        manufacturer.Config(
            base_url=settings.MANUFACTURER_API_BASE,
            account=settings.MANUFACTURER_ACCOUNT,
            password=settings.MANUFACTURER_PASSWORD,
            sign_key=settings.MANUFACTURER_SIGN_KEY,
            token_store=tokens.SharedTokenStore("manufacturer"),
            recorder=calls.record,
        ),
        subject=subject,
    )


def get_machine(machine_id: str) -> Machine:
    """The machine in use with that id. Raises MachineUnknown."""
    machine = find_machine(machine_id)
    if machine is None or not machine.is_active:
        raise MachineUnknown
    return machine


def find_machine(machine_id: str) -> Machine | None:
    """The machine with that id, in use or not. An address may hold a NUL (%00), which PostgreSQL takes in no text."""
    if not machine_id or "\x00" in machine_id:
        return None
    return Machine.objects.filter(machine_id=machine_id).first()


def in_use() -> list[Machine]:
    """The machines that shoppers may go to, by name."""
    return list(Machine.objects.filter(is_active=True))


def note_contact(machine: Machine) -> None:
    """The machine (its screen, a poll, a stock answer) was heard of. Written at most every ten seconds."""
    now = timezone.now()
    if machine.last_contact_at and now - machine.last_contact_at < _CONTACT_RESOLUTION:
        return
    Machine.objects.filter(
        Q(last_contact_at=None) | Q(last_contact_at__lt=now - _CONTACT_RESOLUTION), pk=machine.pk
    ).update(last_contact_at=now)
    machine.last_contact_at = now


def stock_for(machine: Machine, *, besides: VendingSession | None = None) -> dict[int, int] | None:
    """Shell pk -> pieces as last read, less those promised to others than `besides`; None when the stock was never
    read (then nothing is refused for want of data)."""
    if machine.stock_synced_at is None:
        return None
    return _unpromised(machine, besides)


def _unpromised(machine: Machine, besides: VendingSession | None = None) -> dict[int, int]:
    promised = turns.promised(machine, besides=besides)
    levels = StockLevel.objects.filter(machine=machine).values_list("shell_id", "count")
    return {shell: count - promised[shell] for shell, count in levels}


def pieces_left(machine: Machine, shell: Shell, *, besides: VendingSession | None = None) -> int | None:
    """How many of one shell may still be sold; None when nobody ever told."""
    left = _unpromised(machine, besides)
    return left.get(shell.pk, None if machine.stock_synced_at is None else 0)


def readiness(
    machine: Machine, shell: Shell | None = None, *, besides: VendingSession | None = None
) -> Readiness:
    """Judge by what is known now; no outside call. With a shell also its stock, less what others than `besides` have."""
    if machine.is_active and machine.maintenance:
        return Readiness(False, "maintenance", IN_MAINTENANCE)
    verdict = readiness_without_maintenance(machine)
    if verdict and shell is not None:
        left = pieces_left(machine, shell, besides=besides)
        if left is not None and left <= 0:
            return Readiness(False, "out_of_stock", OutOfStock.message)
    return verdict


def readiness_without_maintenance(machine: Machine) -> Readiness:
    """What would be said of a machine in use if it were not in maintenance; its stock apart."""
    now = timezone.now()
    if not machine.is_active:
        return Readiness(False, "inactive", _("This machine is not in use."))
    if machine.printer == Machine.Printer.OUT and (
        machine.printer_at is None or now - machine.printer_at < PRINTER_DOUBT
    ):
        return Readiness(False, "printer_out", _("The printer of this machine has stopped. We are on it."))
    if machine.last_contact_at and now - machine.last_contact_at > SILENT_AFTER:
        return Readiness(False, "silent", _("This machine is not online right now."))
    return Readiness(True)


def ensure_ready(machine: Machine, shell: Shell, *, session: VendingSession | None = None) -> None:
    """Before any money is asked for: fresh stock where it is stale, low, or the machine was silent, then judge. What
    `session` itself holds there (another request of it was faster) counts for it.

    Raises MachineBusy, OutOfStock or MachineNotReady. Calls outside: at most stock/list once, for the shell's brand.
    When the manufacturer cannot be asked, what is known decides; a want of data alone refuses nobody.
    """
    _refuse_while_busy(machine, besides=session)
    ensure_can_print(machine, shell, session=session)


def ensure_can_print(machine: Machine, shell: Shell, *, session: VendingSession | None = None) -> None:
    """The same for a case that is paid elsewhere: somebody paying at the machine is no obstacle. Raises OutOfStock,
    MachineNotReady."""
    if _must_read_stock(machine, shell):
        try:
            catalogue_sync.sync_shell(client(subject=machine.machine_id), machine, shell)
        except manufacturer.ManufacturerError as error:
            log.warning("stock_not_read", machine=machine.machine_id, error=type(error).__name__)
        machine.refresh_from_db()
    verdict = readiness(machine, shell, besides=session)
    if verdict.code == "out_of_stock":
        raise OutOfStock(verdict.message)
    if not verdict:
        raise MachineNotReady(details={"reason": verdict.code}, retry_after=60)


def _must_read_stock(machine: Machine, shell: Shell) -> bool:
    now = timezone.now()
    if machine.last_contact_at is None or now - machine.last_contact_at > SILENT_AFTER:
        return True
    level = StockLevel.objects.filter(machine=machine, shell=shell).first()
    read_at = level.seen_at if level else machine.stock_synced_at
    if read_at is None or now - read_at > STOCK_STALE_AFTER:
        return True
    left = pieces_left(machine, shell)
    return left is not None and left <= FEW and now - read_at > FEW_STALE_AFTER


def _refuse_while_busy(machine: Machine, besides: VendingSession | None = None) -> None:
    if turns.paying(machine, besides=besides).exists():
        raise MachineBusy(details={"reason": "busy"}, retry_after=15)


def hold_for_payment(session: VendingSession) -> None:
    """Lock the machine's row inside the caller's transaction, and look once more before money is asked for: nobody
    else is paying there, and a piece of the session's shell is left for it. Raises MachineBusy, OutOfStock."""
    machine = Machine.objects.select_for_update(no_key=True).get(pk=session.machine_id)
    _refuse_while_busy(machine, besides=session)
    if session.design is None:
        return
    left = pieces_left(machine, session.design.shell, besides=session)
    if left is not None and left <= 0:
        raise OutOfStock


def note_printer(
    machine: Machine, *, out: bool, reason: str = "", printed_at: datetime | None = None
) -> bool:
    """Record what an answer of the manufacturer told about the printer. Answers whether it changed.

    A print that failed (`reason` begins with PRINT_FAILED) is made good only by a print seen after it (`printed_at`)
    or by staff: that the manufacturer's cloud takes an order says only that the machine is online.
    """
    now = timezone.now()
    rows = Machine.objects.filter(pk=machine.pk)
    if out:
        changed = bool(rows.exclude(printer=Machine.Printer.OUT).update(
            printer=Machine.Printer.OUT, printer_reason=reason[:200], printer_at=now, updated_at=now
        ))  # fmt: skip
        if not changed:  # confirmed again: the trouble is fresh; the graver one keeps its name
            rows.update(printer_at=now)
            if not reason.startswith(PRINT_FAILED):
                rows = rows.exclude(printer_reason__startswith=PRINT_FAILED)
            rows.update(printer_reason=reason[:200])
    else:
        rows = rows.exclude(printer=Machine.Printer.OK)
        if printed_at is not None:
            rows = rows.filter(Q(printer_at=None) | Q(printer_at__lte=printed_at))
        else:
            rows = rows.exclude(printer_reason__startswith=PRINT_FAILED)
        changed = bool(
            rows.update(
                printer=Machine.Printer.OK, printer_reason=reason[:200], printer_at=now, updated_at=now
            )
        )
    if changed:
        log.warning("printer_out" if out else "printer_ok", machine=machine.machine_id, reason=reason)
    return changed


def set_maintenance(
    *, machine: Machine, on: bool, actor: str, reason: str, facts: dict[str, Any] | None = None
) -> bool:
    """Staff switch: with maintenance on no new money is taken and paid jobs wait. Leaves an audit entry with before and
    after, and with `facts` (whom it touched)."""
    with transaction.atomic():
        changed = bool(
            Machine.objects.filter(pk=machine.pk)
            .exclude(maintenance=on)
            .update(maintenance=on, updated_at=timezone.now())
        )
        if changed:
            AuditEntry.objects.create(
                actor=actor, action="maintenance on" if on else "maintenance off",
                subject=machine.machine_id, reason=reason,
                data={**(facts or {}), "changes": [{"field": "maintenance", "before": _on(not on), "after": _on(on)}]},
            )  # fmt: skip
    return changed


def _on(on: bool) -> str:
    return "on" if on else "off"


def clear_printer(*, machine: Machine, actor: str, reason: str) -> bool:
    """Staff say that the printer works again."""
    with transaction.atomic():
        changed = note_printer(machine, out=False, reason=reason, printed_at=timezone.now())
        if changed:
            AuditEntry.objects.create(
                actor=actor, action="printer ok", subject=machine.machine_id, reason=reason
            )
    return changed
