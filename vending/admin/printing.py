"""The acts on a print job: each shows first what it would do."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from pimpshop.core.admin import words
from pimpshop.core.admin.acts import WHY, Act, Did, Doing, Preview
from vending.models import Machine, PrintJob
from vending.services import checking, machines, pausing, print_jobs, staff_prints

#: Nothing more is to be learnt or done.
AT_REST = ("collected", "canceled", "waiting", "failed", "gave_up")


def _check(job: PrintJob, doing: Doing) -> Did | bool:
    looked = checking.look_now(job)
    if looked is None:
        return False
    told = {
        "state": words.word(job.status),
        "queue": job.queue_no or "–",
        "why": job.last_error,
        "ago": words.ago(job.due_at),
    }
    facts: dict[str, Any] = {"found": job.provider_status, "error": job.last_error}
    if looked.before != job.status:
        facts["changes"] = [{"field": "status", "before": looked.before, "after": job.status}]
    if not looked.done:
        said = gettext("it has to wait or is being asked about at this very moment; look at the timeline")
        return Did(said, tone="warning", facts=facts)
    if job.last_error:
        said = gettext("the manufacturer says: %(why)s. It is at: %(state)s, and is tried again %(ago)s")
        return Did(said % told, tone="warning", facts=facts)
    if looked.before == job.status:
        return Did(gettext("nothing new, it is still: %(state)s") % told, facts=facts)
    return Did(gettext("it is now: %(state)s (queue number %(queue)s)") % told, facts=facts)


def _of_checking(job: PrintJob, doing: Doing) -> Preview:
    pausing.must_not_be_paused(job)
    told = {**_told(job), "step": words.word(job.status)}
    if job.status in print_jobs.UNSENT:
        lines = [gettext("The next step of print job %(job)s at %(machine)s is done now: %(step)s.") % told]
    else:
        lines = [
            gettext("The manufacturer is asked what became of print job %(job)s. Asking moves nothing.")
            % told
        ]
    state = {"state": words.word(job.status), "ago": words.ago(job.due_at)}
    return Preview(lines, now=[gettext("It is at: %(state)s. Next look by itself: %(ago)s.") % state])


def _go_on(job: PrintJob, doing: Doing) -> None:
    pausing.go_on(job=job, actor=doing.actor, reason=doing.reason)


def _of_going_on(job: PrintJob, doing: Doing) -> Preview:
    pausing.must_be_paused(job)
    return Preview(
        [
            gettext("Print job %(job)s goes on at %(machine)s, and the case is printed.") % _told(job),
            gettext("A refund was asked for. If the money goes back as well, the customer has both."),
        ],
        confirm=gettext("I have looked at the refund: the customer wants the case"),
    )


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


def _paid_back(job: PrintJob) -> str:
    """What must be ticked before a case goes out whose money is on its way back."""
    if job.money_gone_at is None:
        return ""
    return gettext("I have looked at the refund: the buyer gets the case and perhaps the money too")


def _of_sending(job: PrintJob, doing: Doing) -> Preview:
    if job.status == "failed":
        return Preview(
            [
                gettext("A new print order for print job %(job)s goes to %(machine)s, at our cost.")
                % _told(job)
            ],
            confirm=_paid_back(job),
        )
    return Preview(
        [
            gettext(
                "Print job %(job)s goes on at %(machine)s under the same number; we ask first whether it has it."
            )
            % _told(job)
        ],
        confirm=_paid_back(job),
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


def _for_nothing(job: PrintJob, doing: Doing) -> None:
    staff_prints.reprint(job=job, actor=doing.actor, reason=doing.reason, for_nothing=True)


def _of_printing_for_nothing(job: PrintJob, doing: Doing) -> Preview:
    staff_prints.must_be_printable_again(job, for_nothing=True)
    why = gettext(
        "The money for this case went back to the buyer: a second person says whether it is given away."
    )
    return Preview([
        gettext("Print job %(job)s is printed once more at %(machine)s, with a new number.") % _told(job),
        gettext("The buyer has the money back and gets a case for nothing."),
        why,
    ], second=why)  # fmt: skip


def _of_collecting(job: PrintJob, doing: Doing) -> Preview:
    return Preview(
        [gettext("Print job %(job)s (%(machine)s) counts as handed out, and its order as done.") % _told(job)]
    )


def _of_going_elsewhere(job: PrintJob, doing: Doing) -> Preview:
    confirm = _paid_back(job)
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
        possible=lambda job: (
            (job.status not in AT_REST or job.due_at is not None)
            and not job.is_kept_back
            and not pausing.is_paused(job)
        ),
        at_most=5,
        preview=_of_checking,
        calls=True,
    ),
    Act(
        "go-on",
        _("Print it after all"),
        _("A refund was asked for, so the case waits. Let it go on only when the money stays."),
        _go_on,
        reason=WHY,
        icon="play_arrow",
        possible=pausing.is_paused,
        audited=True,
        on_lists=False,
        preview=_of_going_on,
        lock=_locked,
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
        possible=lambda job: job.status in staff_prints.PRINTED and job.money_gone_at is None,
        audited=True,
        on_lists=False,
        preview=_of_reprinting,
        calls=True,
    ),
    Act(
        "reprint-for-nothing",
        _("Print again for nothing"),
        _("The money went back, and the buyer is to have a good case all the same. A second person decides."),
        _for_nothing,
        reason=WHY,
        icon="card_giftcard",
        possible=lambda job: job.status in staff_prints.PRINTED and job.money_gone_at is not None,
        audited=True,
        on_lists=False,
        preview=_of_printing_for_nothing,
        lock=_locked,
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
