"""Sheets of the catalogue: what is taken out comes in again unchanged; one wrong line and nothing is done."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from catalog.models import CaseProduct, PhoneBrand, PhoneModel, Price, Shell
from catalog.services import importing
from catalog.services.sheet_columns import BRANDS, MODELS, SHELLS, Sheet, Unreadable
from pimpshop.core import sheets
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


PRICES = importing.Rights(to_price=True)


def look(sheet: Sheet, text: str, **more: Any) -> importing.Report:
    return importing.run(sheet, importing.read(text.encode(), sheet), actor="op@example.com", **more)


def do(sheet: Sheet, text: str, **more: Any) -> importing.Report:
    return look(sheet, text, reason="new season", seen=look(sheet, text, **more).fingerprint, **more)


def taken_out(sheet: Sheet) -> str:
    rows = importing.rows(sheet, sheet.model.objects.select_related(*sheet.related))
    return "".join(sheets.lines(importing.header(sheet), rows))


def cells(report: importing.Report) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    return [
        (line.verb, line.key, [(c["field"], c["before"], c["after"]) for c in line.changes])
        for line in report.lines
    ]


@pytest.mark.parametrize("sheet", [BRANDS, MODELS, SHELLS], ids=lambda sheet: sheet.name)
def test_what_was_taken_out_changes_nothing(sheet: Sheet) -> None:
    brand = factories.brand(name="=SUM(1)", name_zh="＋牌")
    shell = factories.shell(model=factories.model(brand=brand))
    factories.price(factories.product(shell.model))
    factories.price(shell.model.product, currency="CREDITS", amount_minor=1500)
    before = list(sheet.model.objects.values())
    report = do(sheet, taken_out(sheet))
    assert {line.verb for line in report.lines} == {"same"}
    assert (report.done, list(sheet.model.objects.values())) == (False, before)
    assert (Price.objects.count(), AuditEntry.objects.count()) == (2, 0)


def test_brands_are_added_and_changed() -> None:
    factories.brand(manufacturer_id="BR1", name="Apple", slug="apple", is_active=True, sort_order=10)
    text = "manufacturer_id,name,slug,shown,order\nBR1,Apple Inc,,no,\nBR2,Fairphone,fairphone,yes,30\n"
    seen = look(BRANDS, text)
    assert cells(seen) == [
        ("changed", "BR1", [("name", "Apple", "Apple Inc"), ("shown", "yes", "no")]),
        ("added", "BR2", [("manufacturer_id", "", "BR2"), ("name", "", "Fairphone"), ("slug", "", "fairphone"),
                          ("shown", "", "yes"), ("order", "", "30")]),
    ]  # fmt: skip
    assert (PhoneBrand.objects.count(), PhoneBrand.objects.get().name) == (1, "Apple")
    assert do(BRANDS, text).done is True
    assert list(PhoneBrand.objects.order_by("pk").values_list("name", "slug", "is_active", "sort_order")) == [
        ("Apple Inc", "apple", False, 10), ("Fairphone", "fairphone", True, 30),
    ]  # fmt: skip
    assert list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "subject", "reason")) == [
        ("op@example.com", "changed by file: brands", "BR1", "new season"),
        ("op@example.com", "added by file: brands", "BR2", "new season"),
    ]  # fmt: skip
    assert AuditEntry.objects.order_by("pk")[0].data["changes"][0] == {
        "field": "name", "before": "Apple", "after": "Apple Inc",
    }  # fmt: skip


def test_one_wrong_line_and_nothing_is_done() -> None:
    brand = factories.brand(manufacturer_id="BR1")
    text = "manufacturer_id;brand;name;shown;order\nMM1;BR1;Good;yes;1\nMM2;BR9;Bad;perhaps;x\nMM3;;;;\nMM1;BR1;Twice;;\n"
    report = do(MODELS, text)
    assert (report.done, PhoneModel.objects.count(), AuditEntry.objects.count()) == (False, 0, 0)
    assert [(line.number, line.verb, line.errors) for line in report.lines] == [
        (2, "added", []),
        (3, "wrong", ["brand: There is no brand “BR9”.", "shown: “perhaps” is neither yes nor no.", "order: “x” is no whole number."]),
        (4, "wrong", ["“brand” is empty; a new row needs it.", "“name” is empty; a new row needs it."]),
        (5, "wrong", ["The same row stands in the file twice."]),
    ]  # fmt: skip
    assert brand.models.count() == 0


def test_shells_with_their_prices() -> None:
    model = factories.model(manufacturer_id="MM1", name="Phone")
    colour = factories.colour(slug="black")
    old = factories.shell(model=model, colour=colour, manufacturer_id="MS1")
    factories.price(factories.product(model), amount_minor=1999)
    text = (
        "model\tmanufacturer_id\tcolour\twidth_mm\theight_mm\tprice GBP\tprice CREDITS\n"
        "MM1\tMS1\t\t74.5\t\t21.00\t1500\nMM1\tMS2\tblack\t71.50\t147.6\t21.00\t\n"
    )
    report = do(SHELLS, text, rights=PRICES)
    assert cells(report)[0] == (
        "changed", "MM1 MS1",
        [("width_mm", "73.24", "74.5"), ("price GBP", "19.99 GBP", "21.00 GBP"), ("price CREDITS", "", "1500 CREDITS")],
    )  # fmt: skip
    assert [line.verb for line in report.lines] == ["changed", "added"]
    old.refresh_from_db()
    assert (old.width_mm, old.height_mm) == (Decimal("74.50"), Decimal("149.27"))
    new = Shell.objects.get(manufacturer_id="MS2")
    assert (new.colour, new.width_mm, new.cutouts) == (colour, Decimal("71.50"), [])
    assert (new.is_active, old.is_active) == (
        False,
        True,
    )  # it is sold when somebody has drawn its camera holes
    counting = Price.objects.counting().filter(product=model.product).order_by("currency")
    assert [str(price) for price in counting] == ["1500 CREDITS", "21.00 GBP"]
    assert set(counting.values_list("actor", "reason")) == {("op@example.com", "new season")}


def test_the_first_price_makes_the_case() -> None:
    factories.shell(model=factories.model(manufacturer_id="MM1", name="Phone"), manufacturer_id="MS1")
    text = "model,manufacturer_id,price USD\nMM1,MS1,24.99\n"
    assert look(SHELLS, text, rights=PRICES).lines[0].verb == "changed"
    assert (CaseProduct.objects.count(), Price.objects.count()) == (0, 0)
    assert do(SHELLS, text, rights=PRICES).done is True
    case = CaseProduct.objects.get()
    assert (case.sku, case.name, case.prices.get().amount_minor) == ("case-mm1", "Phone case", 2499)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("MM1,MS1,9,,", "price GBP: you may not set prices. Leave the cell empty."),
        ("MM1,MS1,1.234,,", "This is no exact amount of that currency, such as 19.99."),
        ("MM1,MS1,0,,", "A price is more than nothing."),
        ("MM1,MS1,,wide,", "width_mm: “wide” is no number of millimetres, such as 71.50."),
        ("MM1,MS1,,20,", "With these sizes it is no possible case, or a camera hole lies outside of it."),
        (
            "MM1,MS1,,,blue",
            "colour: There is no colour “blue”. Its short name is asked, such as natural-titanium.",
        ),
        ("MM9,MS1,,,", "There is no phone model “MM9”."),
        (",MS1,,,", "The cell “model” is empty: it says which row is meant."),
    ],
)
def test_what_is_wrong_is_said_in_words(line: str, told: str) -> None:
    shell = factories.shell(model=factories.model(manufacturer_id="MM1"), manufacturer_id="MS1")
    factories.price(factories.product(shell.model))
    report = do(SHELLS, f"model,manufacturer_id,price GBP,width_mm,colour\n{line}\n")
    assert report.lines[0].errors == [told]
    assert (report.done, Price.objects.count()) == (False, 1)


def test_two_prices_for_one_case_are_refused() -> None:
    model = factories.model(manufacturer_id="MM1")
    for name in ("MS1", "MS2"):
        factories.shell(model=model, manufacturer_id=name)
    report = do(SHELLS, "model,manufacturer_id,price USD\nMM1,MS1,10\nMM1,MS2,11\n", rights=PRICES)
    assert [line.verb for line in report.lines] == ["changed", "wrong"]
    assert Price.objects.count() == 0


def test_an_unusual_price_is_marked() -> None:
    shell = factories.shell(model=factories.model(manufacturer_id="MM1"), manufacturer_id="MS1")
    factories.price(factories.product(shell.model), amount_minor=1999)
    report = look(SHELLS, "model,manufacturer_id,price GBP\nMM1,MS1,1.99\n", rights=PRICES)
    assert (report.lines[0].unusual, report.is_unusual) == (True, True)


def test_what_changed_since_it_was_seen_is_not_done() -> None:
    brand = factories.brand(manufacturer_id="BR1", name="Apple")
    text = "manufacturer_id,name\nBR1,Pear\n"
    seen = look(BRANDS, text).fingerprint
    PhoneBrand.objects.update(name="Plum")
    report = look(BRANDS, text, seen=seen)
    brand.refresh_from_db()
    assert (report.done, brand.name) == (False, "Plum")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty."),
        (b"manufacturer_id,name\n", "The file has no lines below its first one."),
        (
            b"manufacturer_id,colour\nBR1,x\n",
            "Nothing here is called “colour”. The first line names the columns.",
        ),
        (b"name\nx\n", "The column “manufacturer_id” is missing: it says which row is meant."),
        (b"manufacturer_id,name,name\nx,y,z\n", "The column “name” is there twice."),
        ("名".encode("gbk"), "The file is no text in UTF-8. In Excel, choose “CSV UTF-8” when saving."),
        (
            b"manufacturer_id\n\x00\n",
            "The file is no text in UTF-8. In Excel, choose “CSV UTF-8” when saving.",
        ),
        (b'manufacturer_id,name\n"x,y\n', "The file is no CSV: a quotation mark is not closed."),
        (b"manufacturer_id\n" + b"x\n" * 501, "The file has more than 500 lines. Please send it in parts."),
        (b"x" * (512 * 1024 + 1), "The file is larger than 512 KB. Please send it in parts."),
    ],
)
def test_a_file_that_is_none(data: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=f"^{re.escape(told)}$"):
        importing.read(data, BRANDS)


def test_a_name_twice_is_said() -> None:
    factories.brand(manufacturer_id="BR1", slug="apple")
    report = do(BRANDS, "manufacturer_id,name,slug\nBR2,Other,apple\n")
    assert report.lines[0].errors == ["slug: Brand with this Slug already exists."]
    assert PhoneBrand.objects.count() == 1
