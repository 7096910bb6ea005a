"""The key pairs that a real provider's merchant site would exchange: the merchant's own and the provider's.

`python -m sandbox.keys DIR` makes what is missing (2048-bit RSA, PEM); nothing that stands is replaced. Both sides read
the same directory: the shop its private keys and the providers' public ones, the simulators the rest.
"""

import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PAIRS = ("wechat_merchant", "wechat_platform", "alipay_app", "alipay_platform")


def ensure(directory: Path) -> None:
    """Make the missing pairs `<name>.private.pem` and `<name>.public.pem`. Safe with several at once: the first wins."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in PAIRS:
        private = directory / f"{name}.private.pem"
        if not private.exists():
            _place(private, _new_private_key())
        key = serialization.load_pem_private_key(private.read_bytes(), None)
        public = directory / f"{name}.public.pem"
        if not public.exists():
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            _place(public, key.public_key().public_bytes(serialization.Encoding.PEM, form))


def _new_private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _place(path: Path, content: bytes) -> None:
    """All or nothing, and never over what somebody else has put there meanwhile."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


if __name__ == "__main__":
    ensure(Path(sys.argv[1]))
