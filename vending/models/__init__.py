"""Vending's tables: machines and stock, sessions, print jobs."""

from vending.models.machines import Machine, StockLevel
from vending.models.print_jobs import PrintJob, PrintJobEvent
from vending.models.sessions import SessionEvent, VendingSession

__all__ = [
    "Machine",
    "PrintJob",
    "PrintJobEvent",
    "SessionEvent",
    "StockLevel",
    "VendingSession",
]
