"""Two accounts of one person become one: everything moves, once, and what must stay apart stays apart."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.test import Client

from accounts.models import ApiKey, User, UserToken, WeChatIdentity
from accounts.services import tokens
from catalog.models import Design, Draft, Photo
from credits.models import CreditAccount
from orders.models import Order, OrderEvent
from payments.models import JoinedAccount, ProviderCustomer, SavedPaymentMethod
from payments.services import merging, proving
from pimpshop.core import idempotency, invariants, sweeper
from pimpshop.core.models import AuditEntry, IdempotencyRecord
from tests import factories
from tests.accounts.wechat_answers import OPENID, UNIONID, known, wechat

pytestmark = pytest.mark.django_db
APP, BIND, EMAIL = "wxsandboxminiprogram", "/api/auth/wechat/bind", "/api/auth/email/bind"


@pytest.fixture(autouse=True)
def _the_books_balance(db: None) -> Any:
    yield
    assert [str(v) for v in invariants.violations() if "joined" in v.check or v.check.startswith("3")] == []


def rich(**more: Any) -> User:
    """Somebody from WeChat with an order, credits, a plan, a design, a photo, a saved way to pay and two devices."""
    user = factories.user(None)
    factories.wechat_identity(user, **{"openid": OPENID, **more})
    factories.created(factories.order(user=user))
    factories.posting(user, 100)
    factories.plan_term(user)
    factories.design(owner=f"user:{user.pk}")
    factories.photo(owner=f"user:{user.pk}")
    Draft.objects.create(keeper=f"user:{user.pk}")
    ProviderCustomer.objects.create(user=user, gateway="stripe", customer_ref="cus_1")
    SavedPaymentMethod.objects.create(user=user, gateway="stripe", method_ref="pm_1", is_default=True)
    for label in ("one", "two"):
        tokens.issue(user, label=label)
    return user


def owned(user: User) -> dict[str, int]:
    account = CreditAccount.objects.filter(user=user, kind="user").first()
    return {
        "orders": user.orders.count(),
        "credits": account.balance if account else 0,
        "designs": Design.objects.filter(owner=f"user:{user.pk}").count(),
        "photos": Photo.objects.filter(owner=f"user:{user.pk}").count(),
        "drafts": Draft.objects.filter(keeper=f"user:{user.pk}").count(),
        "methods": user.saved_methods.count(),
        "customers": user.provider_customers.count(),
        "identities": user.wechat_identities.count(),
    }


NOTHING = dict.fromkeys(
    ("orders", "credits", "designs", "photos", "drafts", "methods", "customers", "identities"), 0
)
ALL = {
    "orders": 1,
    "credits": 100,
    "designs": 1,
    "photos": 1,
    "drafts": 1,
    "methods": 1,
    "customers": 1,
    "identities": 1,
}


def bind(client: Client, user: User, told: Any, path: str = BIND, **body: Any) -> Any:
    token, _row = tokens.issue(user, label="asks")
    with wechat(*told):
        return client.post(
            path, body or {"code": "023Bq0ll2sZ0Fc4"}, content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip


def who(user: User) -> dict[str, Any]:
    return {"id": user.pk, "customer_id": str(user.public_id), "email": user.email}


def test_a_new_identity_is_bound_to_the_account_that_asks(client: Client) -> None:
    user = factories.user("alice@example.com")
    answers = [bind(client, user, [known(unionid=UNIONID)]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json() for answer in answers] == [
        {"joined": False, "user": who(user), "session": None}
    ] * 2
    row = WeChatIdentity.objects.get()
    assert (row.user, row.app_id, row.openid, row.unionid) == (user, APP, OPENID, UNIONID)
    assert (JoinedAccount.objects.count(), User.objects.count()) == (0, 1)


def test_the_account_from_wechat_goes_into_the_one_with_an_address(client: Client) -> None:
    wechat_only, alice = rich(), factories.user("alice@example.com")
    order = wechat_only.orders.get()
    answer = bind(client, alice, [known()])
    assert (answer.status_code, answer.json()) == (200, {"joined": True, "user": who(alice), "session": None})
    wechat_only.refresh_from_db()
    assert (owned(wechat_only), owned(alice)) == (NOTHING, ALL)
    assert (wechat_only.is_active, wechat_only.email) == (False, None)
    assert UserToken.objects.filter(user=wechat_only, revoked_at=None).count() == 0
    assert UserToken.objects.filter(user=alice, revoked_at=None).count() == 1
    joined = JoinedAccount.objects.get()
    assert (joined.user, joined.into) == (wechat_only, alice)
    entry = AuditEntry.objects.get(action="joined accounts")
    assert (entry.actor, entry.subject) == (f"user {alice.pk}", f"user {alice.pk}")
    assert entry.data["orders"] == [order.order_no]
    assert (entry.data["ledger"]["credits"], entry.data["tokens_revoked"], entry.data["identities"]) == (
        100,
        2,
        1,
    )
    assert OPENID not in str(entry.data)
    assert "alice" not in str(entry.data)
    last = OrderEvent.objects.filter(order=order).order_by("-pk")[0]
    assert (last.source, last.actor, last.to_status) == ("account", f"user {alice.pk}", "pending")


def test_joining_again_changes_nothing(client: Client) -> None:
    wechat_only, alice = rich(), factories.user()
    merging.join(user=wechat_only, into=alice, actor="test")
    assert merging.join(user=wechat_only, into=alice, actor="test") == alice
    assert owned(alice) == ALL
    assert (JoinedAccount.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_the_next_log_in_by_wechat_is_the_account_with_the_address(client: Client) -> None:
    rich()
    alice = factories.user("alice@example.com")
    bind(client, alice, [known()])
    with wechat(known()):
        answer = client.post("/api/auth/wechat/login", {"code": "c"}, content_type="application/json")
    assert (answer.status_code, answer.json()["user"]) == (200, who(alice))


def test_one_default_way_to_pay_is_left() -> None:
    wechat_only, alice = rich(), factories.user()
    SavedPaymentMethod.objects.create(user=alice, gateway="stripe", method_ref="pm_2", is_default=True)
    ProviderCustomer.objects.create(user=alice, gateway="stripe", customer_ref="cus_2")
    merging.join(user=wechat_only, into=alice, actor="test")
    methods = alice.saved_methods.order_by("method_ref").values_list("method_ref", "is_default")
    assert list(methods) == [("pm_1", False), ("pm_2", True)]
    assert list(alice.provider_customers.values_list("customer_ref", flat=True)) == ["cus_2"]


def test_keys_of_requests_stay_used() -> None:
    wechat_only, alice = rich(), factories.user()
    claim = idempotency.begin(owner=f"user:{wechat_only.pk}", key="k", fingerprint="f")
    assert isinstance(claim, idempotency.Claim)
    idempotency.finish(claim, status=200, body=1)
    merging.join(user=wechat_only, into=alice, actor="test")
    assert idempotency.begin(owner=f"user:{alice.pk}", key="k", fingerprint="f") == idempotency.Replay(200, 1)
    assert IdempotencyRecord.objects.count() == 1


def _staff(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=True)


def _address(user: User) -> None:
    User.objects.filter(pk=user.pk).update(email="bob@example.com")


def _off(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _key(user: User) -> None:
    factories.api_key(user=user)


@pytest.mark.parametrize("why", [_staff, _address, _off, _key])
def test_what_is_never_joined(client: Client, why: Any) -> None:
    wechat_only, alice = rich(), factories.user("alice@example.com")
    why(wechat_only)
    answer = bind(client, alice, [known()])
    assert (answer.status_code, answer.json()["code"]) == (409, "accounts_cannot_be_joined")
    assert (owned(wechat_only), owned(alice)) == (ALL, NOTHING)
    assert (JoinedAccount.objects.count(), AuditEntry.objects.count()) == (0, 0)
    assert UserToken.objects.filter(user=wechat_only, revoked_at=None).count() == 2


def test_staff_bind_nobody_elses_identity(client: Client) -> None:
    wechat_only, staff = rich(), factories.staff()
    assert bind(client, staff, [known()]).status_code == 409
    assert owned(wechat_only) == ALL


@pytest.mark.parametrize(
    ("told", "status"), [({"errcode": 40163}, 400), ({"errcode": -1}, 503), ({"errcode": 40125}, 503)]
)
def test_what_wechat_refuses_binds_nothing(client: Client, told: Any, status: int) -> None:
    wechat_only, alice = rich(), factories.user()
    assert bind(client, alice, [told]).status_code == status
    assert (owned(wechat_only), owned(alice)) == (ALL, NOTHING)


def test_a_unionid_at_another_app_joins_too(client: Client) -> None:
    wechat_only, alice = rich(app_id="wxofficial", unionid=UNIONID), factories.user()
    assert bind(client, alice, [known("oHERE", UNIONID)]).json()["joined"] is True
    assert owned(alice) == {**ALL, "identities": 2}
    assert owned(wechat_only) == NOTHING


def test_of_two_without_an_address_the_one_that_asks_stays(client: Client) -> None:
    wechat_only, other = rich(), factories.user(None)
    answer = bind(client, other, [known()])
    assert answer.json() == {"joined": True, "user": who(other), "session": None}
    assert (owned(wechat_only), owned(other)) == (NOTHING, ALL)


def test_a_password_proves_the_other_account_and_the_session_goes_on_there(client: Client) -> None:
    wechat_only, alice = rich(), factories.user("alice@example.com")
    body = {"email": "Alice@example.com", "password": factories.PASSWORD, "device": "Phone"}
    answer = bind(client, wechat_only, [], EMAIL, **body)
    told = answer.json()
    assert (answer.status_code, told["joined"], told["user"]) == (200, True, who(alice))
    living = UserToken.objects.get(user=alice, revoked_at=None)
    assert tokens.find(told["session"]["token"]) == living
    assert living.label == "Phone"
    assert (owned(wechat_only), owned(alice)) == (NOTHING, ALL)
    assert UserToken.objects.filter(user=wechat_only, revoked_at=None).count() == 0


@pytest.mark.parametrize(("email", "password"), [("alice@example.com", "wrong"), ("nobody@example.com", "x")])
def test_a_wrong_password_proves_nothing(client: Client, email: str, password: str) -> None:
    wechat_only, alice = rich(), factories.user("alice@example.com")
    answer = bind(client, wechat_only, [], EMAIL, email=email, password=password)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_credentials")
    assert (owned(wechat_only), owned(alice)) == (ALL, NOTHING)


def test_two_accounts_with_an_address_stay_two(client: Client) -> None:
    bob, alice = factories.user("bob@example.com"), factories.user("alice@example.com")
    answer = bind(client, bob, [], EMAIL, email=alice.email, password=factories.PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (409, "accounts_cannot_be_joined")
    assert JoinedAccount.objects.count() == 0


def test_an_address_that_nobody_has_becomes_the_accounts_own() -> None:
    from credits.services import ledger

    wechat_only = rich()
    ledger.grant(email="new@example.com", amount=7, reference="W1")
    proven = proving.has_address(wechat_only, " New@Example.com ")
    wechat_only.refresh_from_db()
    assert (proven.user, proven.joined, wechat_only.email) == (wechat_only, False, "new@example.com")
    assert owned(wechat_only) == {**ALL, "credits": 107}
    with pytest.raises(merging.CannotJoin):
        proving.has_address(wechat_only, "another@example.com")


def test_an_account_that_never_proved_the_address_is_not_joined_but_loses_it() -> None:
    """Somebody typed a stranger's address, with a password of their own, and waited."""
    wechat_only, typed = rich(), factories.user("victim@example.com")
    EmailAddress.objects.filter(user=typed).update(verified=False)
    proven = proving.has_address(wechat_only, "victim@example.com")
    assert (proven.user, proven.joined) == (wechat_only, False)
    typed.refresh_from_db()
    wechat_only.refresh_from_db()
    assert (typed.email, wechat_only.email) == (None, "victim@example.com")
    assert list(EmailAddress.objects.values_list("user", "verified")) == [(wechat_only.pk, True)]
    assert (owned(typed), owned(wechat_only)) == (NOTHING, ALL)
    assert authenticate(username="victim@example.com", password=factories.PASSWORD) == wechat_only


