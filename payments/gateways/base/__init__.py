"""The port: what every gateway takes and gives back. Import this package, not its modules.

Here: statuses and codes (`words`), next actions (`actions`), requests and results (`data`), what the shopper pays with
(`instruments`), refunds, disputes and statements (`notices`), errors, the protocol and its defaults (`port`). Not here:
any provider's word, any decision (services decide), Django.
"""

from payments.gateways.base.actions import (
    ClientParams,
    MachinePrompt,
    NextAction,
    QrCode,
    Redirect,
    next_action_from_dict,
)
from payments.gateways.base.data import (
    Device,
    ErrorDetail,
    FieldInfo,
    MethodInfo,
    PaymentRef,
    PaymentRequest,
    PaymentResult,
    RefundNotice,
    RefundRequest,
    RefundResult,
    SavedMethodResult,
    SaveMethodRequest,
    WebhookEvent,
    WebhookReply,
    WebhookRequest,
)
from payments.gateways.base.errors import (
    GatewayDeclined,
    GatewayError,
    GatewayMisuse,
    GatewayUnavailable,
    WebhookRejected,
)
from payments.gateways.base.instruments import (
    BankAccount,
    Card,
    Customer,
    Instrument,
    MethodDetails,
    SavedMethod,
    Token,
)
from payments.gateways.base.notices import DisputeNotice, Facts, StatementLine, pack, unpack
from payments.gateways.base.port import Gateway, GatewayDefaults
from payments.gateways.base.words import DisputeStatus, ErrorCode, Flag, Outcome, PaymentStatus, RefundStatus

__all__ = [
    "BankAccount",
    "Card",
    "ClientParams",
    "Customer",
    "Device",
    "DisputeNotice",
    "DisputeStatus",
    "ErrorCode",
    "ErrorDetail",
    "Facts",
    "FieldInfo",
    "Flag",
    "Gateway",
    "GatewayDeclined",
    "GatewayDefaults",
    "GatewayError",
    "GatewayMisuse",
    "GatewayUnavailable",
    "Instrument",
    "MachinePrompt",
    "MethodDetails",
    "MethodInfo",
    "NextAction",
    "Outcome",
    "PaymentRef",
    "PaymentRequest",
    "PaymentResult",
    "PaymentStatus",
    "QrCode",
    "Redirect",
    "RefundNotice",
    "RefundRequest",
    "RefundResult",
    "RefundStatus",
    "SaveMethodRequest",
    "SavedMethod",
    "SavedMethodResult",
    "StatementLine",
    "Token",
    "WebhookEvent",
    "WebhookRejected",
    "WebhookReply",
    "WebhookRequest",
    "next_action_from_dict",
    "pack",
    "unpack",
]
