"""Bringing in a sheet of the catalogue: what it would add, change and leave alone, line by line; then all of it, or nothing.

Lives here: reading the file, doing it. Not here: the columns (`sheet_columns`), the pages (admin.sheets), what is taken out.
Guarantees: the look and the deed are the same code in one transaction, which a look undoes; what was shown must still be true
when it is done; one wrong line and nothing is done; an empty cell leaves what stands, and nothing is ever removed. Each row
that is added or changed leaves its audit entry.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from catalog.models import CaseProduct, PhoneModel, Price, Shell
from catalog.services import geometry, prices
from catalog.services.sheet_columns import Column, Sheet, Unreadable, value_of
from pimpshop.core import errors, idempotency, sheets
from pimpshop.core.models import AuditEntry
from pimpshop.core.money import EXPONENTS

MOST_BYTES = 512 * 1024
MOST_LINES = 500
PRICE = "price "
_LOCK = 7_220_031


@dataclass
class Line:
    """What becomes of one line. `changes`: {"field", "before", "after"}; `unusual`: prices to look at twice."""

    number: int
    key: str = ""
    verb: str = "same"  # added, changed, same, wrong
    changes: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unusual: bool = False


@dataclass(frozen=True)
class Report:
    lines: list[Line]
    done: bool = False

    def of(self, verb: str) -> list[Line]:
        return [line for line in self.lines if line.verb == verb]

    @property
    def is_unusual(self) -> bool:
        return any(line.unusual for line in self.lines)

    @property
    def fingerprint(self) -> str:
        told = [[line.number, line.key, line.verb, line.changes, line.unusual] for line in self.lines]
        return idempotency.fingerprint("catalogue sheet", told)


@dataclass(frozen=True)
class Rights:
    """What whoever sends it may do: to the rows, and to prices."""

    to_change: bool = True
    to_price: bool = False


@dataclass(frozen=True)
class Table:
    header: list[str]
    rows: list[tuple[int, dict[str, str]]]


# --- taking out
def header(sheet: Sheet) -> list[str]:
    return [*(column.name for column in sheet.columns), *(PRICE + code for code in _currencies(sheet))]


def rows(sheet: Sheet, found: Iterable[Any]) -> Iterator[list[str]]:
    """The file's lines of these rows, with what their cases cost now."""
    codes = _currencies(sheet)
    costs = _costs() if codes else {}
    for row in found:
        told = (costs.get((row.model_id, code)) for code in codes)
        yield [*sheet.cells(row), *(f"{price.money.to_decimal():f}" if price else "" for price in told)]


def _currencies(sheet: Sheet) -> list[str]:
    """Those in which any case has a price."""
    if not sheet.prices:
        return []
    found = Price.objects.counting().filter(product__caseproduct__isnull=False)
    return sorted(set(found.order_by().values_list("currency", flat=True)))


def _costs() -> dict[tuple[int, str], Price]:
    found = (
        Price.objects.counting()
        .filter(product__caseproduct__isnull=False)
        .select_related("product__caseproduct")
    )
    return {(price.product.caseproduct.phone_model_id, price.currency): price for price in found}


