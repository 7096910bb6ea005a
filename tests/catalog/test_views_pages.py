"""The shop window: the start page, and the ways to the studio and to a machine's landing."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog.models import CaseProduct, CreditPack, Price
from pimpshop.core.money import Money
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_an_empty_shop_opens() -> None:
    page = Client().get("/")
    assert page.status_code == 200
    assert (page.context["price_from"], page.context["brands"], page.context["machines"]) == (None, [], [])
    studio = Client().get("/studio/", follow=True)
    assert (studio.status_code, studio.context["brands"]) == (200, [])


def test_the_start_page_shows_what_is_sold_and_where() -> None:
    machine = make.machine(name="Mall A", location="Ground floor")
    make.machine(name="In the cellar", is_active=False)
    cheap = make.sellable_shell(amount_minor=1500)
    dear = make.sellable_shell(amount_minor=1999)
    make.shell()  # without a price
    page = Client().get("/")
    assert page.context["price_from"] == Money(1500, "GBP")
    shown = [name for brand in page.context["brands"] for name in brand["models"]]
    assert sorted(shown) == sorted([cheap.model.name, dear.model.name])
    assert page.context["machines"] == [
        {"name": "Mall A", "location": "Ground floor", "url": f"/m/{machine.machine_id}/"}
    ]
    assert "£15.00" in page.content.decode()
    assert 'href="/studio/"' in page.content.decode()


@pytest.mark.parametrize(("currencies", "shown"), [(("GBP",), "GBP"), (("GBP", "USD"), "USD")])
def test_the_start_page_keeps_to_one_currency_where_cases_have_it(
    currencies: tuple[str, ...], shown: str
) -> None:
    shell = make.sellable_shell(amount_minor=1500)
    product = CaseProduct.objects.get(phone_model=shell.model)
    for currency in currencies[1:]:
        make.price(product, currency=currency, amount_minor=1900)
    pack = CreditPack.objects.create(number=1, sku="few", name="Few", credits=100)
    Price.objects.create(product=pack, currency="USD", amount_minor=200)
    context = Client().get("/").context
    assert context["packs"] == Money(200, "USD")
    assert context["price_from"] == Money({"GBP": 1500, "USD": 1900}[shown], shown)


def test_in_chinese() -> None:
    shell = make.sellable_shell()
    page = Client().get("/", headers={"accept-language": "zh-CN"})
    assert page.context["brands"][0]["name"] == shell.model.brand.name_zh
    assert 'lang="zh-hans"' in page.content.decode()


def test_a_scanned_code_leads_to_the_landing() -> None:
    session = make.session()
    query = f"?qr=true&machine_id={session.machine.machine_id}&session_id={session.session_id}"
    page = Client().get(f"/{query}")
    assert page.status_code == 200
    assert page.context["state"] == "ready"
    assert page.context["machine_name"] == session.machine.name
    assert "state" not in Client().get("/?qr=false").context


def test_a_mangled_code_is_explained_in_words_for_people() -> None:
    page = Client().get("/?qr=true&machine_id=M&session_id=nonsense")
    assert (page.status_code, page.context["state"]) == (400, "invalid")
    assert "YYYYMMDD" not in page.content.decode()
    assert "The link was cut off" in page.content.decode()
