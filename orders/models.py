"""Orders, their lines and events. Price and currency are fixed when the order is made."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders import states
from pimpshop.core.models import PREFIX, StateEvent, Timestamped
from pimpshop.core.money import Money
from pimpshop.core.states import StateModel, StateTable


class Order(StateModel, Timestamped):
    """Somebody wants something for a fixed price. `user` is NULL for guests. `session_id` is vending's, opaque."""

    STATES: ClassVar[StateTable] = states.ORDER
    EVENT_MODEL: ClassVar[str] = "orders.OrderEvent"
    EVENT_LINK: ClassVar[str] = "order"

    class Kind(models.TextChoices):
        CASE = "case", _("case")
        CREDITS = "credits", _("credits")
        PLAN = "plan", _("plan")
        MERCHANT = "merchant", _("merchant")

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    order_no = models.CharField(_("order number"), max_length=32)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    status = models.CharField(_("state"), max_length=12, choices=states.ORDER.choices(), default="pending")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="orders",
        db_index=False,  # order_user_recent begins with it
        verbose_name=_("user"),
    )
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    currency = models.CharField(_("currency"), max_length=8)
    total_minor = models.PositiveBigIntegerField(_("total in minor units"))
    machine_id = models.CharField(_("machine"), max_length=60, blank=True)
    session_id = models.CharField(_("session"), max_length=90, blank=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    cancel_at = models.DateTimeField(
        _("cancelled if unpaid at"), null=True, blank=True,
        help_text=_("Its open payments are closed at their providers first. Empty: it waits for ever."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(total_minor__gt=0), name="order_total_positive"),
            models.UniqueConstraint(fields=["order_no"], opclasses=[PREFIX], name="order_number"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="order_user_recent"),
            models.Index(fields=["session_id"], opclasses=[PREFIX], name="order_session"),
            models.Index(fields=["paid_at"], condition=models.Q(status="paid"), name="order_to_complete"),
            models.Index(
                fields=["cancel_at"],
                condition=models.Q(status="pending", cancel_at__isnull=False),
                name="order_to_cancel",
            ),
            models.Index(  # what waits for an address; orders at a machine have none
                Lower("email"), condition=models.Q(user=None) & ~models.Q(email=""), name="order_guest_email"
            ),
            models.Index(  # the desk's questions: few among many that were paid and delivered
                fields=["status", "-id"],
                condition=models.Q(status__in=["pending", "refunded"]),
                name="order_unusual",
            ),
        ]

    def __str__(self) -> str:
        return self.order_no

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)


class OrderLine(models.Model):
    """One thing of an order, with a snapshot of what was shown (names, ids, template, colour) when it was ordered."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField(default=1)
    product_id = models.BigIntegerField(_("product"), null=True, blank=True)
    design_id = models.UUIDField(_("design"), null=True, blank=True)
    shell_id = models.BigIntegerField(null=True, blank=True)
    quantity = models.PositiveSmallIntegerField(default=1)
    unit_minor = models.PositiveBigIntegerField(_("price in minor units"))
    snapshot: Any = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="orderline_position")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"


class OrderEvent(StateEvent):
    order = models.ForeignKey(Order, models.CASCADE, related_name="events")
    told = models.BooleanField(
        db_default=False,
        editable=False,
        help_text="The messages to the buyer that follow from it are written.",
    )

    class Meta(StateEvent.Meta):
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(told=False, to_status__in=["paid", "completed"]),
                name="orderevent_untold",
            )
        ]  # fmt: skip


class CreditPart(models.Model):
    """A buyer pays `covers_minor` of an order in money with `credits`, for which the hold `reference` stands. As long as it
    is held or committed, that much less money is due (orders.services.credit_parts). An order may have had several."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="credit_parts", verbose_name=_("order"), db_index=False
    )
    number = models.PositiveSmallIntegerField(default=1)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("whose credits"),
        db_index=False,
    )
    credits = models.PositiveBigIntegerField(_("credits"))
    covers_minor = models.PositiveBigIntegerField(_("instead of so much money, minor units"))
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("part paid with credits")
        verbose_name_plural = _("parts paid with credits")
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="creditpart_number"),
            models.CheckConstraint(
                condition=models.Q(credits__gt=0, covers_minor__gt=0), name="creditpart_is_something"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """Of its hold."""
        return f"{self.order.order_no}/c{self.number}"


class CaseReport(models.Model):
    """The buyer of a paid case says that they did not get it; a staff item is open meanwhile
    (orders.services.missing_cases). Their words and how to reach them stand here alone, and go with the person."""

    class What(models.TextChoices):
        NOTHING = "nothing", _("The machine gave me nothing")
        EMPTY = "empty", _("It says that it is ready, but there is nothing in the tray")
        STUCK = "stuck", _("I see it, but it is stuck in the machine")
        SPOILED = "spoiled", _("I got one that is spoiled or not mine")
        OTHER = "other", _("Something else")

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="case_reports", verbose_name=_("order"), db_index=False
    )
    reference = models.CharField(_("order and line"), max_length=48)
    what = models.CharField(_("what happened"), max_length=12, choices=What.choices)
    words = models.TextField(_("in their words"), blank=True)
    contact = models.CharField(_("how to reach them"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("case not received")
        verbose_name_plural = _("cases not received")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["order", "-id"], name="casereport_order")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.get_what_display()}"


class EarlyTakeBack(models.Model):
    """Money of an order went back (or is disputed) before what it bought was given: `part` of `whole` minor units. When it
    is given at last, its share is taken back at once under `reference`, and the row goes."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="early_take_backs", verbose_name=_("order"))
    reference = models.CharField(_("reference"), max_length=120, unique=True)
    part = models.BigIntegerField(_("given back (minor units)"))
    whole = models.BigIntegerField(_("paid (minor units)"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    actor = models.CharField(_("by"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("early take-back")
        verbose_name_plural = _("early take-backs")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(part__gt=0, whole__gte=models.F("part")),
                name="earlytakeback_in_proportion",
            )
        ]

    def __str__(self) -> str:
        return self.reference
