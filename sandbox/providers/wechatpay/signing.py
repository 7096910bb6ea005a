"""WeChat Pay's side of the ciphers: whose request it is, signed answers and notices, sealed texts, its certificate.

The merchant signs the path that he calls. A sandbox is mounted under /wechatpay, so the path as it stands on the wire and
the one below the mount both count; a signature over anything else does not.
"""

import base64
import binascii
import re
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.crypto import constant_time_compare

from sandbox import knobs
from sandbox.providers.wechatpay import codes
from sandbox.providers.wechatpay.refusal import Refusal

MOUNT = "/wechatpay"
CERTIFICATE_NUMBER = int("5E2A10EF55877E3CF6C33255C2E7DEFFF7E427EC", 16)
_FIELD = re.compile(r'(\w+)="([^"]*)"')


@cache
def platform_key() -> rsa.RSAPrivateKey:
    """The provider's own key."""
    pem = (settings.KEYS / "wechat_platform.private.pem").read_bytes()
    return cast(rsa.RSAPrivateKey, serialization.load_pem_private_key(pem, None))


@cache
def merchant_key() -> rsa.RSAPublicKey:
    """What the merchant site knows of the merchant."""
    pem = (settings.KEYS / "wechat_merchant.public.pem").read_bytes()
    return cast(rsa.RSAPublicKey, serialization.load_pem_public_key(pem))


@cache
def certificate() -> x509.Certificate:
    """The platform certificate over the same key; its number is the same in every process."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign (sandbox)")])
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
    builder = x509.CertificateBuilder(name, name, platform_key().public_key(), CERTIFICATE_NUMBER)
    made = builder.not_valid_before(start).not_valid_after(start + timedelta(days=5 * 365))
    return made.sign(platform_key(), hashes.SHA256())


def check_request(authorization: str, method: str, path: str, body: bytes) -> None:
    """Is it the merchant, now, about exactly this? Raises Refusal SIGN_ERROR."""
    scheme, _, rest = authorization.partition(" ")
    given = dict(_FIELD.findall(rest))
    stamp, nonce = given.get("timestamp", ""), given.get("nonce_str", "")
    if scheme != codes.SCHEME or not nonce:
        raise Refusal(401, "SIGN_ERROR", "Http头Authorization格式错误")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > codes.CLOCK_WINDOW:
        raise Refusal(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    known = constant_time_compare(given.get("mchid", ""), settings.WECHAT_MCH_ID)
    if not (known and constant_time_compare(given.get("serial_no", ""), settings.WECHAT_SERIAL)):
        raise Refusal(401, "SIGN_ERROR", "商户证书序列号有误")
    for signed in (path, path.removeprefix(MOUNT)):
        message = f"{method}\n{signed}\n{stamp}\n{nonce}\n".encode() + body + b"\n"
        if _holds(message, given.get("signature", "")):
            return
    raise Refusal(401, "SIGN_ERROR", "签名错误，请检查后再试")


def _holds(message: bytes, signature: str) -> bool:
    try:
        merchant_key().verify(
            base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), hashes.SHA256()
        )
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def own_serial(wanted: str = "") -> str:
    """The id of the key that we sign with: the one the merchant asked for, else as the knob says."""
    if wanted == settings.WECHAT_PUBLIC_KEY_ID or knobs.get("wechat_keys") == "public_key":
        return str(settings.WECHAT_PUBLIC_KEY_ID)
    return f"{CERTIFICATE_NUMBER:X}"


def headers(body: bytes, *, serial: str, trouble: str = "") -> dict[str, str]:
    """The five headers; `trouble` is a fault: bad_signature, signtest or stale."""
    stamp = str(int(time.time()) - (600 if trouble == "stale" else 0))
    nonce = secrets.token_hex(16)
    message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    if trouble == "bad_signature":
        message += b"x"
    signature = base64.b64encode(platform_key().sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
    if trouble == "signtest":
        signature = codes.PROBE + signature[len(codes.PROBE) :]
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature-Type": codes.SCHEME,
    }


def seal(text: str, associated: str) -> dict[str, str]:
    """A text under the merchant's API v3 key, as `resource` and `encrypt_certificate` carry it."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(settings.WECHAT_V3_KEY.encode()).encrypt(
        nonce.encode(), text.encode(), associated.encode()
    )
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "associated_data": associated,
        "nonce": nonce,
        "ciphertext": base64.b64encode(sealed).decode(),
    }


def certificates() -> dict[str, list[dict[str, object]]]:
    """/v3/certificates. Raises Refusal for a merchant in public key mode: there is none for him."""
    if knobs.get("wechat_keys") == "public_key":
        raise Refusal(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书")
    made = certificate()
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    entry: dict[str, object] = {
        "serial_no": f"{made.serial_number:X}",
        "effective_time": made.not_valid_before_utc.astimezone(codes.CHINA).isoformat(),
        "expire_time": made.not_valid_after_utc.astimezone(codes.CHINA).isoformat(),
        "encrypt_certificate": seal(pem, "certificate"),
    }
    return {"data": [entry]}
