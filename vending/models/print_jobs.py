"""Print jobs: one per paid case. The row is the queue: its status names the step that is due at the manufacturer."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from pimpshop.core.models import PREFIX, StateEvent, Timestamped
from pimpshop.core.states import StateModel, StateTable
from vending import states
from vending.models.machines import Machine


class PrintJob(StateModel, Timestamped):
    """`reference` = order_no + line, opaque and unique: one job per paid case, whoever asks and how often."""

    STATES: ClassVar[StateTable] = states.PRINT_JOB
    EVENT_MODEL: ClassVar[str] = "vending.PrintJobEvent"
    EVENT_LINK: ClassVar[str] = "print_job"

    reference = models.CharField(_("order and line"), max_length=48)
    order_no = models.CharField(_("order"), max_length=32)
    session_id = models.CharField(_("session"), max_length=90, blank=True)
    machine = models.ForeignKey(
        Machine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="print_jobs",
        verbose_name=_("machine"),
        db_index=False,  # printjob_machine_status begins with it
    )
    status = models.CharField(
        _("state"),
        max_length=20,
        choices=states.PRINT_JOB.choices(),
        default="submitting",
    )
    pay_type = models.PositiveSmallIntegerField(_("pay type"), default=5, help_text="5 machine, 12 online")
    payment_third_id = models.CharField(_("PYEN"), max_length=32, help_text=_("The payment's third_id."))
    third_order_id = models.CharField(_("OREN"), max_length=32)
    earlier_order_ids: Any = models.JSONField(default=list, blank=True)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=8)
    mobile_model_id = models.CharField(max_length=40)
    mobile_shell_id = models.CharField(max_length=40)
    shell_id = models.BigIntegerField(null=True)
    design_id = models.UUIDField()
    print_sha256 = models.CharField(_("hash of the picture"), max_length=64)
    manufacturer_order_id = models.CharField(_("MSOR"), max_length=64, blank=True)
    queue_no = models.CharField(_("queue number"), max_length=32, blank=True)
    provider_status = models.CharField(_("manufacturer's status"), max_length=16, blank=True)
    due_at = models.DateTimeField(_("next step due"), null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(
        _("attempts"),
        default=0,
        help_text=_("Of this step; counted before each call, so that a crash counts."),
    )
    first_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)
    accepted_at = models.DateTimeField(_("accepted"), null=True, blank=True)
    held = models.CharField(
        _("held because of"),
        max_length=140,
        blank=True,
        default="",
        db_default="",
        help_text=_("It is not sent meanwhile."),
    )
    money_gone_at = models.DateTimeField(
        _("paid back"),
        null=True,
        blank=True,
        help_text=_("All the money of its order went back then, or began to."),
    )

    class Meta:
        verbose_name = _("print job")
        verbose_name_plural = _("print jobs")
        constraints = [
            models.UniqueConstraint(fields=["reference"], opclasses=[PREFIX], name="printjob_reference"),
            models.UniqueConstraint(fields=["third_order_id"], opclasses=[PREFIX], name="printjob_oren"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="printjob_due",
            ),
            models.Index(fields=["machine", "status"], name="printjob_machine_status"),
            BrinIndex(fields=["created_at"], name="printjob_made", autosummarize=True),
            models.Index(fields=["order_no"], opclasses=[PREFIX], name="printjob_order_no"),
            models.Index(fields=["session_id"], opclasses=[PREFIX], name="printjob_session"),
            models.Index(fields=["payment_third_id"], opclasses=[PREFIX], name="printjob_pyen"),
            models.Index(fields=["manufacturer_order_id"], opclasses=[PREFIX], name="printjob_msor"),
            models.Index(fields=["queue_no"], opclasses=[PREFIX], name="printjob_queue_no"),
            # The desk's questions: what hangs is not looked for among everything that was printed.
            models.Index(
                fields=["status", "-id"],
                condition=models.Q(
                    status__in=["announcing", "confirming", "submitting", "failed", "gave_up"]
                ),
                name="printjob_hangs",
            ),
            models.Index(fields=["-id"], condition=~models.Q(held=""), name="printjob_held"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_kept_back(self) -> bool:
        """Held, and no machine has taken it yet."""
        return bool(self.held) and self.accepted_at is None


class PrintJobEvent(StateEvent):
    print_job = models.ForeignKey(PrintJob, models.CASCADE, related_name="events")
    told = models.BooleanField(
        db_default=False,
        editable=False,
        help_text="The messages to the buyer that follow from it are written.",
    )

    class Meta(StateEvent.Meta):
        verbose_name = _("print job event")
        verbose_name_plural = _("print job events")
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(told=False, to_status="accepted"),
                name="printjobevent_untold",
            )
        ]
