"""Reading the manufacturer's catalogue: ids decide, odd answers are reported and never crash, calls stay outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses
from django.conf import settings
from django.db import connection
from django.utils import timezone

from catalog.models import Colour, PhoneBrand, PhoneModel, Shell
from pimpshop.core.models import StaffItem
from tests import factories as make
from vending import manufacturer
from vending.models import Machine, StockLevel
from vending.services import catalogue_sync, machines

# The calls assert that no transaction is open, so every test commits for real.
pytestmark = pytest.mark.django_db(transaction=True)


class Books:
    """The manufacturer's catalogue in a test: what each call answers. An Exception is raised, a tuple is (code, msg)."""

    def __init__(self) -> None:
        self.brands: Any = [{"id": "BR1", "name": "苹果", "e_name": "iphone"}]
        self.stock: dict[tuple[str, str], Any] = {}
        self.shops: Any = []
        self.goods: dict[str, Any] = {}
        self.calls: list[tuple[str, Any]] = []

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert not connection.in_atomic_block
        name, body = str(request.url).split("/en/")[1], json.loads(request.body or b"{}")
        self.calls.append((name, body))
        data: Any = {
            "user/login": lambda: {"id": "U1", "account": "pimpshop", "token": "t"},
            "brand/list": lambda: self.brands,
            "stock/list": lambda: self.stock.get((body["device_id"], body["brand_id"]), []),
            "shop/list": lambda: {
                "total": len(self.shops),
                "list": self.shops[(body["page"] - 1) * 100 :][:100],
            },
            "goods/list": lambda: self.goods.get(body["shop_id"], []),
        }[name]()
        if isinstance(data, Exception):
            raise data
        code, msg, data = (*data, None) if isinstance(data, tuple) else (200, "操作成功", data)
        return 200, {}, json.dumps({"msg": msg, "code": code, "data": data})


@pytest.fixture
def books() -> Iterator[Books]:
    found = Books()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        base = re.compile(re.escape(settings.MANUFACTURER_API_BASE) + "/.*")
        mock.add_callback(responses.POST, base, callback=found.answer, content_type="application/json")
        yield found


@pytest.fixture
def machine() -> Machine:
    return make.machine(machine_id="M1", last_contact_at=None)


def row(model: str = "MM1", shell: str = "MS1", stock: Any = 5, **more: Any) -> dict[str, Any]:
    return {"mobile_model_id": model, "mobile_model_name": "iPhone 15 Pro", "mobile_shell_id": shell, "width": "73.24",
            "height": "149.27", "stock": stock, **more}  # fmt: skip


def known(model_id: str = "MM1", shell_id: str = "MS1", **more: Any) -> Shell:
    brand = PhoneBrand.objects.filter(manufacturer_id="BR1").first() or make.brand(
        manufacturer_id="BR1", slug="iphone"
    )
    model = PhoneModel.objects.filter(manufacturer_id=model_id).first() or make.model(
        brand=brand, manufacturer_id=model_id, name="iPhone 15 Pro"
    )
    return make.shell(model=model, manufacturer_id=shell_id, **more)


def sync(machine: Machine) -> catalogue_sync.Report:
    return catalogue_sync.sync_stock(machines.client(), machine)


def counts(machine: Machine) -> dict[str, int]:
    return {level.shell.manufacturer_id: level.count for level in StockLevel.objects.filter(machine=machine)}


def test_stock_is_kept_by_model_and_shell_id(books: Books, machine: Machine) -> None:
    one, two = known(), known(shell_id="MS2")
    twin = known(model_id="MM2")  # the same shell id on another model, under the same name
    books.stock["M1", "BR1"] = [row(stock=7), row(shell="MS2", stock="3"), row(model="MM2", stock=1)]
    before = timezone.now()
    sync(machine)
    levels = {level.shell_id: level.count for level in StockLevel.objects.filter(machine=machine)}
    assert levels == {one.pk: 7, two.pk: 3, twin.pk: 1}
    machine.refresh_from_db()
    assert machine.stock_synced_at is not None
    assert machine.stock_synced_at >= before
    assert machine.last_contact_at is not None
    assert machine.stock_error == ""
    one.refresh_from_db()
    assert one.synced_at is not None
    assert ("stock/list", {"device_id": "M1", "brand_id": "BR1"}) in books.calls
    assert StaffItem.objects.count() == 0


def test_what_is_missing_from_the_answer_counts_zero(books: Books, machine: Machine) -> None:
    known(), known(shell_id="MS2")
    books.stock["M1", "BR1"] = [row(stock=7), row(shell="MS2")]
    sync(machine)
    books.stock["M1", "BR1"] = [row(stock=6)]
    sync(machine)
    assert counts(machine) == {"MS1": 6, "MS2": 0}
    books.stock["M1", "BR1"] = []
    sync(machine)
    assert counts(machine) == {"MS1": 0, "MS2": 0}
    assert StaffItem.objects.count() == 0


