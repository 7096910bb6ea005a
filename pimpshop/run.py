"""`make run`: the whole shop in the foreground, each part a process, ended together.

Here: the list of parts, their environment, and the addresses to open. Not here: watching processes
(`pimpshop.supervisor`), preparing the database (`pimpshop.prepare`), the embedded servers (`pimpshop.embedded`).
The shop's code is loaded once and its parts are forks of that: a third of the memory and of the start-up time of five
separate programs (in production they are separate: docs/howto). The sandbox is a stranger and a program of its own.
Guarantees: one Ctrl-C, SIGTERM or the terminal's end ends every part and, for their last user, the embedded servers;
killed with SIGKILL, the kernel does the same. An address is printed when it answers.
"""

from __future__ import annotations

import gc
import http.client
import importlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import environ

from pimpshop import embedded, prepare, supervisor

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / ".data"
PAGES = (
    ("Shop", "/"),
    ("A machine's screen", "/m/CXYLOGD8OQUK/"),
    ("Admin", "/admin/"),
    ("API docs", "/api/docs/"),
)


def environment() -> dict[str, str]:
    """What the parts are told: like production (no DEBUG) but with the simulators; the environment and `.env` win."""
    if (PROJECT / ".env").exists():
        environ.Env.read_env(PROJECT / ".env")
    port = int(os.environ.get("PORT") or 8000)
    defaults = {
        "HOST": "127.0.0.1",
        "DEBUG": "0",
        "SANDBOX": "1",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "SANDBOX_URL": f"http://127.0.0.1:{port + 1}",
        "SANDBOX_SHOP_URL": f"http://127.0.0.1:{port}",
        "LOG_FORMAT": "console",
        "DJANGO_SETTINGS_MODULE": "pimpshop.settings",
        "MALLOC_ARENA_MAX": "2",  # glibc gives each thread an arena otherwise: a third more memory
        # Pictures are given back to the system when they are done with: without these, a hundred megabytes stay.
        "MALLOC_MMAP_THRESHOLD_": "65536",
        "MALLOC_TRIM_THRESHOLD_": "131072",
        "REMAP_SIGTERM": "SIGQUIT",  # Celery ends at once: a task cut short is found again by its row
    }
    missing = {name: value for name, value in defaults.items() if not os.environ.get(name)}
    return {**os.environ, **missing, "PORT": str(port), "PYTHONUNBUFFERED": "1"}


