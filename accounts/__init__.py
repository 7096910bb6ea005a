"""Accounts: who people are. Log-in, API keys and WeChat identities live here; what they own lives in the other apps."""
