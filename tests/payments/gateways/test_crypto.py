"""payments.gateways.crypto: keys as people paste them, published vectors, strict decoding, forgeries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from payments.gateways import crypto

VECTORS = json.loads(Path("tests/vectors/wechat_alipay.json").read_text())["wechatpay"]
PEM = serialization.Encoding.PEM


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def bare(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


@pytest.mark.parametrize(
    "form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL]
)
def test_a_private_key_is_read_in_every_form(key, form):
    pem = key.private_bytes(PEM, form, serialization.NoEncryption()).decode()
    windows = pem.replace("\n", "\r\n")
    for text in (
        pem,
        pem.replace("\n", "\\n"),
        windows,
        windows.replace("\r\n", "\\r\\n"),
        bare(pem),
        f"  {pem}\n\n",
    ):
        assert crypto.load_private_key(text).private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    "form", [serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1]
)
def test_a_public_key_is_read_in_every_form(key, form):
    pem = key.public_key().public_bytes(PEM, form).decode()
    for text in (pem, pem.replace("\n", "\\n"), bare(pem)):
        assert crypto.load_public_key(text).public_numbers() == key.public_key().public_numbers()


def test_a_public_key_is_read_out_of_a_certificate():
    pem = VECTORS["go_notification"]["platform_cert_pem"]
    expected = x509.load_pem_x509_certificate(pem.encode()).public_key()
    for text in (pem, bare(pem)):
        assert crypto.load_public_key(text).public_numbers() == expected.public_numbers()


def test_what_is_no_rsa_key_is_a_bad_key_that_is_not_shown(key):
    private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    locked = key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ).decode()
    curve = ec.generate_private_key(ec.SECP256R1())
    other = curve.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for text in ("", "  ", "hello", "aGVsbG8=", "Schlüssel", public, locked, other, private[:400]):
        with pytest.raises(crypto.BadKey) as caught:
            crypto.load_private_key(text)
        assert str(caught.value) == "not a readable RSA private key"
    for text in ("", "hello", private, other):
        with pytest.raises(crypto.BadKey):
            crypto.load_public_key(text)


def test_the_published_signature_is_made_and_verified():
    vector = VECTORS["go_sign"]
    key = crypto.load_private_key(vector["private_key_pem"])
    assert crypto.sign(key, vector["message"].encode()) == vector["signature"]
    assert crypto.verify(key.public_key(), vector["message"].encode(), vector["signature"])


def test_a_signature_counts_for_its_message_only(key):
    good, public = crypto.sign(key, b"message"), key.public_key()
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert crypto.verify(public, b"message", good)
    assert not crypto.verify(public, b"message ", good)
    assert not crypto.verify(stranger.public_key(), b"message", good)
    for forged in (
        "",
        "x",
        "é",
        good[:-4],
        f"{good}\n",
        f" {good}",
        good.replace("=", ""),
        f"WECHATPAY/SIGNTEST/{good}",
    ):
        assert not crypto.verify(public, b"message", forged)


def test_the_published_ciphertext_opens_and_is_made():
    vector = VECTORS["java_aead"]
    parts = [vector[name].encode() for name in ("apiv3_key", "nonce", "plaintext", "associated_data")]
    secret, nonce, plaintext, associated = parts
    assert crypto.unseal(secret, nonce, vector["ciphertext"], associated) == plaintext
    assert crypto.seal(secret, nonce, plaintext, associated) == vector["ciphertext"]


def test_a_ciphertext_that_was_touched_does_not_open():
    secret, nonce = b"k" * 32, b"n" * 12
    sealed = crypto.seal(secret, nonce, b"plain", b"data")
    assert crypto.unseal(secret, nonce, sealed, b"data") == b"plain"
    wrong = [
        (b"K" * 32, nonce, sealed, b"data"), (b"short", nonce, sealed, b"data"), (secret, b"N" * 12, sealed, b"data"),
        (secret, b"", sealed, b"data"), (secret, nonce, sealed, b""), (secret, nonce, "AAAA", b"data"),
        (secret, nonce, f"{sealed}\n", b"data"), (secret, nonce, "", b"data"),
    ]  # fmt: skip
    for parts in wrong:
        with pytest.raises(crypto.BadSeal):
            crypto.unseal(*parts)


def test_a_nonce_is_long_plain_and_never_the_same():
    drawn = {crypto.nonce() for _ in range(200)}
    assert len(drawn) == 200
    assert all(len(one) == 32 and one.isalnum() and one.isascii() for one in drawn)
    assert len(crypto.nonce(12)) == 12
