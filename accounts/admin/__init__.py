"""The staff's desk of accounts: people and groups, log-in tokens and API keys, WeChat identities."""

from accounts.admin import keys, users, wechat

__all__ = ["keys", "users", "wechat"]
