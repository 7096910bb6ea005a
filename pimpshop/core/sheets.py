"""Files for a spreadsheet: CSV, line by line, that no program takes for anything but text and numbers.

Guarantees: begins with a byte order mark, by which Excel knows UTF-8; no cell can be a formula; rows are read as they are
sent, whatever their number. Units are the caller's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Line:
    """What csv.writer writes to: the line comes back instead of being kept."""

    def write(self, line: str) -> str:
        return line


def lines(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file's lines. Text cells go through `plain`; numbers are the caller's own and stay as they are."""
    write = csv.writer(_Line()).writerow
    yield "\ufeff" + write(list(header))
    for row in rows:
        yield write([plain(cell) if isinstance(cell, str) else cell for cell in row])


def plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before what looks like one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def answer(name: str, header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    """The file as a download called `name`."""
    response = StreamingHttpResponse(lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
