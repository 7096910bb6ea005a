"""What others read of people."""

from __future__ import annotations

from accounts.models import User, WeChatIdentity


def wechat_openid(user: User, app_id: str) -> str:
    """The openid of `user` at the WeChat app `app_id` (the one used last, should there be several); "" without one."""
    rows = WeChatIdentity.objects.filter(user=user, app_id=app_id).order_by("-last_used_at", "-pk")
    return rows.values_list("openid", flat=True).first() or ""
