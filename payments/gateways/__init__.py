"""Gateways: one module per provider behind the port in `base`.

Strangers to Django: no request, model, template or setting enters here; the registry builds each gateway from
a frozen `Config` of values and callables.
"""
