"""Which account went into which: somebody had two, one of them from WeChat and without an e-mail address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JoinedAccount(models.Model):
    """`user` is switched off and owns nothing any more; everything is `into`'s. What a request in flight still gave to
    `user` is gathered by the sweeper (payments.services.merging)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("account")
    )
    into = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("went into")
    )
    joined_at = models.DateTimeField(_("when"), default=timezone.now, editable=False, db_index=True)
    moved: Any = models.JSONField(_("what moved"), default=dict)

    class Meta:
        verbose_name = _("joined account")
        verbose_name_plural = _("joined accounts")
        constraints = [models.CheckConstraint(condition=~Q(user=F("into")), name="joinedaccount_are_two")]

    def __str__(self) -> str:
        return f"user {self.user_id} → user {self.into_id}"
