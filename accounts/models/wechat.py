"""Who somebody is at WeChat: one row per person and app (a mini program, an official account).

An openid means something only together with its app; a unionid is the same for all apps of one company at WeChat.
The session_key of a log-in is not here: nothing of ours needs it (docs/howto/mini-program.md).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WeChatIdentity(models.Model):
    """`user` at the WeChat app `app_id`. Written by accounts.services.wechat alone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="wechat_identities", verbose_name=_("user")
    )
    app_id = models.CharField(_("WeChat app"), max_length=64)
    openid = models.CharField(_("openid"), max_length=128)
    unionid = models.CharField(_("unionid"), max_length=128, blank=True, default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("WeChat identity")
        verbose_name_plural = _("WeChat identities")
        constraints = [
            models.UniqueConstraint(fields=["app_id", "openid"], name="wechatidentity_once"),
            models.CheckConstraint(
                condition=~Q(app_id="") & ~Q(openid=""), name="wechatidentity_names_somebody"
            ),
        ]
        indexes = [
            models.Index(fields=["unionid"], condition=~Q(unionid=""), name="wechatidentity_unionid"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"WeChat identity {self.pk}"
