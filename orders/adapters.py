"""Logging in, seen from the orders: who proves an address, or comes back with a proven one, gets what waits for it.

The settings name this adapter because it is the highest app that a log-in changes (accounts know no orders). Not a
signal: the claim stands where the proof is, in its transaction.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext

from accounts import adapters
from accounts.models import User
from credits.services.waiting import Claimed
from orders.services import claiming


class AccountAdapter(adapters.AccountAdapter):
    """accounts.adapters, and the claim."""

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The code was right: the address is proven, takes the place of the old one, and what waits for it is theirs."""
        try:
            with transaction.atomic():
                if not super().confirm_email(request, email_address):
                    return False
                claimed = claiming.claim_for(User.objects.get(pk=email_address.user_id))
        except IntegrityError:  # somebody else took the address meanwhile
            messages.error(request, str(self.error_messages["email_taken"]))
            return False
        _tell(request, claimed)
        return True

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        """Nobody comes here without a proven address (allauth's stage before this one asks for the code)."""
        _tell(request, claiming.claim_for(user))
        response: HttpResponse = super().post_login(request, user, **more)
        return response


def _tell(request: HttpRequest, claimed: Claimed) -> None:
    if claimed.credits:
        text = ngettext(
            "%(credits)s credit waited for you. It is yours now.",
            "%(credits)s credits waited for you. They are yours now.",
            claimed.credits,
        )
        messages.success(request, text % {"credits": claimed.credits})
