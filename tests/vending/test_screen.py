"""A machine's own screen: what it shows, until when that is true, and what strangers who open its address get."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from pimpshop.core import ids
from tests import factories as make
from vending.models import Machine, VendingSession
from vending.services import screens

pytestmark = pytest.mark.django_db


def page(machine: Machine, key: str = "", part: str = "") -> str:
    answer = Client().get(f"/m/{machine.machine_id}/{part}" + (f"?k={key}" if key else ""))
    assert answer.status_code == 200
    return answer.content.decode()


def state(html: str) -> str:
    found = re.search(r'data-state="(\w+)"', html)
    assert found
    return found[1]


def paying(machine: Machine) -> VendingSession:
    return make.session(
        machine, status="payment_pending", payment_started_at=timezone.now(), amount_minor=1999, currency="GBP",
        third_id="PYEN251120000001",
    )  # fmt: skip


# --- Until when it is true ---------------------------------------------------------------------------------------------
def test_a_code_is_true_until_its_session_ends() -> None:
    machine = make.machine()
    session = make.session(machine, expires_at=timezone.now() + timedelta(minutes=30, seconds=1))
    shown = screens.show(machine)
    assert (shown.state, shown.session, shown.life) == ("scan", session, 1800)
    html = page(machine)
    life = re.search(r'id="screen"[^>]* data-life="(\d+)"', html)
    assert life
    assert 1795 <= int(life[1]) <= 1800
    assert '<div id="stale" class="screen-stale" hidden>' in html


def test_what_has_no_end_stays() -> None:
    machine = make.machine(maintenance=True)
    assert screens.show(machine).life is None
    assert "data-life" not in page(machine)


def test_a_code_that_is_taken_gives_way_to_a_fresh_one() -> None:
    machine = make.machine()
    first = screens.show(machine).session
    assert first
    assert screens.show(machine).session == first
    VendingSession.objects.filter(pk=first.pk).update(
        claim_hash=ids.hash_token("x"),
        claimed_at=timezone.now() - screens.CONNECTED_FOR,
        user_progress="qr_scanned",
    )
    second = screens.show(machine).session
    assert second not in (None, first)
    VendingSession.objects.filter(pk=second.pk).update(expires_at=timezone.now() + screens.FRESH_ENOUGH)
    assert screens.show(machine).session not in (None, first, second)


# --- Who may open it ---------------------------------------------------------------------------------------------------
def test_without_a_lock_the_address_alone_is_enough() -> None:
    machine = make.machine(last_contact_at=None)
    paying(machine)
    html = page(machine)
    assert (state(html), "£19.99" in html) == ("pay", True)
    machine.refresh_from_db()
    assert machine.last_contact_at is not None


@pytest.mark.parametrize("key", ["", "wrong"])
@pytest.mark.parametrize("part", ["", "live/"])
def test_a_stranger_sees_no_amount_and_makes_no_session(key: str, part: str) -> None:
    machine = make.machine(screen_locked=True, last_contact_at=None)
    make.print_job(machine, status="accepted", accepted_at=timezone.now(), queue_no="9578")
    paying(machine)
    html = page(machine, key, part)
    assert (state(html), "£19.99" in html, "9578" in html) == ("connected", False, False)
    assert VendingSession.objects.count() == 1
    machine.refresh_from_db()
    assert machine.last_contact_at is None


def test_a_stranger_may_scan_the_code_that_the_screen_made() -> None:
    machine = make.machine(screen_locked=True)
    mine = screens.show(machine).session
    assert mine
    shown = screens.show_to_anybody(machine)
    assert (shown.state, shown.session, shown.queue) == ("scan", mine, [])
    assert state(page(machine)) == "scan"
    assert VendingSession.objects.count() == 1


def test_the_machine_itself_has_the_key() -> None:
    machine = make.machine(screen_locked=True, last_contact_at=None)
    key = machine.screen_path().partition("?k=")[2]
    html = page(machine, key)
    assert state(html) == "scan"
    assert f'hx-get="/m/{machine.machine_id}/live/?k={key}"' in html
    assert state(page(machine, key, "live/")) == "scan"
    machine.refresh_from_db()
    assert machine.last_contact_at is not None
    other = make.machine(screen_locked=True)
    assert state(page(other, key)) == "connected"
    assert not VendingSession.objects.filter(machine=other).exists()


def test_a_machine_out_of_service_says_so_to_everybody() -> None:
    machine = make.machine(screen_locked=True, maintenance=True)
    assert state(page(machine)) == "closed"
