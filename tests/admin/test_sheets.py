"""Files at the desk: a list taken out as it is shown; a sheet looked at first, then brought in once."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError

from catalog.models import PhoneBrand, Price
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db
BRANDS, SHELLS = "/admin/catalog/phonebrand/", "/admin/catalog/shell/"
FILE = "manufacturer_id,name,slug\nBR1,Pear,\nBR2,Plum,plum\n"


def send(desk: Any, page: str, text: str) -> Any:
    return desk.client.post(f"{page}sheet/", {"file": SimpleUploadedFile("sheet.csv", text.encode())})


def yes(desk: Any, page: str, shown: Any, **more: str) -> Any:
    form = shown.context["form"]
    hidden = {name: form[name].value() for name in ("text", "seen", "once")}
    return desk.client.post(f"{page}sheet/", {**hidden, "reason": "new season", **more})


def lines(answer: Any) -> list[str]:
    return b"".join(answer.streaming_content).decode().lstrip("\ufeff").splitlines()


@pytest.fixture
def brand() -> PhoneBrand:
    return factories.brand(manufacturer_id="BR1", name="Apple", slug="apple", name_zh="苹果")


def test_a_list_is_taken_out_as_it_is_shown(admin: Any, brand: PhoneBrand) -> None:
    factories.brand(manufacturer_id="BR2", name="=1+1", name_zh="", slug="odd", is_active=False)
    page = admin.list("catalog_phonebrand", is_active__exact="0")
    assert [link for _text, link in page.context["sheet_links"]] == [
        f"{BRANDS}sheet.csv?is_active__exact=0", f"{BRANDS}sheet/",
    ]  # fmt: skip
    answer = admin.client.get(f"{BRANDS}sheet.csv", {"is_active__exact": "0"})
    assert lines(answer) == ["manufacturer_id,name,name_zh,slug,shown,order", "BR2,'=1+1,,odd,no,100"]
    assert len(lines(admin.client.get(f"{BRANDS}sheet.csv", {"q": "BR1"}))) == 2
    assert AuditEntry.objects.count() == 0


def test_shells_are_taken_out_with_what_their_cases_cost(admin: Any) -> None:
    shell = factories.sellable_shell(manufacturer_id="MS1")
    factories.price(shell.model.product, amount_minor=2100)
    [header, row] = lines(admin.client.get(f"{SHELLS}sheet.csv"))
    assert header.split(",")[-1] == "price GBP"
    assert (row.split(",")[1], row.split(",")[-1]) == ("MS1", "21.00")


def test_it_is_looked_at_first_and_brought_in_once(admin: Any, brand: PhoneBrand) -> None:
    shown = send(admin, BRANDS, FILE)
    assert [(str(title), number) for title, number, _lines in shown.context["groups"]] == [
        ("Added", 1),
        ("Changed", 1),
    ]
    assert shown.context["may_apply"] is True
    assert (PhoneBrand.objects.count(), AuditEntry.objects.count()) == (1, 0)
    answers = [yes(admin, BRANDS, shown) for _n in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert admin.said(answers[1]) == [
        "Added: 1. Changed: 1. Left alone: 0.", "This was sent twice; it was done once.",
    ]  # fmt: skip
    assert list(PhoneBrand.objects.order_by("pk").values_list("name", flat=True)) == ["Pear", "Plum"]
    assert AuditEntry.objects.count() == 2


def test_what_failed_is_not_told_as_done(
    admin: Any, brand: PhoneBrand, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = send(admin, BRANDS, FILE)
    with monkeypatch.context() as broken:
        broken.setattr(PhoneBrand, "save", fails)
        with pytest.raises(OperationalError):
            yes(admin, BRANDS, shown)
    assert list(PhoneBrand.objects.values_list("name", flat=True)) != ["Pear", "Plum"]
    assert admin.said(yes(admin, BRANDS, shown)) == ["Added: 1. Changed: 1. Left alone: 0."]


def fails(*args: Any, **more: Any) -> None:
    raise OperationalError("deadlock detected")


def test_a_reason_is_needed(admin: Any, brand: PhoneBrand) -> None:
    shown = send(admin, BRANDS, FILE)
    again = yes(admin, BRANDS, shown, reason=" ")
    assert (again.status_code, "reason" in again.context["form"].errors) == (200, True)
    assert PhoneBrand.objects.count() == 1


def test_what_changed_meanwhile_is_shown_again(admin: Any, brand: PhoneBrand) -> None:
    shown = send(admin, BRANDS, FILE)
    PhoneBrand.objects.update(name="Quince")
    again = yes(admin, BRANDS, shown)
    assert again.status_code == 200
    assert again.context["groups"][1][2][0].changes[0]["before"] == "Quince"
    assert (PhoneBrand.objects.count(), AuditEntry.objects.count()) == (1, 0)
    assert yes(admin, BRANDS, again).status_code == 302
    assert PhoneBrand.objects.count() == 2


def test_a_wrong_line_cannot_be_brought_in(admin: Any, brand: PhoneBrand) -> None:
    shown = send(admin, BRANDS, FILE + "BR3,,\n")
    assert (shown.context["is_wrong"], shown.context["may_apply"]) == (True, False)
    assert "“name” is empty; a new row needs it." in shown.content.decode()
    assert yes(admin, BRANDS, shown).status_code == 200
    assert PhoneBrand.objects.count() == 1


def test_a_file_that_is_none_is_said(admin: Any) -> None:
    shown = send(admin, BRANDS, "colour\nx\n")
    assert shown.context["form"].errors["file"] == [
        "Nothing here is called “colour”. The first line names the columns."
    ]
    assert admin.client.post(f"{BRANDS}sheet/", {}).status_code == 200
    assert admin.client.get(f"{BRANDS}sheet/").status_code == 200


def test_an_unusual_price_is_ticked(admin: Any) -> None:
    shell = factories.sellable_shell(manufacturer_id="MS1")
    text = f"model,manufacturer_id,price GBP\n{shell.model.manufacturer_id},MS1,1.00\n"
    shown = send(admin, SHELLS, text)
    assert yes(admin, SHELLS, shown).status_code == 200
    assert Price.objects.count() == 1
    assert yes(admin, SHELLS, shown, sure="on").status_code == 302
    assert Price.objects.counting().get().amount_minor == 100


@pytest.mark.parametrize(
    ("role", "may"), [("operator", True), ("finance", False), ("support", False), ("developer", False)]
)
def test_who_brings_in(member: Any, brand: PhoneBrand, role: str, may: bool) -> None:
    desk = member(role)
    assert desk.client.get(f"{BRANDS}sheet.csv").status_code == 200
    assert desk.client.get(f"{BRANDS}sheet/").status_code == (200 if may else 403)
    assert send(desk, BRANDS, FILE).status_code == (200 if may else 403)
    assert len(desk.list("catalog_phonebrand").context["sheet_links"]) == (2 if may else 1)
    if not may:
        sent = {"text": FILE, "seen": "x", "once": "y", "reason": "r"}
        assert desk.client.post(f"{BRANDS}sheet/", sent).status_code == 403
    assert PhoneBrand.objects.count() == 1


def test_an_operator_sets_no_price_by_file(member: Any) -> None:
    shell = factories.sellable_shell(manufacturer_id="MS1")
    desk = member("operator")
    shown = send(desk, SHELLS, f"model,manufacturer_id,price GBP\n{shell.model.manufacturer_id},MS1,15\n")
    assert shown.context["is_wrong"] is True
    yes(desk, SHELLS, shown)
    assert Price.objects.get().amount_minor == 1999


def test_finance_brings_in_prices_and_nothing_else(member: Any) -> None:
    shell = factories.sellable_shell(manufacturer_id="MS1")
    desk, key = member("finance"), f"{shell.model.manufacturer_id},MS1"
    shown = send(desk, SHELLS, f"model,manufacturer_id,sku,price GBP\n{key},other,15\n")
    assert shown.context["groups"][0][2][0].errors == [
        "You may set prices only. Leave everything else as it stands."
    ]
    shown = send(desk, SHELLS, f"model,manufacturer_id,sku,price GBP\n{key},,15\n")
    assert yes(desk, SHELLS, shown).status_code == 302
    shell.refresh_from_db()
    assert (shell.sku, Price.objects.counting().get().amount_minor) == ("", 1500)


def test_a_stranger_is_kept_out(viewer: Any, brand: PhoneBrand) -> None:
    desk = viewer("core.view_staffitem")
    assert desk.client.get(f"{BRANDS}sheet.csv").status_code == 403
    assert desk.client.get(f"{BRANDS}sheet/").status_code == 403
