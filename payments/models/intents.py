"""Payment intents: one row is one attempt and one out_trade_no. An order has many; one of them settles it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _

from orders.models import Order
from payments import states
from pimpshop.core.models import PREFIX, StateEvent, Timestamped
from pimpshop.core.money import Money
from pimpshop.core.states import StateModel, StateTable


class PaymentIntent(StateModel, Timestamped):
    """One attempt. `settles_order`: this is the success that paid the order; `is_surplus`: a success that did not."""

    STATES: ClassVar[StateTable] = states.PAYMENT
    EVENT_MODEL: ClassVar[str] = "payments.PaymentEvent"
    EVENT_LINK: ClassVar[str] = "intent"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="payment_intents", verbose_name=_("order"), db_index=False
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    gateway = models.CharField(_("gateway"), max_length=20)
    account = models.CharField(_("account"), max_length=64, blank=True)
    method = models.CharField(_("method"), max_length=32)
    live = models.BooleanField(_("live"), default=False)
    status = models.CharField(_("state"), max_length=20, choices=states.PAYMENT.choices(), default="created")
    amount_minor = models.PositiveBigIntegerField(_("amount in minor units"))
    currency = models.CharField(_("currency"), max_length=8)
    captured_minor = models.PositiveBigIntegerField(_("captured, minor units"), default=0)
    refunded_minor = models.PositiveBigIntegerField(_("refunded, minor units"), default=0)
    settles_order = models.BooleanField(_("settled the order"), default=False)
    is_surplus = models.BooleanField(_("surplus"), default=False)
    out_trade_no = models.CharField(_("our number"), max_length=64)
    provider_ref = models.CharField(_("provider's reference"), max_length=128, blank=True)
    #: Made of order number and attempt, which are unique together (intent_order_attempt): no index of its own.
    idempotency_key = models.CharField(max_length=255)
    next_action: Any = models.JSONField(null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=64, blank=True)
    error_message = models.CharField(_("error message"), max_length=300, blank=True)
    succeeded_at = models.DateTimeField(_("succeeded"), null=True, blank=True)
    stated_on = models.DateField(
        _("in the statement of"),
        null=True,
        blank=True,
        help_text=_("The provider's day whose statement has it."),
    )
    next_query_at = models.DateTimeField(_("next query"), null=True, blank=True)
    last_query_at = models.DateTimeField(_("last query"), null=True, blank=True)
    leased_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody is creating it at the provider."
    )
    query_count = models.PositiveIntegerField(_("queries"), default=0)
    query_until = models.DateTimeField(_("queried until"), null=True, blank=True)
    metadata: Any = models.JSONField(default=dict, blank=True)
    refund_reserved_minor = models.PositiveBigIntegerField(
        _("refunds that did not fail, minor units"),
        default=0,
        help_text="Raised under the row's lock before any refund is asked for.",
    )
    manual_capture = models.BooleanField(_("authorize first"), default=False)
    transaction_ref = models.CharField(_("provider's transaction"), max_length=128, blank=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    method_details: Any = models.JSONField(_("paid with"), default=dict, blank=True)
    receipt_url = models.CharField(_("receipt"), max_length=500, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    cancel_url = models.CharField(max_length=500, blank=True)
    platform = models.CharField(max_length=12, blank=True)
    save_method = models.BooleanField(default=False)
    confirm_count = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(_("to be paid until"), null=True, blank=True)
    client_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    api_key_id = models.BigIntegerField(_("made by API key"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["out_trade_no"], opclasses=[PREFIX], name="intent_number"),
            models.UniqueConstraint(fields=["order", "attempt"], name="intent_order_attempt"),
            models.UniqueConstraint(
                fields=["gateway", "provider_ref"],
                condition=~Q(provider_ref=""),
                name="intent_provider_ref",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(settles_order=True),
                name="intent_one_settles",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="intent_amount_positive"),
            models.CheckConstraint(
                condition=Q(refunded_minor__lte=F("captured_minor")),
                name="intent_refunds_fit",
            ),
            models.CheckConstraint(
                condition=Q(refund_reserved_minor__lte=F("captured_minor"))
                & Q(refunded_minor__lte=F("refund_reserved_minor")),
                name="intent_reserved_refunds_fit",
            ),
            models.CheckConstraint(
                condition=Q(captured_minor__lte=F("amount_minor")),
                name="intent_capture_fits",
            ),
            models.CheckConstraint(
                condition=~(Q(settles_order=True) & Q(is_surplus=True)),
                name="intent_settles_or_surplus",
            ),
        ]
        indexes = [
            BrinIndex(fields=["created_at"], name="intent_made", autosummarize=True),
            models.Index(
                fields=["next_query_at"],
                condition=Q(next_query_at__isnull=False),
                name="intent_due",
            ),
            models.Index(
                fields=["succeeded_at"],
                condition=Q(method="mini", settles_order=True),
                name="intent_mini_settled",
            ),
            models.Index(
                fields=["gateway", "transaction_ref"],
                condition=~Q(transaction_ref=""),
                name="intent_transaction",
            ),
            models.Index(  # the desk's search; most payments are by no card and stand outside
                KeyTextTransform("last_four", "method_details"),
                F("id"),
                condition=Q(method_details__has_key="last_four"),
                name="intent_last_four",
            ),
            # The desk's questions: what did not go the usual way is not looked for among everything that did.
            models.Index(fields=["status", "-id"], condition=~Q(status="succeeded"), name="intent_unusual"),
            models.Index(fields=["-id"], condition=Q(is_surplus=True), name="intent_surplus"),
        ]

    def __str__(self) -> str:
        return self.out_trade_no

    @property
    def payment_id(self) -> str:
        """The id that API clients see."""
        return f"pay_{self.public_id}"

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class PaymentEvent(StateEvent):
    intent = models.ForeignKey(PaymentIntent, models.CASCADE, related_name="events")
    published = models.BooleanField(
        db_default=False, editable=False, help_text="The outgoing events that tell of it are written."
    )

    class Meta(StateEvent.Meta):
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        indexes = [models.Index(fields=["id"], condition=Q(published=False), name="paymentevent_unpublished")]
