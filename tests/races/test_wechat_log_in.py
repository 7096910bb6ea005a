"""Twenty first log-ins at once make one person: by the same openid, and by one unionid at two apps."""

from __future__ import annotations

import pytest

from accounts.gateways.mini_program import Person
from accounts.models import User, WeChatIdentity
from accounts.services import wechat
from tests.support.threads import together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("unionid", ["", "uUNION"])
def test_one_person_by_openid(unionid: str) -> None:
    found = together(20, lambda _: wechat.user_of("wxapp", Person("oONE", unionid)).pk)
    assert len(set(found)) == 1
    assert (User.objects.count(), WeChatIdentity.objects.count()) == (1, 1)


def test_one_person_by_unionid_at_two_apps() -> None:
    found = together(20, lambda n: wechat.user_of(f"wxapp{n % 2}", Person(f"oAT{n % 2}", "uUNION")).pk)
    assert len(set(found)) == 1
    assert (User.objects.count(), WeChatIdentity.objects.count()) == (1, 2)


def test_two_people_do_not_become_one() -> None:
    found = together(20, lambda n: wechat.user_of("wxapp", Person(f"oNUMBER{n}")).pk)
    assert len(set(found)) == 20
    assert WeChatIdentity.objects.count() == 20
