"""The staff's desk of credits: accounts with their lots, holds, postings, plan terms. All of it is evidence, read only."""

from credits.admin import accounts, holds, postings, stories, terms

__all__ = ["accounts", "holds", "postings", "stories", "terms"]