def load_the_shop() -> None:
    """Import once what the parts share, and keep the garbage collector from touching (so copying) those pages."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    from pimpshop.celery import app

    # Not pimpshop.wsgi: WhiteNoise lists the static files when it is made, and they may be collected only after this.
    for name in (settings.ROOT_URLCONF, "gunicorn.app.wsgiapp", "gunicorn.workers.gthread"):
        importlib.import_module(name)
    app.loader.import_default_modules()
    for connection in connections.all(initialized_only=True):  # a fork must not use its parent's
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    gc.collect()
    gc.freeze()


def parts(env: dict[str, str]) -> list[supervisor.Part]:
    """What runs, in the order of starting."""
    host, port = env["HOST"], int(env["PORT"])
    gunicorn = [
        "--worker-class",
        "gthread",
        "--no-control-socket",
        "--graceful-timeout",
        "5",
        "--log-level",
        "warning",
    ]
    shop = [
        *gunicorn,
        "-w",
        "2",
        "--threads",
        "4",
        "--reuse-port",
        "--preload",
        "-b",
        f"{host}:{port}",
        "pimpshop.wsgi",
    ]
    # gunicorn drops headers with an underscore, and the manufacturer wants `req_source`.
    stranger = [*gunicorn, "-w", "1", "--threads", "16", "--header-map", "dangerous"]
    stranger += ["-b", f"{host}:{port + 1}", "sandbox.wsgi"]
    worker = ["-q", "worker", "-P", "prefork", "-c", "2", "--without-gossip", "--without-mingle"]
    beat = ["-q", "beat", "--schedule", str(DATA / "celerybeat-schedule"), "--pidfile="]
    sandbox = supervisor.Part("sandbox", command=[sys.executable, "-m", "gunicorn", *stranger])
    return [
        *([sandbox] if _simulated(env) else []),
        supervisor.Part("web", call=lambda: _gunicorn(shop), title="gunicorn pimpshop.wsgi"),
        supervisor.Part("worker", call=lambda: _celery(worker), title="celery -A pimpshop worker"),
        supervisor.Part("beat", call=lambda: _celery(beat), title="celery -A pimpshop beat"),
        supervisor.Part("sweep", call=lambda: _manage(["sweep"]), title="manage.py sweep"),
    ]


def _gunicorn(arguments: list[str]) -> None:
    from gunicorn.app import wsgiapp

    sys.argv = ["gunicorn", *arguments]
    wsgiapp.run(prog="gunicorn")


def _celery(arguments: list[str]) -> None:
    from pimpshop.celery import app

    sys.argv = ["celery", *arguments]
    app.start(arguments)


def _manage(arguments: list[str]) -> None:
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *arguments])


def ports_taken(env: dict[str, str]) -> list[int]:
    """Those of our ports on which somebody listens. With SO_REUSEPORT two shops would share one and nobody would know."""
    taken = []
    for port in (int(env["PORT"]), *([int(env["PORT"]) + 1] if _simulated(env) else [])):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((env["HOST"], port))
            except OSError:
                taken.append(port)
    return taken


def status_of(port: int, path: str, seconds: float = 5) -> int:
    """The HTTP status of a page of ours, 0 when nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def announce(env: dict[str, str]) -> bool:
    """Print the addresses once web and sandbox answer; whether they did."""
    port, sandbox = int(env["PORT"]), _simulated(env)
    if (sandbox and not status_of(port + 1, "/", 1)) or status_of(port, "/healthz", 1) != 200:
        return False
    shop = f"http://{'127.0.0.1' if env['HOST'] in ('0.0.0.0', '::') else env['HOST']}"  # noqa: S104
    rows = [(name, port, path) for name, path in PAGES]
    outside = [("Sandbox (machine, print bay, faults)", "/"), ("Mailbox (what the shop mails)", "/mailbox/")]
    rows += [(name, port + 1, path) for name, path in outside] if sandbox else []
    print("\nThe shop is open:", flush=True)
    for name, number, path in rows:
        status = status_of(number, path)
        print(f"  {name:<38}{shop}:{number}{path}{'' if 200 <= status < 400 else f'   (answers {status})'}")
    print(_log_ins(), flush=True)
    print("Ctrl-C ends everything.\n", flush=True)
    return True


def _log_ins() -> str:
    """The demo accounts, as seed_demo reported them."""
    report = DATA / "seed_demo.txt"
    lines = report.read_text().splitlines() if report.exists() else []
    return "\n".join(f"    {line.strip()}" for line in lines if "@" in line)


def _simulated(env: dict[str, str]) -> bool:
    """Whether the simulators run."""
    return env["SANDBOX"].strip().lower() in {
        "1",
        "true",
        "yes",
        "on",
        "y",
        "ok",
        "t",
    }  # django-environ's words


def main() -> int:
    """Run until told to end. Exit status 0 after a Ctrl-C or SIGTERM, 1 when the shop cannot run."""
    if "--with-parent" in sys.argv[1:]:
        supervisor.die_with_parent()
    env = environment()
    if (
        os.environ.get("MALLOC_ARENA_MAX") is None
    ):  # the C library reads its settings at the start of a program
        os.execve(sys.executable, [sys.executable, "-m", "pimpshop.run", *sys.argv[1:]], env)  # noqa: S606
    if taken := ports_taken(env):
        print(
            f"Port {taken[0]} is taken. End the program that listens there, or choose another pair of ports: "
            f"PORT={int(env['PORT']) + 100} make run",
            file=sys.stderr,
        )
        return 1
    os.environ.update(env)
    embedded.own_secret_key(DATA)
    if _simulated(env):  # before the settings load: they read the keys
        keys = env.get("SANDBOX_KEYS_DIR") or str(DATA / "sandbox-keys")
        subprocess.run([sys.executable, "-m", "sandbox.keys", keys], cwd=PROJECT, check=True)
    watch = supervisor.Supervisor()
    try:
        watch.end_on_signals()
        if embedded.wanted():
            watch.lease = embedded.start(DATA)
        load_the_shop()
        watch.run_once(supervisor.Part("setup", call=prepare.main))
        return watch.run(parts(env), ready=lambda: announce(env))
    except supervisor.Ended:
        return 0
    except (embedded.EmbeddedServersError, supervisor.PartFailed) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        watch.close()


if __name__ == "__main__":
    sys.exit(main())
