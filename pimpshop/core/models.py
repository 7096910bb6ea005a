"""Rows that every app shares: staff items, idempotency records, day counters, outbound calls, notifications, audit.

Lives here: the tables and their constraints. Not here: who writes them (pimpshop.core.{ids,idempotency,staff_items,
calls}, the apps' services). References to rows of the apps are opaque texts, never foreign keys: core imports no app.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pimpshop.core import staff_kinds

#: Operator class for an index on numbers: one index answers `=` and "begins with" (staff's search), whatever the
#: collation. A text field's own unique=True or db_index=True makes two, and every write pays for both.
PREFIX = "varchar_pattern_ops"


class Timestamped(models.Model):
    """`created_at` and `updated_at`, aware UTC."""

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        abstract = True


class StateEvent(models.Model):
    """One state change, written by `core.states.advance` in the statement that made it; or a remark (from = to)."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    from_status = models.CharField(_("from"), max_length=32, blank=True)
    to_status = models.CharField(_("to"), max_length=32)
    source = models.CharField(_("source"), max_length=32, help_text=_("The door it came through."))
    actor = models.CharField(_("who"), max_length=120, blank=True)
    reason = models.CharField(_("why"), max_length=500, blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        abstract = True
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_status or '–'} → {self.to_status}"


class StaffItem(Timestamped):
    """Something a person must look at. Idempotent: one open item per (kind, subject)."""

    kind = models.CharField(_("kind"), max_length=64)
    subject = models.CharField(_("about"), max_length=120, help_text=_("For example an order number."))
    title = models.CharField(_("what happened"), max_length=200)
    detail = models.TextField(_("what to do"), blank=True)
    data = models.JSONField(_("details"), default=dict, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=120, blank=True)
    resolution = models.CharField(_("how it was resolved"), max_length=500, blank=True)
    alert_taken_at = models.DateTimeField(null=True, blank=True, editable=False)
    alerted_at = models.DateTimeField(_("alert sent"), null=True, blank=True, editable=False)
    owner = models.CharField(
        _("whose"),
        max_length=120,
        blank=True,
        db_default="",
        help_text=_("Who looks after it; empty: nobody yet."),
    )
    overdue_at = models.DateTimeField(
        _("overdue since"), null=True, blank=True, editable=False,
        help_text=_("When it had waited longer than its kind allows; said once."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("staff item")
        verbose_name_plural = _("staff items")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(resolved_at=None),
                name="staffitem_one_open",
            ),
        ]
        indexes = [models.Index(fields=["subject"], name="staffitem_subject")]

    def __str__(self) -> str:
        known = staff_kinds.is_known(self.kind)
        return f"{staff_kinds.get(self.kind).title if known else self.title} ({self.subject})"


class StaffNote(models.Model):
    """What somebody wrote about an item. Only ever added."""

    item = models.ForeignKey(StaffItem, models.CASCADE, related_name="notes")
    at = models.DateTimeField(_("when"), default=timezone.now)
    author = models.CharField(_("who"), max_length=120)
    text = models.CharField(_("note"), max_length=2000)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text}"


class IdempotencyRecord(models.Model):
    """One use of an idempotency key by one owner: what was asked (keyed fingerprint) and what was answered."""

    owner = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    lease_until = models.DateTimeField(null=True, help_text="Set while the first request is still running.")
    response_status = models.PositiveSmallIntegerField(null=True)
    response_body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_owner_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_created")]

    def __str__(self) -> str:
        return f"{self.owner} {self.key}"


class DailySequence(models.Model):
    """A counter per name and UTC day that starts at a random point (several databases may share one account)."""

    name = models.CharField(max_length=16)
    day = models.DateField()
    start = models.PositiveIntegerField()
    value = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="dailysequence_name_day")]

    def __str__(self) -> str:
        return f"{self.name} {self.day}: {self.value}"


