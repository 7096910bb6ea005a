"""The API of accounts: log-in and log-out."""
