"""Every (from, to) pair of every state machine, decided here a second time, by hand.

A change of a table has to be made twice: in `<app>/states.py` and here. That is the point.
"""

from __future__ import annotations

import itertools

import pytest

from credits import states as credits_states
from orders import states as orders_states
from payments import states as payments_states
from pimpshop.core import staff_states
from pimpshop.core.states import StateTable
from vending import states as vending_states

TABLES: dict[str, StateTable] = {
    "order": orders_states.ORDER,
    "payment": payments_states.PAYMENT,
    "refund": payments_states.REFUND,
    "inbox": payments_states.INBOX,
    "session": vending_states.SESSION,
    "progress": vending_states.PROGRESS,
    "print_job": vending_states.PRINT_JOB,
    "hold": credits_states.HOLD,
    "request": staff_states.REQUEST,
}

# One line per "from"; a 1 stands under each "to" that may be reached, in the order of the lines.
GOLDEN = {
    "order": """
        pending    01010
        paid       00101
        completed  00001
        cancelled  01000
        refunded   01000
    """,
    "payment": """
        created             01111100111
        requires_action     00111100111
        processing          01011100111
        authorized          00001100111
        expiring            00110100111
        succeeded           00000011000
        partially_refunded  00000101000
        refunded            00000110000
        failed              00000100000
        canceled            00000100000
        expired             00000100000
    """,
    "request": """
        asked        011111
        done         000000
        turned_down  000000
        withdrawn    000000
        lapsed       000000
        overtaken    000000
    """,
    "refund": """
        created    0111
        pending    0011
        succeeded  0001
        failed     0000
    """,
    "inbox": """
        received   0111
        processed  1000
        ignored    1000
        parked     1110
    """,
    "session": """
        active             0110011
        designing          0010011
        payment_pending    0001101
        payment_completed  0000000
        payment_failed     0011011
        expired            0001000
        cancelled          0001000
    """,
    "progress": """
        started          01111001
        qr_scanned       00111001
        designing        00011001
        design_complete  00101001
        payment_pending  00000111
        payment_failed   00111011
        order_failed     00000001
        order_submitted  00000010
    """,
    "print_job": """
        waiting     01000000001
        announcing  10100000011
        confirming  00010000011
        submitting  00001000011
        accepted    00000111100
        printing    00001011100
        printed     00010001100
        collected   00010000000
        failed      01010111001
        gave_up     01111000001
        canceled    00000000000
    """,
    "hold": """
        held       011
        committed  000
        released   000
    """,
}
INITIAL = {
    "order": "pending", "payment": "created", "refund": "created", "inbox": "received", "session": "active",
    "progress": "started", "print_job": "submitting", "hold": "held", "request": "asked",
}  # fmt: skip


def decided(name: str) -> dict[tuple[str, str], bool]:
    rows = [line.split() for line in GOLDEN[name].strip().splitlines()]
    names = [row[0] for row in rows]
    return {(row[0], to): mark == "1" for row in rows for to, mark in zip(names, row[1], strict=True)}


@pytest.mark.parametrize("name", TABLES)
def test_every_pair_is_decided(name: str) -> None:
    table = TABLES[name]
    assert {pair: table.allows(*pair) for pair in itertools.product(table.statuses, repeat=2)} == decided(
        name
    )
    assert table.initial == INITIAL[name]


@pytest.mark.parametrize("name", TABLES)
def test_every_state_says_what_it_means(name: str) -> None:
    table = TABLES[name]
    assert {status for status, text in table.meanings.items() if text.endswith(".")} == set(table.statuses)


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached(name: str) -> None:
    table = TABLES[name]
    reached, frontier = {table.initial}, [table.initial]
    if name == "print_job":  # a paid job starts at the step that its way of paying asks for
        reached |= {"waiting", "announcing"}
        frontier += ["waiting", "announcing"]
    while frontier:
        for to in table.moves[frontier.pop()] - reached:
            reached.add(to)
            frontier.append(to)
    assert reached == set(table.statuses)


@pytest.mark.parametrize("name", TABLES)
def test_a_state_is_never_its_own_successor(name: str) -> None:
    assert [status for status in TABLES[name].statuses if TABLES[name].allows(status, status)] == []


def test_late_money_is_never_refused() -> None:
    for ended in ("failed", "canceled", "expired"):
        assert payments_states.PAYMENT.allows(ended, "succeeded")
    assert orders_states.ORDER.allows("cancelled", "paid")
    for ended in ("expired", "cancelled", "payment_failed"):
        assert vending_states.SESSION.allows(ended, "payment_completed")


def test_a_session_with_a_payment_under_way_does_not_expire() -> None:
    assert not vending_states.SESSION.allows("payment_pending", "expired")
