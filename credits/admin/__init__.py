"""The staff's desk of credits: accounts with their lots, postings, plan terms. All of it is evidence, read only."""

from credits.admin import accounts, postings, terms

__all__ = ["accounts", "postings", "terms"]