def test_what_still_comes_in_is_gathered_by_the_sweeper() -> None:
    wechat_only, alice = rich(), factories.user()
    merging.join(user=wechat_only, into=alice, actor="test")
    factories.created(factories.order(user=wechat_only))
    factories.posting(wechat_only, 11)
    assert sweeper.walk(everything=True)["joined accounts"] == 1
    assert owned(wechat_only) == NOTHING
    assert owned(alice) == {**ALL, "orders": 2, "credits": 111}
    assert sweeper.walk(everything=True)["joined accounts"] == 0
    assert Order.objects.filter(user=wechat_only).count() == 0


@pytest.mark.parametrize("path", [BIND, EMAIL])
def test_only_somebody_with_a_token_of_their_own(client: Client, path: str) -> None:
    from accounts.services import api_keys

    key, _row = api_keys.create(kind="secret", name="k", user=factories.user())
    for headers in ({}, {"Authorization": f"Bearer {key}"}):
        assert (
            client.post(path, {"code": "c"}, content_type="application/json", headers=headers).status_code
            == 401
        )
    assert ApiKey.objects.count() == 1


def test_staff_see_which_account_went_into_which(client: Client) -> None:
    wechat_only, alice = rich(), factories.user("alice@example.com")
    merging.join(user=wechat_only, into=alice, actor="test")
    client.force_login(factories.staff())
    base = "/admin/payments/joinedaccount/"
    pages = [client.get(base), client.get(f"{base}{JoinedAccount.objects.get().pk}/change/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert all(f"user {wechat_only.pk} → user {alice.pk}" in page.content.decode() for page in pages)
    assert client.get(f"{base}add/").status_code == 403


def test_an_account_that_went_binds_nothing_more() -> None:
    from accounts.gateways.mini_program import Person

    wechat_only, alice = rich(), factories.user()
    merging.join(user=wechat_only, into=alice, actor="test")
    with pytest.raises(merging.CannotJoin):
        proving.is_at_wechat(wechat_only, APP, Person("oNEW"))
    assert not WeChatIdentity.objects.filter(openid="oNEW").exists()