def test_another_machine_keeps_its_stock(books: Books, machine: Machine) -> None:
    shell, other = known(), make.machine(machine_id="M2")
    make.stock(other, shell, 4)
    books.stock["M1", "BR1"] = []
    sync(machine)
    assert counts(other) == {"MS1": 4}


def test_an_unknown_shell_is_made_but_hidden_and_staff_are_told(books: Books, machine: Machine) -> None:
    sibling = known(corner_radius_mm=Decimal("12.5"))
    books.stock["M1", "BR1"] = [
        row(),
        row(shell="MS9", stock=2),
        row(model="MM7", shell="MS7", width="80", height="165.1"),
    ]
    assert sync(machine).new_shells == 2
    new = Shell.objects.get(manufacturer_id="MS9")
    assert (new.is_active, new.colour.slug, new.model, new.cutouts) == (
        False,
        "unnamed",
        sibling.model,
        sibling.cutouts,
    )
    assert new.corner_radius_mm == Decimal("12.5")
    strange = Shell.objects.get(manufacturer_id="MS7")
    assert (strange.width_mm, strange.height_mm, strange.cutouts, strange.is_active) == (
        Decimal(80), Decimal("165.10"), [], False,
    )  # fmt: skip
    assert (strange.model.manufacturer_id, strange.model.name) == ("MM7", "iPhone 15 Pro")
    assert strange.model.pk != sibling.model.pk  # the same name is no key
    assert counts(machine) == {"MS1": 5, "MS9": 2, "MS7": 5}
    assert sorted(StaffItem.objects.values_list("kind", "subject")) == [
        ("catalogue_new_shell", "MM1/MS9"), ("catalogue_new_shell", "MM7/MS7"),
    ]  # fmt: skip
    sync(machine)
    assert (Shell.objects.count(), StaffItem.objects.count()) == (3, 2)


def test_what_staff_wrote_stays_but_the_size_is_theirs(books: Books, machine: Machine) -> None:
    shell = known()
    model_name, colour = shell.model.name, shell.colour
    books.stock["M1", "BR1"] = [row(mobile_model_name="iphone15p", width="73.50")]
    sync(machine)
    shell.refresh_from_db()
    assert (shell.width_mm, shell.height_mm) == (Decimal("73.50"), Decimal("149.27"))
    assert (shell.model.name, shell.colour, shell.is_active) == (model_name, colour, True)
    item = StaffItem.objects.get()
    assert (item.kind, item.subject) == ("catalogue_resized", "MM1/MS1")
    assert "73.24 x 149.27" in item.detail


@pytest.mark.parametrize(
    "odd",
    [
        {"shell": ""},
        {"model": ""},
        {"shell": None},
        {"shell": "MS 9"},
        {"shell": "M" * 41},
        {"shell": "MS9", "width": ""},
        {"shell": "MS9", "width": "0"},
        {"shell": "MS9", "width": "-3"},
        {"shell": "MS9", "width": "wide"},
        {"shell": "MS9", "height": "401"},
        {"shell": "MS9", "height": None},
        {"shell": {"id": "MS9"}},
    ],
    ids=str,
)
def test_an_odd_row_is_skipped_and_reported_once(books: Books, machine: Machine, odd: dict[str, Any]) -> None:
    known()
    books.stock["M1", "BR1"] = [row(**odd), row(stock=3), "no row", None, 7]
    for _again in range(2):
        assert len(sync(machine).odd) == 1
    assert counts(machine) == {"MS1": 3}
    assert Shell.objects.count() == 1
    item = StaffItem.objects.get()
    assert (item.kind, item.subject, item.resolved_at) == ("catalogue_odd", "M1", None)
    books.stock["M1", "BR1"] = [row()]
    sync(machine)
    item.refresh_from_db()
    assert item.resolved_at is not None


