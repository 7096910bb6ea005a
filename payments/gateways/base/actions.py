"""Next actions: what the shopper must do now, one template each (payments/next_action/<kind>.html).

Here: the four kinds and their JSON form. Not here: how they are shown. Pure values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar


class _Action:
    kind: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form with its `kind`, the inverse of `next_action_from_dict`."""
        plain = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(self).items()}  # type: ignore[call-overload]
        return {"kind": self.kind, **plain}


@dataclass(frozen=True, kw_only=True)
class Redirect(_Action):
    """Send the browser to `url` until `expires_at` (aware UTC; None: as long as the payment is open); with method POST as
    a form with `fields`."""

    kind: ClassVar[str] = "redirect"
    url: str
    method: str = "GET"
    fields: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class QrCode(_Action):
    """Show `content` as a QR code until `expires_at` (aware UTC)."""

    kind: ClassVar[str] = "qr_code"
    content: str
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ClientParams(_Action):
    """Hand `params` to the provider's own code (`sdk`) in the shopper's client."""

    kind: ClassVar[str] = "client_params"
    sdk: str
    params: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class MachinePrompt(_Action):
    """Pay at the machine `machine_id`; `reference` is the number the machine knows the payment by."""

    kind: ClassVar[str] = "machine_prompt"
    machine_id: str
    reference: str


NextAction = Redirect | QrCode | ClientParams | MachinePrompt
_ACTIONS: dict[str, type[Any]] = {cls.kind: cls for cls in (Redirect, QrCode, ClientParams, MachinePrompt)}


def next_action_from_dict(data: Mapping[str, Any] | None) -> NextAction | None:
    """Rebuild a stored next action; None for None or {}. Raises ValueError for an unknown kind or field."""
    if not data:
        return None
    values = {key: value for key, value in data.items() if key != "kind"}
    cls = _ACTIONS.get(data.get("kind", ""))
    if cls is None:
        raise ValueError(f"unknown next action: {data.get('kind')!r}")
    if isinstance(values.get("expires_at"), str):
        values["expires_at"] = datetime.fromisoformat(values["expires_at"])
    try:
        action: NextAction = cls(**values)
    except TypeError as exc:
        raise ValueError(f"bad next action of kind {cls.kind}") from exc
    return action
