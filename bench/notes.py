"""What the numbers cannot say by themselves: written below the table of every run."""

from __future__ import annotations

#: By the number that it is about.
DONE = {
    "B1": "Providers' posts have a lane without the middleware of pages (`pimpshop/core/lane.py`): B1 from 0.15 to 0.6 of the "
    "floor. Storing is one call of a function in the database whose plan is kept (`payments_store_event`); a burst rings "
    "few bells, since the worker that wakes does all that is due.",
    "B2": "The usual confirmation is hand-written SQL in functions whose plans are kept (docs/adr/0008). Online, a signed "
    "success is stored and settled by one statement and one commit before it is acknowledged: from 24 statements to 1. At the "
    "machine it is one statement before the question and one after it: from 28 to 2. Numbers have one index instead of two "
    "(docs/adr/0012), and what a confirmation changes finds room on the row's page (docs/adr/0014).",
    "B3": "A repeat writes nothing, a forged post asks nothing.",
    "B6": "An idempotency key is claimed, or its answer read, by one statement; a replay writes no WAL and waits for no disk.",
    "B7": "The usual grant and spending are one statement each, and the rows are lean (docs/adr/0013).",
    "B11": "The start page keeps for 15 seconds what it tells of machines, phones and prices (from eleven statements to "
    "none); the studio's sketches are drawn once per process; an order's page sends five statements instead of "
    "eleven.",
    "B13": "`make run` loads the shop once and forks its parts from that (`pimpshop/run.py`); glibc gives big blocks back.",
}
MISSES = {
    "B1": "B1: above the floor are reading and checking the post, the look-up of the payment, more indexes (in the one "
    "statement), and a Celery message for at most twenty events a second and process.",
    "B2": "B2: WAL is one entry of 64 to 96 bytes for each index of each row: 33 of them online, 38 at the machine, half of all "
    "bytes. Payment, order and session are written anew with all their indexes because their state, and what is due, is the "
    "predicate of partial indexes that sweeper and constraints need. At the machine the hint is stored by a commit of its own, "
    "before anybody is asked.",
    "B3": "B3: on a disk with fast fsync a first delivery costs little more than the read that a duplicate is.",
    "B5": "B5: a bare create has no caller, no limits, no key and no events; ours commits four times: key, order, attempt, "
    "what the provider said. pretix is not measured: it wants a system of its own (node, several services).",
    "B7": "B7: a grant writes four rows (posting, lot, its change, balance) and nine index entries, a spending four and five "
    "or nine, the raw insert one and two. pgledger and hordak keep entries and balances, but no lots, no expiry and no "
    "idempotency by reference; their transfers are between people, so that no account of theirs is everybody's.",
    "B8": "B8: between bell and question lies one statement: the event's lease, the payment and the right to ask.",
    "B9": "B9: 1e6 rows are filled and measured with `--long`, which takes some minutes more.",
    "B11": "B11: the bare template has no middleware, no session, no translation and no row. The start page is its template "
    "for seven tenths of its time (blocks, icons, translated texts). The studio is a third template, a third reading every "
    "shell that is sold with its price, because what may be chosen must be true now. An order's page is half rows, read anew "
    "for each look, and a third template.",
    "B13": "B13: web processes keep part of what drawing a picture took; PostgreSQL's shared buffers (64 MB) fill with the first "
    "buys, and each web thread and worker has a backend of 5 MB. A thousand buys take half an hour (`--long`): a machine "
    "sells one case at a time, and the shop has limits per address.",
}  # fmt: skip
