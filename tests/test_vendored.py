"""Committed scripts and fonts of others are what the lock says, each with its licence; `make vendor` refuses other bytes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pimpshop import vendored


def test_every_committed_file_is_in_the_lock_and_unchanged() -> None:
    assert vendored.differences(vendored.lock()) == []
    assert "static/fonts/noto-sans-sc/00.woff2" in vendored.files()
    assert "static/vendor/vendor.json" not in vendored.files()


def test_every_package_is_pinned_and_brings_its_licence() -> None:
    for each in vendored.lock()["packages"]:
        name, _, version = each["package"].rpartition("@")
        assert name, each["package"]
        assert version.replace(".", "").isdigit(), each["package"]
        assert each["integrity"].startswith("sha512-"), name
        assert each["licence"], name
        assert [ours for ours in each["files"] if ours.endswith("-LICENSE.txt")], name


def test_every_font_has_its_licence_beside_it() -> None:
    here = vendored.files()
    for path in (Path(path) for path in here if path.startswith("static/fonts/")):
        if path.suffix in (".otf", ".ttf", ".woff2"):
            font = path.stem if path.parent.name == "fonts" else path.parent.name  # a slice of it
            assert f"static/fonts/OFL-{font}.txt" in here, path


# --- Fetching ---------------------------------------------------------------------------------------------------------
def packed(**members: bytes) -> bytes:
    """An npm tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one script of others, as it was accepted; the registry's answer is `registry` in it."""
    for folder in vendored.FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr(vendored, "PROJECT", tmp_path)
    monkeypatch.setattr(vendored, "LOCK", tmp_path / "static/vendor/vendor.json")

    def fetched(package: str) -> tuple[str, bytes]:
        data = (tmp_path / "registry").read_bytes()
        return "sha512-" + hashlib.sha512(data).hexdigest(), data

    monkeypatch.setattr(vendored, "fetched", fetched)
    (tmp_path / "registry").write_bytes(packed(script=b"good", LICENSE=b"free"))
    names = {"static/vendor/a.js": "script", "static/vendor/a-LICENSE.txt": "LICENSE"}
    locked: dict[str, Any] = {
        "packages": [{"package": "a@1.0.0", "licence": "MIT", "files": names}],
        "sha256": {},
    }
    vendored.LOCK.write_text(json.dumps(locked))
    vendored.refresh(accept=True)
    return tmp_path


def test_refreshing_puts_back_what_was_changed_here(project: Path) -> None:
    (project / "static/vendor/a.js").write_bytes(b"changed")
    assert vendored.differences(vendored.lock()) == ["static/vendor/a.js has other bytes than the lock says"]
    vendored.refresh(accept=False)
    assert (project / "static/vendor/a.js").read_bytes() == b"good"
    assert vendored.differences(vendored.lock()) == []


def test_other_bytes_from_the_registry_are_refused_and_nothing_is_written(project: Path) -> None:
    before = vendored.LOCK.read_text()
    (project / "registry").write_bytes(packed(script=b"evil", LICENSE=b"free"))
    with pytest.raises(vendored.Refused, match=r"a@1\.0\.0: its integrity is"):
        vendored.refresh(accept=False)
    assert (project / "static/vendor/a.js").read_bytes() == b"good"
    assert vendored.LOCK.read_text() == before


def test_a_file_that_nobody_vouches_for_is_told(project: Path) -> None:
    (project / "static/vendor/b.js").write_bytes(b"?")
    assert vendored.differences(vendored.lock()) == [
        "static/vendor/b.js is not in the lock",
        "static/vendor/b.js belongs to no package",
    ]
