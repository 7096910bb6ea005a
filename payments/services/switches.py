"""Which gateways may be used right now: configured, not switched off by staff, not resting after failures.

A gateway that does not answer five times in a row hides itself for a minute, twice as long each time up to a quarter of an
hour, and returns by itself. Guarantee: an attempt that was started stays answerable whatever is switched off; a switch
only keeps new ones from starting.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payments import registry, states
from payments.models import GatewaySwitch, PaymentIntent
from pimpshop.core import errors, staff_items
from pimpshop.core.models import AuditEntry

log = structlog.get_logger(__name__)

#: So many unanswered starts in a row and the gateway rests.
RESTS_AFTER = 5
FIRST_REST, LONGEST_REST = timedelta(minutes=1), timedelta(minutes=15)
REST_KIND = "gateway_resting"


#: Seconds after which it is worth asking again; so no idempotency key keeps that answer either.
COMES_BACK = 30


class GatewayOff(errors.ShopError):
    code, status = "GATEWAY_NOT_FOUND", 404
    message = _("This way to pay is not available right now. Nothing was charged. Please choose another one.")


def must_be_on(key: str) -> None:
    """Raises registry.GatewayUnknown (not configured) or GatewayOff."""
    registry.get(key)
    if key in _unusable():
        raise GatewayOff(retry_after=COMES_BACK)


def usable() -> list[str]:
    """The ids of the gateways that new payments may use."""
    hidden = _unusable()
    return [key for key in registry.configured() if key not in hidden]


def _unusable() -> set[str]:
    now = timezone.now()
    rows = GatewaySwitch.objects.values_list("gateway", "is_off", "rests_until")
    return {key for key, off, rests in rows if off or (rests is not None and rests > now)}


def note_failure(key: str) -> None:
    """The gateway did not answer a start. The machine is not counted: its machines fail one by one."""
    if key == "machine":
        return
    row, _new = GatewaySwitch.objects.get_or_create(gateway=key)
    GatewaySwitch.objects.filter(pk=row.pk).update(failures=F("failures") + 1)
    row.refresh_from_db(fields=["failures"])
    if row.failures < RESTS_AFTER:
        return
    rest = min(FIRST_REST * 2 ** min(row.failures - RESTS_AFTER, 10), LONGEST_REST)
    GatewaySwitch.objects.filter(pk=row.pk).update(rests_until=timezone.now() + rest)
    staff_items.open_item(
        kind=REST_KIND, subject=key, title=f"{key} does not answer: it is hidden from shoppers for now",
        detail="It comes back by itself. Payments that were started are still asked about.",
    )  # fmt: skip
    log.error("gateway_rests", gateway=key, failures=row.failures, seconds=rest.total_seconds())


def note_success(key: str) -> None:
    """The gateway answered a start: whatever had failed before is forgotten."""
    if key == "machine":
        return
    if GatewaySwitch.objects.filter(gateway=key, failures__gt=0).update(failures=0, rests_until=None):
        staff_items.resolve_about(kind=REST_KIND, subject=key, resolution="answers again")


def switch(*, key: str, off: bool, actor: str, reason: str, facts: dict[str, Any] | None = None) -> None:
    """Staff: take a gateway out of use for new payments, or bring it back (which ends its rest too). Audited with before
    and after, and with `facts` (whom it touched)."""
    with transaction.atomic():
        row, _new = GatewaySwitch.objects.select_for_update().get_or_create(gateway=key)
        moved = [{"field": key, "before": _word(row), "after": "off" if off else "on"}]
        GatewaySwitch.objects.filter(pk=row.pk).update(
            is_off=off, actor=actor[:120], reason=reason[:300], failures=0, rests_until=None,
            updated_at=timezone.now(),
        )  # fmt: skip
        if not off:
            staff_items.resolve_about(
                kind=REST_KIND, subject=key, actor=actor, resolution=f"switched on: {reason}"
            )
        AuditEntry.objects.create(
            actor=actor,
            action="switch gateway off" if off else "switch gateway on",
            subject=key,
            reason=reason,
            data={"changes": moved, **(facts or {})},
        )


def _word(row: GatewaySwitch) -> str:
    return "off" if row.is_off else "resting" if rests(row) else "on"


def rests(row: GatewaySwitch) -> bool:
    """Does it hide itself after failures just now?"""
    return row.rests_until is not None and row.rests_until > timezone.now()


def under_way(key: str) -> int:
    """Payments that were started there and are not decided."""
    return PaymentIntent.objects.filter(gateway=key, status__in=states.UNDECIDED).count()


def make_rows() -> None:
    """A row for each configured gateway, so that staff find its switch before it is needed."""
    there = set(GatewaySwitch.objects.values_list("gateway", flat=True))
    missing = [GatewaySwitch(gateway=key) for key in registry.configured() if key not in there]
    GatewaySwitch.objects.bulk_create(missing, ignore_conflicts=True)
