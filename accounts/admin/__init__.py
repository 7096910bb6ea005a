"""The staff's desk of accounts: the way in, people and groups, log-in tokens and API keys, WeChat identities."""

from accounts.admin import entrance, keys, users, wechat

__all__ = ["entrance", "keys", "users", "wechat"]
