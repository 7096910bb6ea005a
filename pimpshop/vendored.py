"""Scripts and fonts of others that are committed: where each comes from and what its bytes are. `make vendor`.

The lock is static/vendor/vendor.json. `packages`: npm package with version and integrity, its licence, and which of our
files are which of its own, unchanged. `sha256`: every file of static/vendor and static/fonts; the fonts are cut to size
by hand (static/fonts/README.md says how), so their bytes are held and not fetched.
`make vendor` fetches the packages anew and puts their files in place; what differs from the lock is refused, and nothing is
written. To move to another version: write it into `package` and the new file names into `files`, then
`make vendor ARGS=--accept`, which writes the new integrity and hashes; look at the difference before you commit it.
Needs npm and its registry; the shop itself never does. Tested: tests/test_vendored.py.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "static" / "vendor" / "vendor.json"
FOLDERS = ("static/vendor", "static/fonts")
#: Words of our own about the files, which may change.
OWN = {"README.md", LOCK.name}


class Refused(Exception):
    """What was fetched, or what stands here, is not what the lock says."""


def lock() -> dict[str, Any]:
    """The lock file."""
    locked: dict[str, Any] = json.loads(LOCK.read_text())
    return locked


def files() -> list[str]:
    """Every file of others, by its path from the project."""
    found = (path for folder in FOLDERS for path in (PROJECT / folder).rglob("*"))
    return sorted(str(path.relative_to(PROJECT)) for path in found if path.is_file() and path.name not in OWN)


def sha256(path: str) -> str:
    """Of a file of ours, in hexadecimal."""
    return hashlib.sha256((PROJECT / path).read_bytes()).hexdigest()


def differences(locked: dict[str, Any]) -> list[str]:
    """What stands here and is not what the lock says; sentences."""
    hashes, here = locked["sha256"], files()
    return [
        *(f"{path} is not in the lock" for path in here if path not in hashes),
        *(f"{path} is in the lock and not here" for path in hashes if path not in here),
        *(f"{path} has other bytes than the lock says" for path in here if path in hashes and sha256(path) != hashes[path]),
        *(f"{path} belongs to no package" for path in here if path.startswith(FOLDERS[0]) and path not in origins(locked)),
    ]  # fmt: skip


def origins(locked: dict[str, Any]) -> dict[str, str]:
    """Which package each of our files is from."""
    return {path: each["package"] for each in locked["packages"] for path in each["files"]}


def fetched(package: str) -> tuple[str, bytes]:
    """(integrity, tar file) of "name@version", by npm's own client."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", package, "--ignore-scripts", "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        [path] = Path(folder).glob("*.tgz")
        data = path.read_bytes()
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode(), data


def contents(data: bytes, names: dict[str, str]) -> dict[str, bytes]:
    """The bytes for each of our files: {ours: theirs} from an npm tar file."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {ours: tar.extractfile(f"package/{theirs}").read() for ours, theirs in names.items()}  # type: ignore[union-attr]


def refresh(*, accept: bool) -> None:
    """Fetch all packages and write their files; with `accept` the lock follows what came. Raises Refused."""
    locked = lock()
    written: dict[str, bytes] = {}
    for each in locked["packages"]:
        integrity, data = fetched(each["package"])
        if integrity != each.get("integrity") and not accept:
            raise Refused(f"{each['package']}: its integrity is {integrity}, not the lock's")
        each["integrity"] = integrity
        written |= contents(data, each["files"])
    if not accept:
        for path, data in written.items():
            if hashlib.sha256(data).hexdigest() != locked["sha256"].get(path):
                raise Refused(f"{path}: the package has other bytes than the lock says")
    for path, data in written.items():
        (PROJECT / path).write_bytes(data)
    if accept:
        locked["sha256"] = {path: sha256(path) for path in files()}
        LOCK.write_text(json.dumps(locked, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    try:
        refresh(accept="--accept" in arguments)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    wrong = differences(lock())
    print("\n".join(wrong) or f"{len(files())} files are what static/vendor/vendor.json says.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