# --- reading a file
def read(data: bytes, sheet: Sheet) -> Table:
    """The lines of a CSV file with commas, semicolons or tabs. Raises Unreadable, in words for whoever sent it."""
    if len(data) > MOST_BYTES:
        raise Unreadable(_("The file is larger than 512 KB. Please send it in parts."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(
            _("The file is no text in UTF-8. In Excel, choose “CSV UTF-8” when saving.")
        ) from None
    if "\x00" in text:
        raise Unreadable(_("The file is no text in UTF-8. In Excel, choose “CSV UTF-8” when saving."))
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise Unreadable(_("The file is no CSV: a quotation mark is not closed.")) from None
    if not found:
        raise Unreadable(_("The file is empty."))
    names = [name.strip() for name in found[0]]
    _must_be_known(names, sheet)
    table = [
        (number, {name: _cell(cell) for name, cell in zip(names, row, strict=False)})
        for number, row in enumerate(found[1:], 2)
        if any(cell.strip() for cell in row)
    ]
    if not table:
        raise Unreadable(_("The file has no lines below its first one."))
    if len(table) > MOST_LINES:
        raise Unreadable(_("The file has more than %d lines. Please send it in parts.") % MOST_LINES)
    return Table(names, table)


def _must_be_known(names: list[str], sheet: Sheet) -> None:
    allowed = {PRICE + code for code in EXPONENTS} if sheet.prices else set()
    for name in names:
        if sheet.column(name) is None and name not in allowed:
            raise Unreadable(_("Nothing here is called “%s”. The first line names the columns.") % name[:60])
        if names.count(name) > 1:
            raise Unreadable(_("The column “%s” is there twice.") % name)
    for name in sheet.key:
        if name not in names:
            raise Unreadable(_("The column “%s” is missing: it says which row is meant.") % name)


def _cell(text: str) -> str:
    """Without the apostrophe that a file of ours has before what looks like a formula."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and sheets.plain(text[1:]) == text else text


# --- bringing in
def run(
    sheet: Sheet,
    table: Table,
    *,
    actor: str,
    reason: str = "",
    rights: Rights | None = None,
    seen: str | None = None,
) -> Report:
    """Look at what the table would do (`seen` None), or do it if that is still what was `seen`: then `done`."""
    rights = rights or Rights()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        met: dict[str, str] = {}
        lines = [_line(sheet, number, cells, met, actor, reason, rights) for number, cells in table.rows]
        report = Report(lines)
        moved = bool(report.of("added") or report.of("changed"))
        if seen is None or report.of("wrong") or not moved or report.fingerprint != seen:
            transaction.set_rollback(True)
            return report
        _audit(sheet, lines, actor, reason)
    return Report(lines, done=True)


def _line(
    sheet: Sheet,
    number: int,
    cells: dict[str, str],
    met: dict[str, str],
    actor: str,
    reason: str,
    rights: Rights,
) -> Line:
    line = Line(number, " ".join(cells.get(name, "") for name in sheet.key).strip())
    try:
        with transaction.atomic():
            if line.key in met:
                raise Unreadable(_("The same row stands in the file twice."))
            met[line.key] = ""
            row = _row(sheet, cells)
            is_new = row.pk is None
            _fill(sheet, row, cells, line)
            if line.errors:
                transaction.set_rollback(True)
            else:
                if line.changes:
                    if not rights.to_change:
                        raise Unreadable(_("You may set prices only. Leave everything else as it stands."))
                    _save(row)
                _set_prices(row, cells, line, met, actor, reason, rights)
                line.verb = "added" if is_new else "changed" if line.changes else "same"
    except Unreadable as error:
        line.errors.append(str(error))
    except errors.ShopError as error:
        line.errors.append(str(error.message))
    except ValidationError as error:
        line.errors += [f"{name}: {text}" if name != "__all__" else text for name, texts in error.message_dict.items() for text in texts]  # fmt: skip
    except IntegrityError:
        line.errors.append(_("Another row has one of these names or ids already."))
    if line.errors:
        line.verb, line.changes = "wrong", []
    return line


def _row(sheet: Sheet, cells: dict[str, str]) -> Any:
    """The row that the key names, or a new one with that key."""
    key: dict[str, Any] = {}
    for name in sheet.key:
        column = sheet.column(name)
        if column is None or not cells.get(name):
            raise Unreadable(_("The cell “%s” is empty: it says which row is meant.") % name)
        key[column.attribute] = column.read(cells[name])
    found = sheet.model.objects.select_related(*sheet.related).filter(**key).first()
    if found is not None:
        return found
    # A shell without its camera holes is not sold; a file cannot tell them.
    return sheet.model(**key, **({"is_active": False} if sheet.model is Shell else {}))


def _fill(sheet: Sheet, row: Any, cells: dict[str, str], line: Line) -> None:
    """Write the cells into the row; what cannot be read is an error of the line."""
    is_new = row.pk is None
    for column in sheet.columns:
        cell = cells.get(column.name, "")
        if column.only_told or (column.name in sheet.key and not is_new):
            continue
        if not cell:
            if is_new and column.needed:
                line.errors.append(_("“%s” is empty; a new row needs it.") % column.name)
            continue
        try:
            _set(row, column, cell, line, is_new)
        except Unreadable as error:
            line.errors.append(f"{column.name}: {error}")


def _set(row: Any, column: Column, cell: str, line: Line, is_new: bool) -> None:
    value = column.read(cell)
    before = None if is_new else value_of(row, column.attribute)
    if is_new or before != value:
        setattr(row, column.attribute, value)
        told = "" if is_new else column.show(before)
        line.changes.append({"field": column.name, "before": told, "after": column.show(value)})


def _save(row: Any) -> None:
    row.full_clean()
    if isinstance(row, Shell):
        try:
            geometry.must_hold_its_holes(row)
        except (ValueError, TypeError, AttributeError):
            raise Unreadable(
                _("With these sizes it is no possible case, or a camera hole lies outside of it.")
            ) from None
    row.save()


def _set_prices(
    row: Any, cells: dict[str, str], line: Line, met: dict[str, str], actor: str, reason: str, rights: Rights
) -> None:
    """From now on. The same price again is nothing; a case that has none yet is made for its first one."""
    for name, cell in cells.items():
        if not (name.startswith(PRICE) and cell):
            continue
        code = name.removeprefix(PRICE)
        product = _product(row.model)
        costs = Price.objects.counting().filter(product=product, currency=code).first()
        money = prices.money(cell, code)
        if met.setdefault(f"{row.model.manufacturer_id} {name}", str(money)) != str(money):
            raise Unreadable(
                _("%s: the shells of one phone model cost the same; another line says otherwise.") % name
            )
        if costs is not None and costs.money == money:
            continue
        if not rights.to_price:
            raise Unreadable(_("%s: you may not set prices. Leave the cell empty.") % name)
        change = prices.change(product=product, currency=code, amount=cell, starts_at=None)
        prices.set_price(change, actor=actor, reason=reason)
        line.unusual = line.unusual or change.is_absurd
        line.changes.append({"field": name, "before": str(change.before or ""), "after": str(money)})


def _product(model: PhoneModel) -> CaseProduct:
    found = CaseProduct.objects.filter(phone_model=model).first()
    return found or CaseProduct.objects.create(
        sku=f"case-{model.manufacturer_id.lower()}", name=f"{model.name} case"[:120],
        name_zh=f"{model.name_zh or model.name} 手机壳"[:120], phone_model=model,
    )  # fmt: skip


def _audit(sheet: Sheet, lines: list[Line], actor: str, reason: str) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=actor[:120], action=f"{line.verb} by file: {sheet.name}"[:64], subject=line.key.split()[-1][:120],
            reason=reason[:500], data={"changes": line.changes, "line": line.number},
        )
        for line in lines
        if line.verb in ("added", "changed")
    )  # fmt: skip
