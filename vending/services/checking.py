"""Staff look at a print job: its next step is done at once, and they are told what was found.

One call outside, never inside a transaction; under the job's lease like any other step (print_steps). Should the process
die on the way, the job is due and the sweeper goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from vending.models import PrintJob
from vending.services import print_jobs, print_steps


@dataclass(frozen=True)
class Looked:
    """The state before; `done` False: the job had to wait, or somebody else was at it at that moment."""

    before: str
    done: bool


def look_now(job: PrintJob) -> Looked | None:
    """Do the step that comes next; `job` is as it is afterwards. None when there is nothing to be done or learnt."""
    before = job.status
    if not print_jobs.check_now(job=job, ring=False):
        return None
    done = print_steps.advance_job(job.pk)
    job.refresh_from_db()
    return Looked(before, done)
