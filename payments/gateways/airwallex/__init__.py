"""Airwallex as a gateway. Import this package, not its modules.

Here: `AirwallexGateway` and its `Config`. See docs/providers/airwallex.md.
"""

from payments.gateways.airwallex.client import API_VERSION, Client, Config, TokenStore
from payments.gateways.airwallex.events import sign
from payments.gateways.airwallex.gateway import AirwallexGateway

__all__ = ["API_VERSION", "AirwallexGateway", "Client", "Config", "TokenStore", "sign"]
