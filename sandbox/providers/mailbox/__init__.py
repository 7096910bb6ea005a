"""Everybody's mailbox: the mails that the shop sends under SANDBOX, to be read by people and by tests."""
