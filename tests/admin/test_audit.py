"""What staff did: with the values before and after, for good, and as a file."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from pimpshop.core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def rename(desk: Any, colour: Any, name: str) -> None:
    data = {"name": name, "name_zh": colour.name_zh, "slug": colour.slug, "hex": colour.hex}
    answer = desk.client.post(f"/admin/catalog/colour/{colour.pk}/change/", data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_an_edit_is_kept_with_the_values_before_and_after(admin: Any) -> None:
    colour = factories.sellable_shell().colour
    before = colour.name
    rename(admin, colour, "Midnight")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == ("boss@example.com", "changed colour")
    assert {"field": "name", "before": before, "after": "Midnight"} in entry.data["changes"]
    page = admin.page("core_auditentry", entry).content.decode()
    assert "<td>Midnight</td>" in page


def test_a_new_password_is_named_and_not_shown(admin: Any) -> None:
    data = {
        "email": "new@example.com", "usable_password": "true",
        "password1": factories.PASSWORD, "password2": factories.PASSWORD,
    }  # fmt: skip
    assert admin.client.post("/admin/accounts/user/add/", data).status_code == 302
    entry = AuditEntry.objects.get()
    changes = {change["field"]: change["after"] for change in entry.data["changes"]}
    assert changes["email"] == "new@example.com"
    assert changes["password1"] == "•••"
    assert factories.PASSWORD not in str(entry.data)


def test_new_groups_are_told_by_name(admin: Any, member: Any) -> None:
    from django.contrib.auth.models import Group

    member("")
    person = factories.user()
    group = Group.objects.get(name="operator")
    data = {"email": person.email, "name": "P", "language": "en", "is_active": "on", "groups": [group.pk]}
    assert admin.client.post(f"/admin/accounts/user/{person.pk}/change/", data).status_code == 302
    changes = {change["field"]: change for change in AuditEntry.objects.get().data["changes"]}
    assert changes["groups"] == {"field": "groups", "before": "", "after": "operator"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET reason = 'nothing happened' WHERE id = %s",
        "DELETE FROM core_auditentry WHERE id = %s",
    ],
)
def test_the_database_keeps_every_entry_as_it_is(statement: str) -> None:
    entry = AuditEntry.objects.create(actor="a@example.com", action="refund", subject="O1", reason="late")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [entry.pk])
    assert list(AuditEntry.objects.values_list("actor", "action", "subject", "reason")) == [
        ("a@example.com", "refund", "O1", "late")
    ]


def export(desk: Any, term: str = "") -> list[list[str]]:
    answer = desk.client.get(f"/admin/core/auditentry/export.csv?q={term}")
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_the_log_is_taken_out_as_a_file_and_that_is_an_entry(member: Any) -> None:
    desk = member("finance")
    AuditEntry.objects.create(
        actor="a@example.com", action="changed price", subject="CASE1", reason="=SUM(A1)",
        data={"changes": [{"field": "amount", "before": "19.99", "after": "18.99"}]},
    )  # fmt: skip
    AuditEntry.objects.create(actor="b@example.com", action="refund", subject="O2")
    rows = export(desk, "CASE1")
    assert rows[0] == ["at", "actor", "action", "subject", "reason", "field", "before", "after"]
    assert [row[1:] for row in rows[1:]] == [
        ["a@example.com", "changed price", "CASE1", "'=SUM(A1)", "amount", "19.99", "18.99"]
    ]
    newest = AuditEntry.objects.order_by("-pk").first()
    assert newest is not None
    assert (newest.actor, newest.action, newest.subject) == (desk.user.email, "export audit log", "CASE1")
    assert [row[1] for row in export(desk)[1:]] == [desk.user.email, "b@example.com", "a@example.com"]


@pytest.mark.parametrize("role", ["support", "operator", "developer"])
def test_others_do_not_take_it_out(member: Any, role: str) -> None:
    desk = member(role)
    before = AuditEntry.objects.count()
    assert desk.client.get("/admin/core/auditentry/export.csv").status_code == 403
    assert AuditEntry.objects.count() == before
