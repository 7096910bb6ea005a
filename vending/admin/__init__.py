"""The staff's desk of vending: machines, sessions, print jobs; what they add to timelines and to the first page."""

from vending.admin import machines, panels, print_jobs, sessions, stock, stories

__all__ = ["machines", "panels", "print_jobs", "sessions", "stock", "stories"]
