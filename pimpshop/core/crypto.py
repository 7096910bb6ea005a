"""Sealing of secrets that must be read again (provider tokens, signing secrets): Fernet under SECRET_KEY.

What need not be read again is hashed instead (`ids.hash_token`).
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    secrets_ = [str(settings.SECRET_KEY), *map(str, settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"seal\0" + s.encode()).digest())) for s in secrets_]
    )


def seal(text: str) -> str:
    """Encrypt and authenticate `text`."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str | None:
    """The text that was sealed; None when the key changed or the row was touched."""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
