"""The acts on a print job: each shows first what it would do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from pimpshop.core.admin.acts import WHY, Act, Doing, Preview
from vending.models import Machine, PrintJob
from vending.services import machines, print_jobs, staff_prints

#: Nothing more is to be learnt or done.
AT_REST = ("collected", "canceled", "waiting", "failed", "gave_up")


def _check(job: PrintJob, doing: Doing) -> bool:
    return print_jobs.check_now(job=job)


def _send_again(job: PrintJob, doing: Doing) -> None:
    print_jobs.send_again(job=job, actor=doing.actor, reason=doing.reason)


def _cancel(job: PrintJob, doing: Doing) -> None:
    print_jobs.cancel_job(job=job, actor=doing.actor, reason=doing.reason)


def _reprint(job: PrintJob, doing: Doing) -> None:
    staff_prints.reprint(job=job, actor=doing.actor, reason=doing.reason)


def _collected(job: PrintJob, doing: Doing) -> None:
    staff_prints.mark_collected(job=job, actor=doing.actor, reason=doing.reason)


def _elsewhere(job: PrintJob, doing: Doing) -> None:
    staff_prints.send_elsewhere(job=job, machine=_chosen(doing), actor=doing.actor, reason=doing.reason)


def _chosen(doing: Doing) -> Machine:
    """Raises machines.MachineUnknown."""
    return machines.get_machine(doing.choice)


def _told(job: PrintJob) -> dict[str, Any]:
    return {
        "job": job.queue_no or job.reference,
        "machine": job.machine.name if job.machine else gettext("not chosen yet"),
    }


def _of_sending(job: PrintJob, doing: Doing) -> Preview:
    if job.status == "failed":
        return Preview(
            [
                gettext("A new print order for print job %(job)s goes to %(machine)s, at our cost.")
                % _told(job)
            ]
        )
    return Preview(
        [
            gettext(
                "Print job %(job)s goes on at %(machine)s under the same number; we ask first whether it has it."
            )
            % _told(job)
        ]
    )


def _of_cancelling(job: PrintJob, doing: Doing) -> Preview:
    return Preview([
        gettext("Print job %(job)s is cancelled at %(machine)s and is never printed.") % _told(job),
        gettext("No money moves yet: an item asks to pay the customer back."),
    ])  # fmt: skip


def _of_reprinting(job: PrintJob, doing: Doing) -> Preview:
    staff_prints.must_be_printable_again(job)
    return Preview([
        gettext("Print job %(job)s is printed once more at %(machine)s, with a new number.") % _told(job),
        gettext("It costs us a case. No money moves, and the buyer keeps what they have."),
    ])  # fmt: skip


def _of_collecting(job: PrintJob, doing: Doing) -> Preview:
    return Preview(
        [gettext("Print job %(job)s (%(machine)s) counts as handed out, and its order as done.") % _told(job)]
    )


def _of_going_elsewhere(job: PrintJob, doing: Doing) -> Preview:
    confirm = ""
    if job.status == "gave_up":
        confirm = gettext("I have looked at the machine: it does not have this case")
    if not doing.choice:
        return Preview([gettext("Choose a machine; then it is shown what will happen.")], confirm=confirm)
    told = {**_told(job), "other": _chosen(doing).name}
    return Preview([
        gettext("Print job %(job)s does not go to %(machine)s any more.") % told,
        gettext("A new print order goes to %(other)s, at our cost. First it is asked whether it can print it.") % told,
    ], confirm=confirm)  # fmt: skip


def _locked(job: PrintJob) -> PrintJob:
    return (
        PrintJob.objects.select_for_update(no_key=True, of=("self",)).select_related("machine").get(pk=job.pk)
    )


ACTS = (
    Act(
        "check-now",
        _("Check now"),
        _("The step that is due is done now instead of later."),
        _check,
        icon="sync",
        possible=lambda job: (job.status not in AT_REST or job.due_at is not None) and not job.is_kept_back,
    ),
    Act(
        "send-again",
        _("Send to the machine again"),
        _(
            "We ask the manufacturer first whether the machine has it. A case that the machine failed to print is "
            "ordered anew, with a new number."
        ),
        _send_again,
        reason=WHY,
        icon="replay",
        variant=ActionVariant.PRIMARY,
        possible=lambda job: job.status in staff_prints.ELSEWHERE,
        audited=True,
        preview=_of_sending,
        lock=_locked,
    ),
    Act(
        "send-elsewhere",
        _("Send to another machine"),
        _("For a case that its machine cannot print. The buyer must be told where to fetch it."),
        _elsewhere,
        reason=WHY,
        choice=_("Which machine?"),
        choices=lambda job: [(m.machine_id, str(m)) for m in staff_prints.other_machines(job)],
        icon="move_up",
        possible=lambda job: job.status in staff_prints.ELSEWHERE,
        audited=True,
        on_lists=False,
        preview=_of_going_elsewhere,
        calls=True,
    ),
    Act(
        "reprint",
        _("Print again"),
        _("For a case that came out badly. It is printed once more at the same machine, at our cost."),
        _reprint,
        reason=WHY,
        icon="print",
        possible=lambda job: job.status in staff_prints.PRINTED,
        audited=True,
        on_lists=False,
        preview=_of_reprinting,
        calls=True,
    ),
    Act(
        "mark-collected",
        _("Mark as collected"),
        _("You know that the buyer has the case, and the machine did not say so."),
        _collected,
        reason=WHY,
        icon="task_alt",
        possible=lambda job: job.status in staff_prints.AT_THE_MACHINE,
        audited=True,
        preview=_of_collecting,
        lock=_locked,
    ),
    Act(
        "cancel",
        _("Cancel this print"),
        _(
            "The case will not be printed, and the customer is to be paid back. Not for what the machine has taken."
        ),
        _cancel,
        reason=WHY,
        icon="cancel",
        possible=lambda job: job.status in (*print_jobs.UNSENT, "waiting", *staff_prints.ELSEWHERE),
        audited=True,
        preview=_of_cancelling,
        lock=_locked,
    ),
)
