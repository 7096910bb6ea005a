"""Whose signature counts: WeChat Pay's public key and its platform certificates, as one map from serial to key.

Lives here: the map, its rounds of renewal, the check of one signature. Not here: the download itself (`wire` gives it).

Guarantees: an unknown serial never makes us call out per request: certificates are asked for at most once in 12 hours,
after a failure once in 5 minutes; a PUB_KEY_ID_ never. What the store holds is opened with the API v3 key each time, so
a foreign hand in the store adds no key. Expired certificates do not count. While a renewal fails the old keys stay.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from payments.gateways import crypto
from payments.gateways.base import GatewayError
from payments.gateways.wechatpay import signing
from payments.gateways.wechatpay.config import Config

log = logging.getLogger(__name__)

REFRESH = timedelta(hours=12)
RETRY = timedelta(minutes=5)
PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"
_last_try: dict[str, datetime] = {}
_lock = threading.Lock()

Download = Callable[[], bytes]


def open_certificates(answer: bytes, api_v3_key: str, now: datetime) -> dict[str, RSAPublicKey]:
    """serial -> key of every certificate in an answer of /v3/certificates that is valid now. Raises ValueError."""
    try:
        entries = json.loads(answer)["data"]
        return {
            str(entry["serial_no"]): _key_of(entry["encrypt_certificate"], api_v3_key)
            for entry in entries
            if _at(entry["effective_time"]) <= now < _at(entry["expire_time"])
        }
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError("not an answer about certificates") from exc


def _at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _key_of(sealed: Mapping[str, Any], api_v3_key: str) -> RSAPublicKey:
    pem = crypto.unseal(
        api_v3_key.encode(),
        str(sealed["nonce"]).encode(),
        sealed["ciphertext"],
        str(sealed.get("associated_data") or "").encode(),
    )
    return crypto.load_public_key(pem.decode())


class KeyRing:
    """The keys of one merchant's WeChat Pay. `download` fetches /v3/certificates without checking its signature."""

    def __init__(self, config: Config, download: Download) -> None:
        self._config = config
        self._download = download
        self._fixed: dict[str, RSAPublicKey] = {}
        if config.public_key_id:
            self._fixed[config.public_key_id] = crypto.load_public_key(config.public_key)

    def verify(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether WeChat Pay signed exactly `body`; header names in lower case. May download certificates, as the
        rules above allow. A probe (WECHATPAY/SIGNTEST/…) is a bad signature like any other."""
        if headers.get("wechatpay-signature-type", signing.SCHEME) != signing.SCHEME:
            return False
        key = self._key(headers.get("wechatpay-serial", ""))
        message, signature = signing.signed_by_them(headers, body)
        return key is not None and crypto.verify(key, message, signature)

    def _key(self, serial: str) -> RSAPublicKey | None:
        if serial in self._fixed:
            return self._fixed[serial]
        if not serial or serial.startswith(PUBLIC_KEY_PREFIX) or self._config.certificates is None:
            return None
        return self._certificates().get(serial)

    def _certificates(self) -> dict[str, RSAPublicKey]:
        stored, read_at = self._stored()
        now = self._config.clock()
        if read_at is None or now - read_at >= REFRESH:
            stored = self._renewed(now) or stored
        if not stored:
            return {}
        try:
            return open_certificates(stored, self._config.api_v3_key, now)
        except ValueError:
            log.warning("the stored certificates of WeChat Pay do not open")
            return {}

    def _stored(self) -> tuple[bytes, datetime | None]:
        """(answer, when it was read); an unreadable store is an empty one."""
        text = self._config.certificates.load() if self._config.certificates else None
        try:
            kept = json.loads(text or "{}")
            return kept["answer"].encode(), _at(kept["at"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return b"", None

    def _renewed(self, now: datetime) -> bytes:
        """A fresh answer, kept for all processes; empty when it is too early to try again, or nothing came."""
        name = f"{self._config.base_url} {self._config.mch_id}"
        with _lock:
            tried = _last_try.get(name)
            if tried is not None and timedelta() <= now - tried < RETRY:
                return b""
            _last_try[name] = now
        try:
            answer = self._download()
            open_certificates(answer, self._config.api_v3_key, now)
        except (GatewayError, ValueError) as exc:
            log.warning("no certificates of WeChat Pay: %s", type(exc).__name__)
            return b""
        if self._config.certificates is not None:
            self._config.certificates.save(json.dumps({"answer": answer.decode(), "at": now.isoformat()}))
        return answer
