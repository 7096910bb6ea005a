"""Celery tasks and sweep rounds of vending. A task is a bell: it names a row, and the row says what is due."""

from __future__ import annotations

from celery import shared_task

from pimpshop.core import sweeper


@shared_task(name="vending.tasks.advance_print_job", time_limit=120, soft_time_limit=90)
def advance_print_job(job_pk: int) -> bool:
    """Do the step that is due on one print job, then what else is due (in a burst not every job has a message)."""
    from vending.services import print_jobs, print_steps

    done = print_steps.advance_job(job_pk)
    sweeper.each(print_jobs.due(), print_steps.advance_job)
    return done


@shared_task(name="vending.tasks.sync_catalogue", time_limit=600, soft_time_limit=540)
def sync_catalogue() -> None:
    """Brands, goods and every machine's stock, as the manufacturer lists them."""
    from vending.services import catalogue_sync, machines

    catalogue_sync.sync_all(machines.client(subject="catalogue"))


@shared_task(name="vending.tasks.sync_machine_stock", time_limit=120, soft_time_limit=90)
def sync_machine_stock(machine_pk: int) -> None:
    """One machine's stock."""
    from vending.models import Machine
    from vending.services import catalogue_sync, machines

    machine = Machine.objects.get(pk=machine_pk)
    catalogue_sync.sync_stock(machines.client(subject=machine.machine_id), machine)


@sweeper.round("print jobs", every=1)
def _print_jobs() -> int:
    from vending.services import print_jobs, print_steps

    return sweeper.each(print_jobs.due(), print_steps.advance_job)


@sweeper.round("cases without a machine", every=300)
def _unclaimed_cases() -> int:
    from vending.services import waiting_jobs

    return waiting_jobs.tell_of_unclaimed()


@sweeper.round("silent machines with paid cases", every=60)
def _silent_machines() -> int:
    from vending.services import watching

    return watching.tell_of_silent_machines()


@sweeper.round("sessions to expire", every=5)
def _expire_sessions() -> int:
    from vending.services import sessions

    return sessions.expire_due()
