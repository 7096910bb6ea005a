"""Stripe: the hosted Checkout page, cards, tokens, saved cards and US bank transfers. Import this package, not its modules.

Pages: https://docs.stripe.com/api (version in `wire.API_VERSION`), /payments/checkout, /webhooks, /error-codes, /currencies.
Lives here: `Config` (config), the calls (wire, on Stripe's own SDK), money on the wire (money), words and statuses
(words), errors (errors), the verbs by aggregate (checkout, attempts, refunds, saved, statements, events), and the
class that ties them together (gateway). Not here: any decision (services), any row, any page.

Guarantees: no card number, CVC, key or client secret leaves in a result, record, message, log or repr; the key of a
request travels as it came (`<key>:confirm` and the like for the further calls of one attempt); nothing is sent twice
by itself; a declined card is a FAILED result that keeps the PaymentIntent's id; only signed and fresh events count.
"""

from payments.gateways.stripe.config import Config
from payments.gateways.stripe.gateway import StripeGateway
from payments.gateways.stripe.objects import PATHS, ListedPrice, bound_sdk
from payments.gateways.stripe.wire import API_VERSION
from payments.gateways.stripe.words import may_retry, seed3_status

__all__ = [
    "API_VERSION",
    "PATHS",
    "Config",
    "ListedPrice",
    "StripeGateway",
    "bound_sdk",
    "may_retry",
    "seed3_status",
]