def test_odd_numbers_of_known_shells_are_read_carefully(books: Books, machine: Machine) -> None:
    shell = known()
    for stock, expected in ((None, 0), ("x", 0), (-4, 0), ("12", 12), (4.0, 4), (True, 0), ([], 0)):
        books.stock["M1", "BR1"] = [row(stock=stock)]
        sync(machine)
        assert counts(machine) == {"MS1": expected}, stock
    books.stock["M1", "BR1"] = [row(stock=9, width=None)]  # a known shell without a size still has its pieces
    assert len(sync(machine).odd) == 1
    assert counts(machine) == {"MS1": 9}
    books.stock["M1", "BR1"] = [row(stock=9), row(stock=2)]  # listed twice: never sell what may not be there
    assert len(sync(machine).odd) == 1
    assert counts(machine) == {"MS1": 2}
    shell.refresh_from_db()
    assert shell.width_mm == Decimal("73.24")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            (500, "No permission to access the current device"),
            manufacturer.NoPermission,
            "NoPermission: No permission",
        ),
        ((500, "M1 device is unavailable"), manufacturer.DeviceUnavailable, "DeviceUnavailable"),
        (requests.ConnectTimeout("x"), manufacturer.NotSent, "NotSent"),
        (requests.ReadTimeout("x"), manufacturer.Unavailable, "Unavailable"),
        ({"not": "a list"}, manufacturer.Unavailable, "Unavailable"),
    ],
    ids=["permission", "offline", "down", "slow", "odd"],
)
def test_a_machine_that_cannot_be_read_keeps_its_stock_and_says_why(
    books: Books, machine: Machine, answer: Any, kind: type[Exception], words: str
) -> None:
    make.stock(machine, known(), 5)
    books.stock["M1", "BR1"] = answer
    with pytest.raises(kind):
        sync(machine)
    machine.refresh_from_db()
    assert machine.stock_error.startswith(words)
    assert (machine.stock_synced_at, machine.last_contact_at) == (None, None)
    assert counts(machine) == {"MS1": 5}
    books.stock["M1", "BR1"] = [row(stock=1)]
    sync(machine)
    machine.refresh_from_db()
    assert (machine.stock_error, counts(machine)) == ("", {"MS1": 1})


def test_an_older_answer_never_replaces_a_newer_one(books: Books, machine: Machine) -> None:
    make.stock(machine, known(), 5)
    newer = timezone.now() + timedelta(hours=1)
    Machine.objects.filter(pk=machine.pk).update(stock_synced_at=newer)
    books.stock["M1", "BR1"] = [row(stock=9)]
    sync(machine)
    machine.refresh_from_db()
    assert (counts(machine), machine.stock_synced_at) == ({"MS1": 5}, newer)


def test_a_whole_round(books: Books, machine: Machine) -> None:
    broken, retired = make.machine(machine_id="M2"), make.machine(machine_id="M3", is_active=False)
    black, blue = make.colour(name="Black"), make.colour(name="Blue")
    named = known(colour=blue, sku="OURS")
    books.brands = [
        *books.brands,
        {"id": "BR2", "name": "三星", "e_name": "Samsung"},
        {"id": "", "name": "x"},
        "odd",
    ]
    books.stock |= {
        ("M1", "BR1"): [row()],
        ("M1", "BR2"): [row(model="MM5", shell="MS5")],
        ("M2", "BR1"): (500, "boom"),
    }
    books.shops = [{"id": f"SP{n}", "name": "Shop"} for n in range(101)]
    good = {"mobile_shell_name": "black", "shell_classify_ename": "TPU soft shell"}
    books.goods = {
        "SP0": (500, "The shop does not exist"),
        "SP100": [
            {"mobile_model_id": "MM5", "mobile_shell_id": "MS5", "mobile_shell_sku": "S25-BLK", **good},
            {"mobile_model_id": "MM1", "mobile_shell_id": "MS1", "mobile_shell_sku": "THEIRS", **good},
            {"mobile_model_id": "MM9", "mobile_shell_id": "MS9", **good},
        ],
    }
    report = catalogue_sync.sync_all(machines.client())
    assert (report.brands, report.machines, report.new_shells, report.failed) == (2, 1, 1, ["M2", "SP0"])
    samsung = PhoneBrand.objects.get(manufacturer_id="BR2")
    assert (samsung.slug, samsung.name, samsung.name_zh) == ("samsung", "Samsung", "三星")
    new = Shell.objects.get(manufacturer_id="MS5")
    assert (new.colour, new.sku, new.is_active, new.model.brand) == (black, "S25-BLK", False, samsung)
    named.refresh_from_db()
    assert (named.colour, named.sku) == (blue, "OURS")
    assert Shell.objects.count() == 2
    broken.refresh_from_db()
    retired.refresh_from_db()
    assert broken.stock_error == "ServerFault: boom"
    assert (retired.stock_synced_at, retired.stock_error) == (None, "")
    assert "M3" not in {body.get("device_id") for _name, body in books.calls}
    assert StaffItem.objects.get(kind="catalogue_odd").subject == "brand/list"


def test_a_brand_keeps_its_slug_when_another_takes_the_name(books: Books) -> None:
    make.brand(slug="iphone", manufacturer_id="BR0")
    catalogue_sync.sync_all(machines.client())
    catalogue_sync.sync_all(machines.client())
    assert sorted(PhoneBrand.objects.values_list("manufacturer_id", "slug")) == [
        ("BR0", "iphone"),
        ("BR1", "iphone-br1"),
    ]


def test_without_brands_nothing_is_written(books: Books, machine: Machine) -> None:
    books.brands = requests.ReadTimeout("x")
    with pytest.raises(manufacturer.Unavailable):
        catalogue_sync.sync_all(machines.client())
    assert (PhoneBrand.objects.count(), Colour.objects.count(), StockLevel.objects.count()) == (0, 0, 0)
