"""seed_demo: what CONTRACT.md's "Demo data" names is there, once, and nothing that stands is overwritten."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from accounts.models import User
from catalog import selectors
from catalog.models import CaseProduct, CreditPack, Design, DesignTemplate, PhoneModel, Plan, Price, Shell
from catalog.services import designs, drawing, geometry
from pimpshop.core.money import Money
from tests import factories
from vending.models import Machine, StockLevel

pytestmark = pytest.mark.django_db
PLANS = {
    "price_1QlYNRHVMy0i1BlJA1y0DxB2": ("Starter Plan", 2000, 30, 500),
    "price_1QlYO1HVMy0i1BlJyDD3GlsN": ("Advanced Plan", 6000, 30, 1500),
    "price_1QlYOaHVMy0i1BlJ1ZpdOMAO": ("Professional Plan", 40000, 365, 9900),
    "price_1QlYOrHVMy0i1BlJDHxIswM7": ("Lifetime Plan", 160000, 36500, 40000),
}
PACKS = {
    "price_1Qme87HVMy0i1BlJR1PRWOgz": (800, 200),
    "price_1Qme9BHVMy0i1BlJwFyjwZwj": (2400, 500),
    "price_1QmeA6HVMy0i1BlJQD5dc34Z": (6000, 1200),
}


def seed() -> str:
    out = io.StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def rows() -> dict[str, int]:
    kinds = (
        PhoneModel,
        Shell,
        DesignTemplate,
        CaseProduct,
        CreditPack,
        Plan,
        Price,
        Machine,
        StockLevel,
        User,
        Group,
    )
    return {kind.__name__: kind.objects.count() for kind in kinds}


def test_the_case_of_the_seed_documents_is_sold() -> None:
    seed()
    shell = selectors.find_shell(
        brand_id="BR20250111000002", model_id="MM020250224000010", shell_id="MS102503270003"
    )
    assert shell == selectors.find_shell(
        model_id="", shell_id="", brand="iphone", model="iPhone 15 Pro", colour="Natural Titanium"
    )
    assert (shell.width_mm, shell.height_mm) == (Decimal("73.24"), Decimal("149.27"))
    assert [selectors.case_price(shell, c) for c in ("GBP", "USD", "CNY", "CREDITS")] == [
        Money(1999, "GBP"), Money(2499, "USD"), Money(12800, "CNY"), Money(1500, "CREDITS"),
    ]  # fmt: skip
    assert selectors.template_by_slug("classic") in selectors.templates()


def test_it_looks_like_a_shop() -> None:
    seed()
    offers = selectors.offers("GBP")
    assert [brand.name for brand in selectors.brands_of(offers)] == ["iPhone", "Samsung", "Huawei", "Xiaomi"]
    assert rows() == {
        "PhoneModel": 22, "Shell": 79, "DesignTemplate": 14, "CaseProduct": 22, "CreditPack": 5, "Plan": 4, "Price": 104,
        "Machine": 2, "StockLevel": 158, "User": 7, "Group": 4,
    }  # fmt: skip
    for model in PhoneModel.objects.all():
        assert model.shells.count() >= 3, model
    for offer in offers:  # every camera hole lies on the case
        width, height = float(offer.shell.width_mm), float(offer.shell.height_mm)
        assert offer.shell.cutouts, offer.shell
        for hole in offer.shell.cutouts:
            assert 0 <= hole["x"] <= hole["x"] + hole["w"] <= width
            assert 0 <= hole["y"] <= hole["y"] + hole["h"] <= height / 2
            assert hole["r"] <= min(hole["w"], hole["h"]) / 2
        assert isinstance(drawing.geometry_of(offer.shell), geometry.Geometry)


def test_every_template_can_be_printed() -> None:
    seed()
    shell = Shell.objects.get(manufacturer_id="MS102503270003")
    for template in DesignTemplate.objects.all():
        text = {"kind": "text", "text": "Hi", "cx": 30, "cy": 120, "size": 8}
        layout = {"version": 1, "template": template.slug, "background": "#ffffff", "items": [text]}
        design = Design.objects.create(owner="t", shell=shell, template=template, layout=layout)
        assert designs.preview(design=design, width_px=64)[:4] == b"RIFF"


def test_plans_packs_and_their_prices() -> None:
    seed()
    for price_id, (name, points, days, cents) in PLANS.items():
        plan = Plan.objects.get(stripe_price_id=price_id)
        assert (plan.name, plan.points, plan.term_days) == (name, points, days)
        assert plan.prices.get(currency="USD").amount_minor == cents
        assert plan.prices.filter(currency="CNY").exists()
    for price_id, (points, cents) in PACKS.items():
        pack = CreditPack.objects.get(stripe_price_id=price_id)
        assert (pack.credits, pack.prices.get(currency="USD").amount_minor) == (points, cents)
    for number, name, credits_, fen in ((1, "100积分套餐", 100, 990), (2, "500积分套餐", 500, 3990)):
        pack = CreditPack.objects.get(number=number)
        assert (pack.name_zh, pack.credits) == (name, credits_)
        assert [(p.currency, p.amount_minor) for p in pack.prices.all()] == [("CNY", fen)]


def test_machines_hold_what_the_simulator_starts_with() -> None:
    seed()
    machine = Machine.objects.get(machine_id="CXYLOGD8OQUK")
    assert (machine.name, machine.currency, machine.is_active) == ("Shopping Mall A", "GBP", True)
    assert Machine.objects.filter(machine_id="VM_TEST_MANUFACTURER").exists()
    source = Path(__file__).parents[2] / "sandbox/providers/manufacturer/catalogue.json"
    theirs = {
        (model["id"], shell["id"], Decimal(model["width"]), Decimal(model["height"]), shell["stock"])
        for model in json.loads(source.read_text("utf-8"))["models"]
        for shell in model["shells"]
    }
    ours = {
        (s.shell.model.manufacturer_id, s.shell.manufacturer_id, s.shell.width_mm, s.shell.height_mm, s.count)
        for s in StockLevel.objects.filter(machine=machine).select_related("shell__model")
    }
    assert theirs <= ours


def test_a_second_run_changes_nothing_and_keeps_what_staff_wrote() -> None:
    first = seed()
    factories.reprice(1, currency="GBP")
    before = rows()
    Machine.objects.update(name="Ours")
    DesignTemplate.objects.filter(slug="classic").update(is_active=False)
    assert seed() == first
    assert rows() == before
    assert set(Price.objects.counting().filter(currency="GBP").values_list("amount_minor", flat=True)) == {1}
    assert set(Machine.objects.values_list("name", flat=True)) == {"Ours"}
    assert not DesignTemplate.objects.get(slug="classic").is_active


def test_people_and_their_log_ins_with_the_sandbox(settings) -> None:
    settings.SANDBOX = True
    found = dict(re.findall(r"^(\S+@example\.com)\s+(\S+)", seed(), re.M))
    people = ("admin", "support", "finance", "operator", "developer", "alice", "bob")
    assert list(found) == [f"{name}@example.com" for name in people]
    for email, password in found.items():
        assert User.objects.get(email=email).check_password(password)
    assert list(User.objects.filter(is_superuser=True).values_list("email", flat=True)) == [
        "admin@example.com"
    ]
    assert sorted(User.objects.filter(is_staff=True).values_list("name", flat=True)) == [
        "Admin",
        "Developer",
        "Finance",
        "Operator",
        "Support",
    ]
    support, finance = (
        User.objects.get(email="support@example.com"),
        User.objects.get(email="finance@example.com"),
    )
    assert support.has_perm("vending.change_machine")
    assert support.has_perm("orders.view_order")
    assert not support.has_perm("payments.add_refund")
    assert finance.has_perm("payments.add_refund")
    assert not finance.has_perm("accounts.change_user")


def test_outside_the_sandbox_passwords_are_random_and_printed_once(settings) -> None:
    settings.SANDBOX = settings.DEBUG = False
    found = dict(re.findall(r"^(\S+@example\.com)\s+(\S+)", seed(), re.M))
    assert len(set(found.values())) == 7
    for email, password in found.items():
        assert len(password) >= 16
        assert "demo" not in password
        assert User.objects.get(email=email).check_password(password)
    hashes = dict(User.objects.values_list("email", "password"))
    again = seed()
    assert not any(password in again for password in found.values())
    assert again.count("(password given out before)") == 7
    assert dict(User.objects.values_list("email", "password")) == hashes
