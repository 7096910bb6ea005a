"""What a shopper pays with, and who the shopper is at the provider. Never stored, never logged, never in a message.

Guarantees: no `repr` shows a number, a CVC, a token or an account; nothing here is JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Card:
    """A raw card. `exp_month` 1-12, `exp_year` four digits; `number` digits only. PCI SAQ D: off in live mode by default."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvc: str = field(repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class BankAccount:
    """A bank account to be debited (Stripe's us_bank_account)."""

    account_number: str = field(repr=False)
    routing_number: str = field(repr=False)
    account_holder_name: str = field(default="", repr=False)
    bank_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Token:
    """The provider's own token for a method (Stripe's pm_…), made in the shopper's client."""

    value: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SavedMethod:
    """A method kept at the provider for a customer of ours."""

    method_ref: str = field(repr=False)
    customer_ref: str = field(default="", repr=False)


Instrument = Card | BankAccount | Token | SavedMethod


@dataclass(frozen=True, kw_only=True)
class Customer:
    """The shopper. `customer_id` is ours (a UUID); `provider_ref` is theirs, empty until there is one."""

    customer_id: str = ""
    email: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    provider_ref: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodDetails:
    """What may be shown and stored of a method that was used or saved: never more than the last four digits."""

    method_type: str
    last_four: str = ""
    card_brand: str = ""
    exp_month: str = ""
    exp_year: str = ""
    cardholder_name: str = ""
