"""A silent machine for which paid cases wait is an item, until it is back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from pimpshop.core.models import StaffItem
from tests import factories
from vending.models import Machine
from vending.services import watching

pytestmark = pytest.mark.django_db


def test_a_silent_machine_with_paid_cases() -> None:
    long_ago = timezone.now() - timedelta(minutes=11)
    silent = factories.machine(machine_id="VM_SILENT", name="Mall", last_contact_at=long_ago)
    factories.print_job(silent), factories.print_job(silent), factories.print_job(silent, status="printed")
    factories.print_job(factories.machine())  # heard of just now
    factories.machine(last_contact_at=long_ago)  # nothing waits for it
    factories.print_job(factories.machine(last_contact_at=long_ago, is_active=False))
    assert (watching.tell_of_silent_machines(), watching.tell_of_silent_machines()) == (1, 0)
    item = StaffItem.objects.get()
    assert (item.kind, item.subject) == ("machine_offline", "VM_SILENT")
    assert item.title == "Mall is silent, and 2 paid cases wait for it"
    Machine.objects.filter(pk=silent.pk).update(last_contact_at=timezone.now())
    assert watching.tell_of_silent_machines() == 1
    item.refresh_from_db()
    assert item.resolution == "the machine is back, or nothing waits for it"
