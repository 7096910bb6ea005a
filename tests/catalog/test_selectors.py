"""Which shell is meant, what it costs, whose photo it is: exact answers, and refusals that guess nothing."""

from __future__ import annotations

import uuid

import pytest

from catalog import selectors
from pimpshop.core import errors
from pimpshop.core.money import Money
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone():
    """iPhone 15 Pro in two colours and another model, all sold in GBP."""
    brand = make.brand(slug="iphone", name="iPhone", name_zh="苹果", manufacturer_id="BR1")
    model = make.model(brand=brand, name="iPhone 15 Pro", manufacturer_id="MM1")
    make.price(make.product(model))
    return {
        "titanium": make.shell(
            model=model,
            manufacturer_id="MS1",
            colour=make.colour(name="Natural Titanium", name_zh="原色钛金属", slug="nt"),
        ),
        "black": make.shell(
            model=model, manufacturer_id="MS2", colour=make.colour(name="Black", slug="black")
        ),
    }


def find(**more: str):
    return selectors.find_shell(**{"model_id": "", "shell_id": "", **more})


@pytest.mark.parametrize(
    "asked",
    [
        {"model_id": "MM1", "shell_id": "MS1"},
        {"model_id": "MM1", "shell_id": "MS1", "brand_id": "BR1"},
        {"model_id": "MM1", "shell_id": "MS1", "brand": "nonsense", "model": "nonsense", "colour": "Black"},
        {"shell_id": "MS1"},
        {"model_id": "MM1", "colour": "natural titanium"},
        {"brand": "iphone", "model": "iPhone 15 Pro", "colour": "Natural Titanium"},
        {"brand": "IPHONE", "model": "IPHONE 15 PRO", "colour": " NATURAL TITANIUM "},
        {"brand": "苹果", "model": "iPhone 15 Pro", "colour": "原色钛金属"},
        {"model": "iphone 15 pro", "colour": "nt"},
    ],
)
def test_a_shell_is_found_by_ids_or_names(phone, asked) -> None:
    assert find(**asked) == phone["titanium"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"brand": "iphone"},
        {"brand": "iphone", "colour": "Black"},
        {"model_id": "MM1", "shell_id": "MS9"},
        {"model_id": "MM9", "shell_id": "MS1"},
        {"model_id": "MM1", "shell_id": "MS1", "brand_id": "BR9"},
        {"shell_id": "MS1", "colour": "Black"},
        {"brand": "samsung", "model": "iPhone 15 Pro", "colour": "Black"},
        {"brand": "iphone", "model": "iPhone 15", "colour": "Black"},
        {"brand": "iphone", "model": "iPhone 15 Pro", "colour": "Pink"},
        {"model_id": "MM1\x00", "shell_id": "MS1"},
        {"model": "iPhone 15 Pro", "colour": "%"},
    ],
)
def test_what_fits_no_shell_is_refused_with_400(phone, asked) -> None:
    with pytest.raises(selectors.ShellUnknown) as caught:
        find(**asked)
    assert (caught.value.status, caught.value.code) == (400, "shell_unknown")


@pytest.mark.parametrize(
    "asked", [{"model_id": "MM1"}, {"brand": "iphone", "model": "iPhone 15 Pro"}, {"model": "iPhone 15 Pro"}]
)
def test_what_fits_several_shells_is_refused_and_not_guessed(phone, asked) -> None:
    with pytest.raises(selectors.ShellAmbiguous) as caught:
        find(**asked)
    assert (caught.value.status, caught.value.code) == (400, "shell_ambiguous")


def test_one_model_id_may_have_several_shells_and_one_shell_id_several_models(phone) -> None:
    twin = make.shell(manufacturer_id="MS1", model=make.model(manufacturer_id="MM2"))
    assert find(model_id="MM2", shell_id="MS1") == twin
    assert find(model_id="MM1", shell_id="MS1") == phone["titanium"]
    with pytest.raises(selectors.ShellAmbiguous):
        find(shell_id="MS1")


@pytest.mark.parametrize("what", ["shell", "model", "brand"])
def test_what_staff_hide_is_not_found(phone, what) -> None:
    shell = phone["titanium"]
    row = {"shell": shell, "model": shell.model, "brand": shell.model.brand}[what]
    type(row).objects.filter(pk=row.pk).update(is_active=False)
    with pytest.raises(selectors.ShellUnknown):
        find(model_id="MM1", shell_id="MS1")
    assert shell.pk not in {offer.shell.pk for offer in selectors.offers("GBP")}


def test_the_price_is_the_one_in_that_currency(phone) -> None:
    assert selectors.case_price(phone["black"], "GBP") == Money(1999, "GBP")
    with pytest.raises(selectors.NotSold) as caught:
        selectors.case_price(phone["black"], "CNY")
    assert caught.value.status == 409


def test_a_product_that_is_not_sold_has_no_price_and_no_offer(phone) -> None:
    product = phone["black"].model.product
    type(product).objects.filter(pk=product.pk).update(is_active=False)
    with pytest.raises(selectors.NotSold):
        selectors.case_price(phone["black"], "GBP")
    assert selectors.offers("GBP") == []
    assert selectors.lowest_case_price("GBP") is None


def test_offers_are_what_is_sold_in_a_currency(phone, django_assert_num_queries) -> None:
    make.price(make.product(make.shell().model), amount_minor=900)
    with django_assert_num_queries(2):
        offers = selectors.offers("GBP")
    assert sorted((o.shell.manufacturer_id, o.price.amount_minor) for o in offers if o.shell.model.name == "iPhone 15 Pro") == [
        ("MS1", 1999), ("MS2", 1999),
    ]  # fmt: skip
    assert len(offers) == 3
    assert selectors.offers("USD") == []
    assert selectors.lowest_case_price("GBP") == Money(900, "GBP")
    assert len(selectors.brands_of(offers)) == 2
    brand = phone["black"].model.brand
    assert [model.name for model in selectors.models_of(offers, brand.pk)] == ["iPhone 15 Pro"]


@pytest.mark.parametrize("text", ["x", "", "-1", "1e3", "٣", "9" * 16, "True"])
def test_our_own_key_of_a_shell_is_read_strictly(phone, text) -> None:
    with pytest.raises(selectors.ShellUnknown):
        selectors.shown_shell(text)
    assert selectors.shown_shell(str(phone["black"].pk)) == phone["black"]


def test_templates_by_slug(phone) -> None:
    hidden = make.template(slug="old", is_active=False)
    assert selectors.template_by_slug("old") == hidden
    assert hidden not in selectors.templates()
    for slug in ("nope", "", "a\x00"):
        with pytest.raises(selectors.TemplateUnknown):
            selectors.template_by_slug(slug)


def test_the_photo_of_somebody_else_is_not_found() -> None:
    mine = make.photo("session:mine")
    assert selectors.photo_of("session:mine", str(mine.pk)) == mine
    for owner, key in (
        ("session:other", mine.pk),
        ("session:mine", uuid.uuid4()),
        ("session:mine", "x"),
        ("", str(mine.pk)),
    ):
        with pytest.raises(errors.NotFound) as caught:
            selectors.photo_of(owner, key)
        assert caught.value.status == 404


def test_the_design_of_somebody_else_is_not_found_and_the_open_one_comes_first() -> None:
    frozen = make.frozen_design(owner="session:mine")
    opened = make.design(owner="session:mine")
    assert selectors.latest_design("session:mine") == opened
    assert selectors.design_of("session:mine", frozen.pk) == frozen
    with pytest.raises(errors.NotFound):
        selectors.design_of("session:other", frozen.pk)
    assert selectors.latest_design("session:other") is None
