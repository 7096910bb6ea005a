"""WeChat identities: one row per person and app, what the tables refuse, what others read, what staff see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import selectors
from accounts.models import WeChatIdentity
from tests import factories

pytestmark = pytest.mark.django_db
APP = "wxsandboxminiprogram"


def test_a_person_may_have_one_openid_at_each_app() -> None:
    user = factories.user()
    factories.wechat_identity(user, openid="oONE")
    factories.wechat_identity(user, openid="oONE", app_id="wxanother")
    assert [selectors.wechat_openid(user, app) for app in (APP, "wxanother", "wxthird")] == [
        "oONE",
        "oONE",
        "",
    ]


def test_nobody_elses_openid_is_answered() -> None:
    factories.wechat_identity(openid="oONE")
    assert selectors.wechat_openid(factories.user(), APP) == ""


def test_of_several_the_one_used_last_is_answered() -> None:
    user, now = factories.user(None), timezone.now()
    factories.wechat_identity(user, openid="oLATE", last_used_at=now)
    factories.wechat_identity(user, openid="oEARLY", last_used_at=now - timedelta(days=1))
    assert selectors.wechat_openid(user, APP) == "oLATE"


@pytest.mark.parametrize("bad", [{"openid": "oONE"}, {"openid": ""}, {"app_id": ""}])
def test_the_table_refuses(bad: dict[str, Any]) -> None:
    factories.wechat_identity(openid="oONE")
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.wechat_identity(**bad)
    assert WeChatIdentity.objects.count() == 1


def test_staff_see_who_came_and_not_the_openid(client: Client) -> None:
    client.force_login(factories.staff())
    row = factories.wechat_identity(openid="oSECRETOPENID", unionid="oSECRETUNION")
    pages = [
        client.get(reverse("admin:accounts_wechatidentity_changelist")),
        client.get(reverse("admin:accounts_wechatidentity_change", args=[row.pk])),
    ]
    assert [page.status_code for page in pages] == [200, 200]
    for page in pages:
        assert str(row.user) in page.content.decode()
        assert "oSECRET" not in page.content.decode()
    assert client.get(reverse("admin:accounts_wechatidentity_add")).status_code == 403
    assert client.post(reverse("admin:accounts_wechatidentity_delete", args=[row.pk])).status_code == 403
    assert WeChatIdentity.objects.count() == 1
