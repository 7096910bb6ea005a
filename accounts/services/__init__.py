"""Services of accounts: people and who may do what."""
