"""Who sits at the desk in these tests, and how an act is done from a row's page and from a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.support.manufacturer import Manufacturer


class Desk:
    """A member of staff with a browser."""

    def __init__(self, user: Any) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)

    def list(self, model: str, **query: Any) -> HttpResponse:
        return self.client.get(reverse(f"admin:{model}_changelist"), query)

    def rows(self, model: str, **query: Any) -> list[Any]:
        """The rows that a list shows."""
        return list(self.list(model, **query).context["cl"].result_list)

    def page(self, model: str, obj: Any) -> HttpResponse:
        return self.client.get(reverse(f"admin:{model}_change", args=[obj.pk]))

    def act(self, model: str, obj: Any, name: str, reason: str | None = None) -> HttpResponse:
        """From the row's page: the form of the act is sent, as it was shown."""
        return self.send(model, obj, name, **({} if reason is None else {"reason": reason}))

    def send(self, model: str, obj: Any, name: str, **typed: Any) -> HttpResponse:
        """The same with whatever is typed; first it is shown what would move with that, as people see it."""
        page = reverse(f"admin:{model}_act", args=[obj.pk, name])
        return self.client.post(page, {"seen": self.seen(model, obj, name, **typed), "sure": "on", **typed})

    def shown(self, model: str, obj: Any, name: str, **typed: Any) -> list[str]:
        """What would move, in lines."""
        page = reverse(f"admin:{model}_act", args=[obj.pk, name])
        shown = self.client.post(page, {"show": "1", **typed}).context["shown"]
        return shown.lines if shown else []

    def seen(self, model: str, obj: Any, name: str, **typed: Any) -> str:
        """The fingerprint of what is shown; "" where nothing is, or the act is not for this person."""
        page = reverse(f"admin:{model}_act", args=[obj.pk, name])
        answer = self.client.post(page, {"show": "1", **typed})
        return str(answer.context["form"]["seen"].value()) if answer.status_code == 200 else ""

    def act_on(self, model: str, rows: list[Any], name: str, **more: Any) -> HttpResponse:
        """From the list: the action is chosen for these rows. With `apply` the question is answered, as it was shown."""
        page = reverse(f"admin:{model}_changelist")
        chosen = {"action": name, ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
        if "apply" in more and "seen" not in more:
            asked = self.client.post(page, chosen)
            form = (asked.context or {}).get("form") if asked.status_code == 200 else None
            more["seen"] = form["seen"].value() if form is not None and "seen" in form.fields else ""
        return self.client.post(page, {**chosen, **more})

    def said(self, response: HttpResponse) -> list[str]:
        """The messages on the next page."""
        shown = self.client.get(response["Location"]) if response.status_code == 302 else response
        return [str(message) for message in shown.context["messages"]]


@pytest.fixture
def admin(db: None) -> Desk:
    from tests import factories

    return Desk(factories.staff(email="boss@example.com"))


@pytest.fixture
def member(db: None) -> Callable[[str], Desk]:
    """member("support") sits at the desk with that group's rights; member("") has none at all."""
    from django.contrib.auth.models import Group

    from accounts.services import seeding
    from tests import factories

    seeding.seed(fixed_passwords=True)

    def make(group: str) -> Desk:
        user = factories.user(is_staff=True)
        if group:
            user.groups.add(Group.objects.get(name=group))
        return Desk(user)

    return make


@pytest.fixture
def viewer(db: None) -> Callable[..., Desk]:
    """viewer("vending.view_machine", …) may look and nothing more."""
    from django.contrib.auth.models import Permission

    from tests import factories

    def make(*permissions: str) -> Desk:
        user = factories.user(is_staff=True)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return Desk(user)

    return make


@pytest.fixture
def manufacturer() -> Iterator[Manufacturer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Manufacturer(mock)
