"""Payments' tables: attempts, refunds, disputes, saved methods, switches, statements, the inbox, the outbox."""

from payments.models.disputes import Dispute, DisputeEvent
from payments.models.inbox import WebhookEvent, WebhookEventChange
from payments.models.intents import PaymentEvent, PaymentIntent
from payments.models.joined import JoinedAccount
from payments.models.outbox import (
    DeliveryAttempt,
    OutboundEvent,
    WebhookDelivery,
    WebhookDeliveryChange,
    WebhookEndpoint,
)
from payments.models.reconcile import ReconcileChange, ReconcileDifference, StatementRun
from payments.models.refunds import Refund, RefundEvent
from payments.models.saved_methods import ProviderCustomer, SavedPaymentMethod
from payments.models.shipping import ShippingNotice
from payments.models.switches import GatewaySwitch

__all__ = [
    "DeliveryAttempt",
    "Dispute",
    "DisputeEvent",
    "GatewaySwitch",
    "JoinedAccount",
    "OutboundEvent",
    "PaymentEvent",
    "PaymentIntent",
    "ProviderCustomer",
    "ReconcileChange",
    "ReconcileDifference",
    "Refund",
    "RefundEvent",
    "SavedPaymentMethod",
    "ShippingNotice",
    "StatementRun",
    "WebhookDelivery",
    "WebhookDeliveryChange",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookEventChange",
]
