"""Payments: attempts to pay an order through a gateway, the inbox of provider events, and settlement."""
