"""What the WeChat Pay gateway needs to know of a merchant. Pure values; nothing here shows a secret in its `repr`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from pimpshop.core.http import Recorder

BASE_URL = "https://api.mch.weixin.qq.com"  # stand-by: https://api2.mch.weixin.qq.com


class CertificateStore(Protocol):
    """Where the answer of /v3/certificates is kept between processes. It stays sealed under the API v3 key, so whoever
    can write to the store can still not put a key of his own into it."""

    def load(self) -> str | None:
        """What was saved last; None when nothing was."""

    def save(self, text: str) -> None:
        """Keep `text` for all processes."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Config:
    """One merchant. `serial_no` is that of the merchant's API certificate (40 hex digits).

    Public key mode: `public_key_id` (PUB_KEY_ID_…) and `public_key`. Without them the platform's certificates are
    downloaded and kept in `certificates`; with both, keys of either kind count (a migration takes days).
    `mini_app_id` and `mobile_app_id` (a native app) default to `app_id` where the merchant has but one. `notify_url`
    is used when a request brings none. `timeout` is (connect, read) and `deadline` the whole call's, in seconds.
    """

    app_id: str
    mch_id: str
    serial_no: str
    private_key: str = field(repr=False)
    api_v3_key: str = field(repr=False)
    base_url: str = BASE_URL
    notify_url: str = ""
    mini_app_id: str = ""
    mobile_app_id: str = ""
    public_key_id: str = ""
    public_key: str = field(default="", repr=False)
    certificates: CertificateStore | None = field(default=None, repr=False)
    live: bool = False
    timeout: tuple[float, float] = (3.0, 10.0)
    deadline: float = 20.0
    session: Any = field(default=None, repr=False)
    recorder: Recorder | None = field(default=None, repr=False)
    clock: Callable[[], datetime] = field(default=_now, repr=False)

    @property
    def app_ids(self) -> frozenset[str]:
        """Every app id whose payments are ours."""
        return frozenset(filter(None, (self.app_id, self.mini_app_id, self.mobile_app_id)))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that no record may show: the API v3 key and the private key, line by line."""
        lines = self.private_key.replace("\\n", "\n").split()
        return self.api_v3_key, *(line for line in lines if len(line) >= 16 and "-----" not in line)
