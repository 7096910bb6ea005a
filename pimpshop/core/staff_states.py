"""States of a request for a second person (pimpshop.core.staff_requests)."""

from __future__ import annotations

from pimpshop.core import states

REQUEST = states.table(
    "staff request",
    "asked",
    {
        "asked": "done turned_down withdrawn lapsed overtaken",
        "done": "",
        "turned_down": "",
        "withdrawn": "",
        "lapsed": "",
        "overtaken": "",
    },
    meanings={
        "asked": "A second person is to look and decide. Nothing has moved.",
        "done": "A second person said yes, and it was done in that moment.",
        "turned_down": "A second person said no. Nothing moved.",
        "withdrawn": "Who had asked took it back. Nothing moved.",
        "lapsed": "Nobody decided within a day. Nothing moved.",
        "overtaken": "What it is about had changed when it was to be done. Nothing moved.",
    },
)
