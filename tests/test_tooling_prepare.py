"""What `make run` skips and what it does again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pimpshop import prepare


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A project directory of our own, and the list of what was done there."""
    done: list[str] = []

    def command(name: str, stdout: Any = None, **options: Any) -> None:
        done.append(name)
        if stdout:
            stdout.write(f"admin@example.com password-{len(done)}\n")

    class Collecting:
        returncode = 0

        def __init__(self, words: list[str], **options: Any) -> None:
            done.append(words[2])
            (tmp_path / "staticfiles").mkdir(exist_ok=True)

        def wait(self) -> int:
            return self.returncode

    (tmp_path / ".data").mkdir()
    monkeypatch.setattr(prepare, "PROJECT", tmp_path)
    monkeypatch.setattr(prepare, "STAMP", tmp_path / ".data" / "prepared.json")
    monkeypatch.setattr(prepare, "SEED_REPORT", tmp_path / ".data" / "seed_demo.txt")
    monkeypatch.setattr("django.core.management.call_command", command)
    monkeypatch.setattr("subprocess.Popen", Collecting)
    return done


def stand(monkeypatch: pytest.MonkeyPatch, **state: str) -> None:
    monkeypatch.setattr(prepare, "state", lambda: {"database": "1:1", "code": "a", "static": "s", **state})


def test_the_second_time_nothing_is_done(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stand(monkeypatch)
    assert prepare.main() == 0
    assert done == ["collectstatic", "migrate", "seed_demo"]
    done.clear()
    assert prepare.main() == 0
    assert done == []


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"database": "1:2"}, ["migrate", "seed_demo"]),
        ({"code": "b"}, ["migrate", "seed_demo"]),
        ({"static": "t"}, ["collectstatic"]),
    ],
)
def test_what_has_changed_is_done_again(
    done: list[str], monkeypatch: pytest.MonkeyPatch, change: dict[str, str], again: list[str]
) -> None:
    stand(monkeypatch)
    prepare.main()
    done.clear()
    stand(monkeypatch, **change)
    assert prepare.main() == 0
    assert done == again
    assert json.loads(prepare.STAMP.read_text()) == prepare.state()


def test_the_log_ins_of_the_first_seeding_are_kept_for_the_same_database(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(monkeypatch)
    prepare.main()
    assert prepare.SEED_REPORT.read_text() == "1:1\nadmin@example.com password-3\n"
    assert prepare.SEED_REPORT.stat().st_mode & 0o777 == 0o600
    stand(monkeypatch, code="b")
    prepare.main()
    assert prepare.SEED_REPORT.read_text() == "1:1\nadmin@example.com password-3\n"
    stand(monkeypatch, database="1:2")
    prepare.main()
    assert prepare.SEED_REPORT.read_text() == "1:2\nadmin@example.com password-7\n"


def test_a_failed_collection_is_not_stamped(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stand(monkeypatch)
    monkeypatch.setattr(prepare.subprocess.Popen, "returncode", 3)
    assert prepare.main() == 3
    assert not prepare.STAMP.exists()


def test_a_fingerprint_sees_new_changed_and_removed_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "PROJECT", tmp_path)
    (tmp_path / "app" / "__pycache__").mkdir(parents=True)
    (tmp_path / "app" / "a.py").write_text("1")
    seen = [prepare.fingerprint("app")]
    (tmp_path / "app" / "__pycache__" / "a.pyc").write_text("1")
    assert prepare.fingerprint("app") == seen[0]
    (tmp_path / "app" / "b.py").write_text("2")
    seen.append(prepare.fingerprint("app"))
    (tmp_path / "app" / "b.py").write_text("22")
    seen.append(prepare.fingerprint("app"))
    (tmp_path / "app" / "a.py").unlink()
    seen.append(prepare.fingerprint("app"))
    assert len(set(seen)) == 4


@pytest.mark.django_db
def test_a_database_made_anew_is_another_database() -> None:
    import psycopg
    from django.db import connection

    wanted = connection.get_connection_params()
    names = {key: wanted[key] for key in ("host", "port", "user", "password") if wanted.get(key)}
    own = f"{wanted['dbname']}_identity"
    with psycopg.connect(dbname=wanted["dbname"], **names, autocommit=True) as admin:
        identities = []
        for _ in range(2):
            admin.execute(f'drop database if exists "{own}"')
            admin.execute(f'create database "{own}" template template0')
            identities.append(prepare.database_identity(psycopg.conninfo.make_conninfo(dbname=own, **names)))
        admin.execute(f'drop database "{own}" with (force)')
    assert identities[0] != identities[1]
    assert identities[0].split(":")[0] == identities[1].split(":")[0]


def test_nothing_asks_the_database_while_the_shop_is_loaded_for_its_forks() -> None:
    """A connection of the loading process would be shared by all that are forked from it, and none could use it."""
    code = (
        "from pimpshop import run\n"
        "from django.db.backends.postgresql import base\n"
        "def refuse(*_): raise SystemExit('asked the database while loading')\n"
        "base.DatabaseWrapper.get_new_connection = refuse\n"
        "run.load_the_shop()\n"
        "print('loaded', base.DatabaseWrapper._connection_pools)\n"
    )
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pimpshop.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/x",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        cwd=prepare.PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.returncode) == ("loaded {}\n", 0), done.stderr[-2000:]
