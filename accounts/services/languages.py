"""The language in which somebody is written to. Idempotent; no call outside."""

from __future__ import annotations

from django.conf import settings

from accounts.models import User


def keep(user: User, language: str) -> bool:
    """Remember `language` for `user`; False for one that is not ours."""
    if language not in dict(settings.LANGUAGES):
        return False
    User.objects.filter(pk=user.pk).exclude(language=language).update(language=language)
    return True
