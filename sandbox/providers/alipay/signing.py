"""RSA2 as Alipay's documents tell it: who signs which text. Keys are the files of `sandbox.keys`.

Requests: everything but `sign`, non-empty, sorted. Notices and returns: without `sign_type` too, empty values kept.
"""

import base64
import binascii
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from sandbox import keys


def _file(name: str) -> bytes:
    path = settings.KEYS / name
    if not path.exists():
        keys.ensure(settings.KEYS)
    return bytes(path.read_bytes())


@cache
def _own_key() -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(_file("alipay_platform.private.pem"), None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - made by sandbox.keys
    return key


@cache
def _app_key() -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(_file("alipay_app.public.pem"))
    assert isinstance(key, rsa.RSAPublicKey)  # noqa: S101 - made by sandbox.keys
    return key


def sign(text: str) -> str:
    """Alipay's signature over a text, base64."""
    return base64.b64encode(_own_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def from_app(params: dict[str, str]) -> bool:
    """Whether the merchant's application signed these parameters of a request."""
    kept = sorted((name, value) for name, value in params.items() if name != "sign" and value)
    text = "&".join(f"{name}={value}" for name, value in kept)
    try:
        signature = base64.b64decode(params.get("sign", ""), validate=True)
        _app_key().verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def signed_form(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a notice or a return with sign_type and sign."""
    kept = sorted((name, value) for name, value in fields.items() if name not in ("sign", "sign_type"))
    return fields | {"sign_type": "RSA2", "sign": sign("&".join(f"{name}={value}" for name, value in kept))}
