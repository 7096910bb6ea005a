"""The staff's desk of accounts: people and groups, log-in tokens and API keys."""

from accounts.admin import keys, users

__all__ = ["keys", "users"]
