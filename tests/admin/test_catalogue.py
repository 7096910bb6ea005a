"""Catalogue and people at the desk: shells to the millimetre, users by e-mail, nobody raises themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from catalog.models import Price
from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def save_case(desk: Any, product: Any, **more: str) -> Any:
    """The case's page as the browser sends it."""
    data = {
        "phone_model": str(product.phone_model_id), "name": "Case", "sku": product.sku, "is_active": "on",
        "sort_order": "100", **more,
    }  # fmt: skip
    return desk.client.post(f"/admin/catalog/caseproduct/{product.pk}/change/", data)


def test_a_case_is_kept_by_hand_and_its_prices_are_not(admin: Any) -> None:
    product = factories.product()
    price = factories.price(product)
    sent = {
        "prices-TOTAL_FORMS": "1", "prices-INITIAL_FORMS": "1", "prices-0-id": str(price.pk),
        "prices-0-currency": "GBP", "prices-0-amount": "0.01", "prices-0-amount_minor": "1",
    }  # fmt: skip
    assert save_case(admin, product, name="Renamed", **sent).status_code == 302
    product.refresh_from_db()
    assert product.name == "Renamed"
    assert list(Price.objects.values_list("pk", "amount_minor")) == [(price.pk, 1999)]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject) == ("boss@example.com", "changed case", product.sku)


def shell_form(shell: Any, **more: str) -> dict[str, Any]:
    return {
        "model": shell.model_id, "colour": shell.colour_id, "manufacturer_id": shell.manufacturer_id, "sku": "",
        "is_active": "on", "width_mm": "73.24", "height_mm": "149.27", "bleed_mm": "2.50", "corner_radius_mm": "11.5",
        "safe_mm": "3.5", "cutouts": "[]", **more,
    }  # fmt: skip


def test_a_shell_keeps_its_millimetres_exactly(admin: Any) -> None:
    shell = factories.shell()
    data = shell_form(shell)
    assert admin.client.post(f"/admin/catalog/shell/{shell.pk}/change/", data).status_code == 302
    shell.refresh_from_db()
    assert (shell.width_mm, shell.bleed_mm, shell.cutouts) == (Decimal("73.24"), Decimal("2.50"), [])
    assert shell.safe_mm == Decimal("3.5")
    assert AuditEntry.objects.get().subject == shell.manufacturer_id


@pytest.mark.parametrize(
    "cutouts",
    [
        '{"x": 1}',
        '["hole"]',
        '[{"x": 1, "y": 1, "w": 9}]',
        '[{"x": 1, "y": 1, "w": 0, "h": 9}]',
        '[{"x": 70, "y": 1, "w": 9, "h": 9}]',
        '[{"x": 1, "y": 1, "w": "wide", "h": 9}]',
    ],
)
def test_a_hole_that_cannot_be_is_refused(admin: Any, cutouts: str) -> None:
    shell = factories.shell()
    answer = admin.client.post(f"/admin/catalog/shell/{shell.pk}/change/", shell_form(shell, cutouts=cutouts))
    assert answer.status_code == 200
    assert "millimetres from the top left corner" in str(answer.context["adminform"].form.errors["cutouts"])
    shell.refresh_from_db()
    assert shell.cutouts == [{"x": 3, "y": 3, "w": 36, "h": 38, "r": 9}]
    assert AuditEntry.objects.count() == 0


def test_a_shell_is_drawn_with_its_holes(admin: Any) -> None:
    page = admin.page("catalog_shell", factories.shell()).content.decode()
    assert '<rect class="hole" x="3.0" y="3.0" width="36.0" height="38.0" rx="9.0"/>' in page
    assert '<rect class="safe" x="3.0" y="3.0" width="67.24" height="143.27" rx="7.0"/>' in page
    broken = factories.shell(cutouts=[{"x": 1}])
    assert admin.page("catalog_shell", broken).status_code == 200


def test_support_reads_the_catalogue_and_changes_nothing(member: Any) -> None:
    desk = member("support")
    product = factories.product()
    assert desk.page("catalog_caseproduct", product).status_code == 200
    assert save_case(desk, product, name="Theirs").status_code == 403
    product.refresh_from_db()
    assert product.name == "Case"


# --- people
def test_a_user_is_added_by_e_mail(admin: Any) -> None:
    data = {
        "email": "New.Person@Example.com", "usable_password": "true",
        "password1": factories.PASSWORD, "password2": factories.PASSWORD,
    }  # fmt: skip
    answer = admin.client.post("/admin/accounts/user/add/", data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = User.objects.get(email="new.person@example.com")
    assert made.check_password(factories.PASSWORD)
    assert (made.is_staff, made.is_superuser) == (False, False)
    assert AuditEntry.objects.get().subject == f"user {made.pk}"


def test_an_e_mail_is_taken_once_in_any_case(admin: Any) -> None:
    factories.user(email="alice@example.com")
    data = {"email": "ALICE@example.com", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    answer = admin.client.post("/admin/accounts/user/add/", data | {"usable_password": "true"})
    assert answer.status_code == 200
    assert User.objects.filter(email__iexact="alice@example.com").count() == 1


def test_a_user_gets_a_group(admin: Any, member: Any) -> None:
    member("support")
    group = Group.objects.get(name="support")
    person = factories.user()
    data = {
        "email": person.email,
        "name": "P",
        "language": "en",
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk],
    }
    assert admin.client.post(f"/admin/accounts/user/{person.pk}/change/", data).status_code == 302
    person.refresh_from_db()
    assert person.is_staff
    assert person.has_perm("vending.change_vendingsession")


def test_nobody_raises_themselves(viewer: Any) -> None:
    desk = viewer("accounts.view_user", "accounts.change_user")
    boss = factories.staff()
    data = {
        "email": desk.user.email,
        "name": "",
        "language": "en",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
    }
    desk.client.post(f"/admin/accounts/user/{desk.user.pk}/change/", data)
    assert (
        desk.client.post(
            f"/admin/accounts/user/{boss.pk}/change/", data | {"email": "x@example.com"}
        ).status_code
        == 403
    )
    assert (
        desk.client.post(
            f"/admin/accounts/user/{boss.pk}/password/", {"password1": "x", "password2": "x"}
        ).status_code
        == 403
    )
    desk.user.refresh_from_db()
    before = boss.email
    boss.refresh_from_db()
    assert (desk.user.is_superuser, boss.email) == (False, before)
