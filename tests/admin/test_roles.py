"""Every page of the desk as every role: who may look, and who may add, change or remove a row by hand."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.db.migrations import CreateModel
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse

from accounts.services import roles
from tests.admin.test_pages import MODELS, names, rows_of_everything

pytestmark = pytest.mark.django_db
CATALOGUE = {
    "catalog.phonebrand",
    "catalog.phonemodel",
    "catalog.shell",
    "catalog.colour",
    "catalog.designtemplate",
}
#: role: (models whose rows it may add by hand, models whose rows it may change by hand)
BY_HAND: dict[str, tuple[set[str], set[str]]] = {
    "support": (set(), {"vending.machine"}),
    "finance": (set(), set()),
    "operator": (
        CATALOGUE | {"catalog.caseproduct"},
        CATALOGUE | {"catalog.caseproduct", "catalog.plan", "catalog.creditpack", "vending.machine"},
    ),
    "developer": (set(), set()),
}
EVERY = [(role, label) for role in BY_HAND for label in MODELS]


def model_of(label: str) -> Any:
    return next(model for model in django_admin.site._registry if model._meta.label_lower == label)


def test_the_migration_makes_the_roles_as_the_table_says() -> None:
    Group.objects.all().delete()
    importlib.import_module("accounts.migrations.0006_roles").make_roles(apps, None)
    assert set(Group.objects.values_list("name", flat=True)) == {
        "support",
        "finance",
        "operator",
        "developer",
    }
    for role, more in roles.MAY.items():
        found = Group.objects.get(name=role).permissions.select_related("content_type")
        beyond = {
            f"{one.content_type.app_label}.{one.codename}"
            for one in found
            if not one.codename.startswith("view_")
        }
        assert beyond == set(more)
    looked = Permission.objects.filter(content_type__app_label__in=roles.OURS, codename__startswith="view_")
    for role in roles.MAY:
        assert set(looked) <= set(Group.objects.get(name=role).permissions.all())


@pytest.mark.parametrize("app", [app for app in roles.OURS if app != "auth"])
def test_the_roles_are_made_after_every_table_there_is(app: str) -> None:
    """Else nobody but superusers would see the rows of a table that came later."""
    loader = MigrationLoader(None)
    last = max(
        name for label, name in loader.disk_migrations
        if label == "accounts" and hasattr(sys.modules[f"accounts.migrations.{name}"], "make_roles")
    )  # fmt: skip
    before = set(loader.graph.forwards_plan(("accounts", last)))
    tables = {
        (label, name) for (label, name), migration in loader.disk_migrations.items()
        if label == app and any(isinstance(step, CreateModel) for step in migration.operations)
    }  # fmt: skip
    assert tables - before == set()


def test_the_mirror_of_stripe_can_be_switched_on_later() -> None:
    """`migrate` refuses a database in which something of ours was done before what it now depends on."""
    loader = MigrationLoader(None)
    waiting = {
        key
        for key, migration in loader.disk_migrations.items()
        if key[0] in roles.OURS and any(app in roles.MIRROR for app, _name in migration.dependencies)
    }
    assert waiting == set()


def test_a_right_to_a_table_that_comes_later_waits_for_its_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(roles.MAY, "support", ("vending.change_machine", "core.change_tomorrow"))  # type: ignore[misc]
    roles.keep(Group.objects, Permission.objects)
    beyond = Group.objects.get(name="support").permissions.exclude(codename__startswith="view_")
    assert [one.codename for one in beyond] == ["change_machine"]
    with pytest.raises(LookupError, match=r"core\.change_tomorrow"):
        roles.keep()


def test_a_role_that_was_changed_by_hand_is_set_right_and_others_stay() -> None:
    roles.keep()
    own = Group.objects.create(name="night shift")
    refund = Permission.objects.get(codename="add_refund", content_type__app_label="payments")
    own.permissions.add(refund)
    Group.objects.get(name="support").permissions.add(refund)
    roles.keep()
    assert refund not in Group.objects.get(name="support").permissions.all()
    assert list(own.permissions.all()) == [refund]


@pytest.mark.parametrize(("role", "label"), EVERY)
def test_a_page_as_a_role(member: Any, role: str, label: str) -> None:
    """All look at everything; a direct post beyond one's rights changes nothing."""
    desk = member(role)
    rows_of_everything()
    model = model_of(label)
    name, row = names(model), model._default_manager.order_by("pk").first()
    assert desk.list(name).status_code == 200
    assert desk.page(name, row).status_code == 200
    adds, changes = BY_HAND[role]
    before = list(model._default_manager.order_by("pk").values())
    add = desk.client.get(reverse(f"admin:{name}_add"))
    assert add.status_code == (200 if label in adds else 403)
    if label not in adds:
        assert desk.client.post(reverse(f"admin:{name}_add"), {"name": "x"}).status_code == 403
    may_save = b'name="_save"' in desk.page(name, row).content
    assert may_save == (label in changes)
    if label not in changes:
        page = reverse(f"admin:{name}_change", args=[row.pk])
        assert desk.client.post(page, {"name": "x", "status": "paid"}).status_code == 403
    gone = desk.client.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"})
    assert gone.status_code == 403
    after = list(model._default_manager.order_by("pk").values())
    assert after == before
