"""The kill switch of a gateway, and its rest after failures: hidden by itself, back by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from payments.models import GatewaySwitch
from payments.services import switches
from pimpshop.core.models import AuditEntry, StaffItem

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_switched_off_it_is_offered_to_nobody_and_comes_back_when_switched_on() -> None:
    assert "alipay" in switches.usable()
    switches.switch(key="alipay", off=True, actor="ada", reason="trouble there")
    assert "alipay" not in switches.usable()
    with pytest.raises(switches.GatewayOff):
        switches.must_be_on("alipay")
    switches.must_be_on("wechatpay")
    switches.switch(key="alipay", off=False, actor="ada", reason="well again")
    switches.must_be_on("alipay")
    audited = list(AuditEntry.objects.order_by("id").values_list("action", "subject", "actor", "reason"))
    assert audited == [
        ("switch gateway off", "alipay", "ada", "trouble there"),
        ("switch gateway on", "alipay", "ada", "well again"),
    ]


def test_five_failures_in_a_row_hide_it_for_a_minute_and_longer_each_time() -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(4):
            switches.note_failure("alipay")
        assert "alipay" in switches.usable()
        switches.note_failure("alipay")
        assert "alipay" not in switches.usable()
        assert StaffItem.objects.get(kind="gateway_resting").subject == "alipay"
        clock.move_to(START + timedelta(seconds=59))
        assert "alipay" not in switches.usable()
        clock.move_to(START + timedelta(seconds=60))
        assert "alipay" in switches.usable()
        switches.note_failure("alipay")
        clock.shift(timedelta(seconds=119))
        assert "alipay" not in switches.usable()
        clock.shift(timedelta(seconds=1))
        assert "alipay" in switches.usable()
        for _ in range(20):
            switches.note_failure("alipay")
        clock.shift(timedelta(minutes=15))
        assert "alipay" in switches.usable()


def test_a_success_forgets_the_failures_and_closes_the_item() -> None:
    for _ in range(5):
        switches.note_failure("alipay")
    switches.note_success("alipay")
    row = GatewaySwitch.objects.get()
    assert (row.failures, row.rests_until) == (0, None)
    assert "alipay" in switches.usable()
    assert StaffItem.objects.get(kind="gateway_resting").resolved_at is not None


def test_machines_fail_one_by_one_and_are_never_hidden_together() -> None:
    for _ in range(9):
        switches.note_failure("machine")
    assert "machine" in switches.usable()
    assert not GatewaySwitch.objects.exists()


def test_staff_find_a_row_for_each_configured_gateway() -> None:
    switches.make_rows()
    switches.make_rows()
    rows = list(GatewaySwitch.objects.values_list("gateway", flat=True))
    assert rows == sorted(switches.usable())
