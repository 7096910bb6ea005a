"""The manufacturer of the machines ("the Chinese API"): its calls, its posts, its words. Plain Python.

Import this package: `manufacturer.ManufacturerClient(manufacturer.Config(…))`; code tables and incoming posts are
in `manufacturer.messages` and `manufacturer.posts`, the signature in `manufacturer.signing`.
"""

from vending.manufacturer import messages, posts, signing
from vending.manufacturer.client import Config, ManufacturerClient
from vending.manufacturer.errors import (
    AccountUnknown,
    BadParameter,
    DeviceUnavailable,
    DuplicateThirdId,
    ManufacturerError,
    NoPermission,
    NotSent,
    PaymentUnknown,
    ServerFault,
    TokenExpired,
    Unavailable,
)
from vending.manufacturer.messages import BadMessage, Order, Payment, PayType
from vending.manufacturer.tokens import MemoryTokenStore, TokenStore

__all__ = [
    "AccountUnknown",
    "BadMessage",
    "BadParameter",
    "Config",
    "DeviceUnavailable",
    "DuplicateThirdId",
    "ManufacturerClient",
    "ManufacturerError",
    "MemoryTokenStore",
    "NoPermission",
    "NotSent",
    "Order",
    "PayType",
    "Payment",
    "PaymentUnknown",
    "ServerFault",
    "TokenExpired",
    "TokenStore",
    "Unavailable",
    "messages",
    "posts",
    "signing",
]
