"""The ciphers that WeChat Pay and Alipay share: keys as people paste them, SHA256withRSA, AES-256-GCM, nonces.

Lives here: loading RSA keys (PEM, PEM with `\\n` written out, or the bare base64 body; PKCS#1, PKCS#8, SPKI or an X.509
certificate), signing and verifying, sealing and opening. Not here: what is signed and whose key counts (gateways).

Guarantees: pure; base64 is decoded strictly (RFC 4648 alphabet, right padding, nothing else); a key that cannot be read
is `BadKey`, a text that cannot be opened is `BadSeal`; no message and no `repr` shows key material.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ALPHABET = string.ascii_letters + string.digits
_PRIVATE_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY")
_PUBLIC_LABELS = ("PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE")


class BadKey(ValueError):
    """The text is no RSA key of the kind that was asked for."""


class BadSeal(ValueError):
    """The ciphertext was not made with this key, nonce and associated data."""


# --- keys ---


@lru_cache(maxsize=32)
def load_private_key(text: str) -> RSAPrivateKey:
    """The RSA private key in `text`, PKCS#1 or PKCS#8, unencrypted. Raises BadKey."""
    for pem in _readings(text, _PRIVATE_LABELS):
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, RSAPrivateKey):
            return key
    raise BadKey("not a readable RSA private key")


@lru_cache(maxsize=64)
def load_public_key(text: str) -> RSAPublicKey:
    """The RSA public key in `text`, PKCS#1, SPKI or out of a certificate. Raises BadKey."""
    for pem in _readings(text, _PUBLIC_LABELS):
        try:
            key = _public(pem)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, RSAPublicKey):
            return key
    raise BadKey("not a readable RSA public key")


def _public(pem: bytes) -> object:
    if b"BEGIN CERTIFICATE" in pem:
        return x509.load_pem_x509_certificate(pem).public_key()
    return serialization.load_pem_public_key(pem)


def _readings(text: str, labels: tuple[str, ...]) -> list[bytes]:
    """The PEM forms that `text` may be: itself when it has a label, else its body under each label."""
    plain = text.replace("\\r", "").replace("\\n", "\n").strip()
    if "-----BEGIN" in plain:
        return [plain.encode("utf-8", "replace")]
    body = "".join(plain.split())
    if not body or not _is_base64(body):
        return []
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return [f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode() for label in labels]


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text))
    except ValueError:
        return False


# --- SHA256withRSA (PKCS#1 v1.5) ---


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """The signature over `message`, base64 without line breaks."""
    return b64encode(key.sign(message, padding.PKCS1v15(), hashes.SHA256()))


def verify(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether `signature` (strict base64) is over exactly `message`. Never raises on what a stranger sent."""
    try:
        key.verify(b64decode(signature), message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


# --- AES-256-GCM, the 16-byte tag at the end ---


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes = b"") -> str:
    """`plaintext` encrypted and authenticated, base64. Raises ValueError for a key or nonce of a wrong length."""
    return b64encode(AESGCM(key).encrypt(nonce, plaintext, associated))


def unseal(key: bytes, nonce: bytes, ciphertext: str, associated: bytes = b"") -> bytes:
    """The plaintext of a base64 `ciphertext`. Raises BadSeal, whatever is wrong with any part."""
    try:
        return AESGCM(key).decrypt(nonce, b64decode(ciphertext), associated)
    except (InvalidTag, ValueError) as exc:
        raise BadSeal("the ciphertext does not open") from exc


# --- base64 and nonces ---


def b64encode(data: bytes) -> str:
    """Base64 without line breaks."""
    return base64.b64encode(data).decode("ascii")


def b64decode(text: str) -> bytes:
    """Strict base64. Raises ValueError for any other character, line break or padding."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise ValueError("not base64") from exc


def nonce(length: int = 32) -> str:
    """A random text of letters and digits, from the system's source."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
