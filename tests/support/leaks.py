"""Looking for secrets where none may be: every column of every table, the cache and broker, files, captured logs.

`Secret` has a name that is shown and a value that is not. Card numbers are also found with spaces or hyphens in them; a
CVC is short, so it counts only where it stands as a value of its own or beside its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Secret:
    name: str
    value: str = field(repr=False)
    cvc: bool = False

    def stands_in(self, text: str) -> bool:
        if self.cvc:
            alone = rf"""(?:cvc|cvv|cvn|code)\W{{1,8}}{self.value}(?!\d)|["'=:]\s?{self.value}["'&\s]"""
            return re.search(alone, text, re.IGNORECASE) is not None
        if self.value in text:
            return True
        digits = self.value.isdigit() and self.value[-4:] in text
        return digits and self.value in re.sub(r"(?<=\d)[ -](?=\d)", "", text)


def look(where: str, text: str, secrets: Iterable[Secret]) -> Iterator[str]:
    """ "<where>: <name of the secret>" for each one in the text."""
    for secret in secrets:
        if secret.stands_in(text):
            yield f"{where}: {secret.name}"


def in_database(secrets: list[Secret]) -> Iterator[str]:
    """Every row of every table, as text."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}" IS NOT NULL')
            text = "\n".join(str(value) for (value,) in cursor.fetchall())
            yield from look(f"{table}.{column}", text, secrets)


def in_redis(secrets: list[Secret]) -> Iterator[str]:
    """Every key of the cache's and the broker's database, whatever its kind."""
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=30) as client:
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            value: object = ""
            if kind == b"string":
                value = client.get(key)
            elif kind == b"list":
                value = client.lrange(key, 0, -1)
            elif kind == b"hash":
                value = client.hgetall(key)
            elif kind == b"set":
                value = client.smembers(key)
            elif kind == b"zset":
                value = client.zrange(key, 0, -1)
            yield from look(f"redis {key[:40]!r}", f"{key!r} {value!r}", secrets)


def in_files(folder: Path, secrets: list[Secret]) -> Iterator[str]:
    """Every file below `folder`."""
    for path in folder.rglob("*"):
        if path.is_file():
            text = f"{path.name}\n{path.read_bytes().decode('latin-1')}"
            yield from look(str(path.relative_to(folder)), text, secrets)
