"""Intents, settlement, inbox, queries and refunds."""
