"""Ours under B2: the confirmation without the shop's middleware, the provider's answer stubbed in process."""
