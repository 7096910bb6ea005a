"""Checkout and fulfilment of orders."""