class OutboundCall(models.Model):
    """One call to a provider, redacted and bounded: evidence for staff and for the provider's support."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    provider = models.CharField(_("provider"), max_length=32)
    name = models.CharField(_("call"), max_length=64)
    subject = models.CharField(_("about"), max_length=120, blank=True)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=500)
    request = models.JSONField(_("request"), null=True, blank=True)
    response = models.JSONField(_("answer"), null=True, blank=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    code = models.CharField(_("code"), max_length=64, blank=True)
    latency_ms = models.PositiveIntegerField(_("ms"), default=0)
    trace_id = models.CharField(_("trace id"), max_length=128, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("outbound call")
        verbose_name_plural = _("outbound calls")
        indexes = [
            models.Index(fields=["subject", "at"], name="outboundcall_subject"),
            models.Index(fields=["at"], name="outboundcall_at"),
            models.Index(  # the desk's questions
                fields=["-at"],
                condition=~models.Q(error="", code__in=["", "200"]),
                name="outboundcall_failed",
            ),
            models.Index(fields=["-at"], condition=models.Q(latency_ms__gt=2000), name="outboundcall_slow"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.name} {self.at:%Y-%m-%d %H:%M:%S}"


class Notification(Timestamped):
    """One message to a customer, exactly once per (reference, kind); sent from this row, never from a request.

    `due_at` is when to try next; while somebody sends, when their right to do so ends; NULL: it has ended (`outcome`)."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("sent")
        NOBODY = "nobody", _("nobody to tell")
        OVERTAKEN = "overtaken", _("overtaken by a later message")
        UNWANTED = "unwanted", _("not wanted by its receiver")
        SHOWN = "shown", _("shown on the status page")
        GAVE_UP = "gave_up", _("given up")

    reference = models.CharField(_("about"), max_length=120)
    kind = models.CharField(_("kind"), max_length=64)
    recipient = models.CharField(_("to"), max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    data = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    outcome = models.CharField(_("how it ended"), max_length=12, choices=Outcome.choices, blank=True)
    channel = models.CharField(_("sent by"), max_length=12, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    again = models.PositiveSmallIntegerField(
        _("sent again by staff"), default=0, help_text=_("Each time is a message of its own.")
    )
    last_error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            models.UniqueConstraint(fields=["reference", "kind"], name="notification_once"),
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(due_at=None, outcome="sent"),
                name="notification_sent_is_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="notification_due"
            ),
            # The desk's questions.
            models.Index(fields=["-id"], condition=~models.Q(last_error=""), name="notification_trouble"),
            models.Index(fields=["-id"], condition=models.Q(outcome="gave_up"), name="notification_gave_up"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class AuditEntry(models.Model):
    """What a member of staff did, to what, and why. Append only: the database refuses to change or remove a row."""

    at = models.DateTimeField(_("when"), default=timezone.now)
    actor = models.CharField(_("who"), max_length=120)
    action = models.CharField(_("what"), max_length=64)
    subject = models.CharField(_("about"), max_length=120)
    reason = models.CharField(_("why"), max_length=500, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        permissions = [("export_audit", "Can take the audit log out as a file")]
        indexes = [
            models.Index(fields=["subject", "at"], name="auditentry_subject"),
            models.Index(fields=["at"], name="auditentry_at"),
            models.Index(fields=["actor", "at"], name="auditentry_actor"),
            models.Index(
                fields=["-id"], condition=models.Q(data__has_key="changes"), name="auditentry_edits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.subject}"


class Heartbeat(models.Model):
    """The last sign of life of a background process (worker, beat, sweeper); /readyz reads it."""

    name = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    info = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name


class SharedToken(models.Model):
    """A provider's access token shared by all processes, encrypted at rest; renewed under an advisory lock."""

    name = models.CharField(max_length=64, primary_key=True)
    sealed = models.TextField()
    obtained_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


# Their own module for its length; they build on what stands above.
from pimpshop.core import staff_models  # noqa: E402

StaffLimit = staff_models.StaffLimit
StaffMove = staff_models.StaffMove
StaffRequest = staff_models.StaffRequest
StaffRequestEvent = staff_models.StaffRequestEvent
