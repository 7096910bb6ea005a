"""Erasing a person: who they were, how they logged in, and every door that was open to them. The row itself stays, empty,
because the books name its number. Idempotent; the caller has a transaction. No call outside."""

from __future__ import annotations

import uuid

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User, WeChatIdentity
from accounts.services import tokens
from pimpshop.core import errors


class StaffStays(errors.Conflict):
    code = "account_of_staff"
    message = _("Accounts of staff and of programs are not erased here. Please ask a colleague.")


def must_be_a_shopper(user: User) -> None:
    """Raises StaffStays."""
    programs = ApiKey.objects.filter(user=user, revoked_at=None).exists()
    if user.is_staff or user.is_superuser or programs:
        raise StaffStays


def erase(user: User) -> None:
    """Name, address, identities, tokens, second factor and password go; every browser is logged out. Raises StaffStays."""
    must_be_a_shopper(user)
    tokens.log_out_everywhere(user)
    for rows in (user.tokens.all(), WeChatIdentity.objects.filter(user=user)):
        rows.delete()
    EmailAddress.objects.filter(user_id=user.pk).delete()
    Authenticator.objects.filter(user_id=user.pk).delete()
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user.pk)).update(object_repr=f"user {user.pk}")
    user.email, user.name, user.language, user.is_active = None, "", "en", False
    user.public_id = uuid.uuid4()
    user.set_unusable_password()
    user.save()
