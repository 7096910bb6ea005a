"""Pages of accounts; the flows of logging in are allauth's own views."""
