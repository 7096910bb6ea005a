"""What exactly is signed, and by which certificate. Not here: ciphers (`gateways.crypto`), calls (`wire`).

Guarantees: pure; RSA2 (SHA256withRSA) is fixed, no message chooses the algorithm; of an answer the very bytes that came
are verified, found by a JSON decoder; of a form each name counts once and is decoded once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

SIGN_TYPE = "RSA2"
_RSA = "1.2.840.113549.1.1."
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
_BLANK = re.compile(r"[ \t\r\n]*")
_MOST_FIELDS = 100


class BadCertificate(ValueError):
    """The text holds no certificate that can be read."""


# --- texts ---


def request_text(params: Mapping[str, str]) -> bytes:
    """The signed text of a request: every non-empty parameter but `sign`, `sign_type` included, values as they are."""
    kept = sorted((name, value) for name, value in params.items() if name != "sign" and value)
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def notice_text(fields: Mapping[str, str]) -> bytes:
    """The signed text of a notice or return: all but `sign` and `sign_type`, empty values too."""
    kept = sorted((name, value) for name, value in fields.items() if name not in ("sign", "sign_type"))
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def read_form(body: bytes) -> dict[str, str]:
    """An url-encoded form in UTF-8, decoded once. Raises ValueError: no form, a name twice, other bytes."""
    pairs = parse_qsl(
        body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
    )  # fmt: skip
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def members(body: bytes) -> dict[str, tuple[Any, bytes]]:
    """The members of the outer JSON object, each with the very bytes of its value. Raises ValueError.

    A signature is over those bytes: escaped slashes, blanks and all. So they are never written anew.
    """
    text = body.decode("utf-8")
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
    found: dict[str, tuple[Any, bytes]] = {}
    at = _expect(text, _skip(text, 0), "{")
    while True:
        name, at = decoder.raw_decode(text, _skip(text, at))
        start = _skip(text, _expect(text, _skip(text, at), ":"))
        value, end = decoder.raw_decode(text, start)
        if not isinstance(name, str) or name in found:
            raise ValueError("a member stands twice or has no name")
        found[name] = (value, text[start:end].encode())
        at = _skip(text, end)
        if text[at : at + 1] != ",":
            break
        at += 1
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise ValueError("something stands behind the object")
    return found


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} is expected")
    return at + 1


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


# --- certificates ---


@lru_cache(maxsize=32)
def cert_sn(text: str) -> str:
    """The serial number that Alipay means: MD5 over the reversed issuer and the decimal serial. Raises BadCertificate."""
    for pem in _certificates(text):
        found = _load(pem)
        if found is not None:
            return _sn(found)
    raise BadCertificate("not a readable certificate")


@lru_cache(maxsize=8)
def root_cert_sn(text: str) -> str:
    """Those numbers of the bundle's RSA-signed certificates, joined by `_`. What cannot be read (SM2) is left out, as
    Alipay's own SDKs do. Raises BadCertificate when nothing is left."""
    loaded = [found for found in map(_load, _certificates(text)) if found is not None]
    numbers = [_sn(found) for found in loaded if found.signature_algorithm_oid.dotted_string.startswith(_RSA)]
    if not numbers:
        raise BadCertificate("no readable root certificate")
    return "_".join(numbers)


def _certificates(text: str) -> list[str]:
    plain = text.replace("\\r", "").replace("\\n", "\n").strip()
    if "-----BEGIN" not in plain and plain:
        body = "".join(plain.split())
        lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
        plain = f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----"
    return _PEM.findall(plain)


def _load(pem: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _sn(certificate: x509.Certificate) -> str:
    parts = [
        f"{part.rfc4514_attribute_name}={part.value!s}" for rdn in certificate.issuer.rdns for part in rdn
    ]
    named = ",".join(reversed(parts)) + str(certificate.serial_number)
    return hashlib.md5(named.encode(), usedforsecurity=False).hexdigest()
