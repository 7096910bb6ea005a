"""API keys: what each kind may do, what is stored, what browsers may send."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts import authentication
from accounts.models import ApiKey, User
from accounts.services import api_keys, tokens
from pimpshop.core import ids, redaction
from tests import factories

pytestmark = pytest.mark.django_db


def ask(key: str, *, permission: Any = None, scope: str = "payments:read", **headers: str) -> Any:
    """GET a view that wants `scope` (or `permission`)."""

    class View(APIView):
        permission_classes = [permission or authentication.has_scope(scope)]

        def get(self, request: Request) -> Response:
            caller: Any = request.auth
            return Response(
                [request.user.pk, caller.kind, caller.owner, caller.user_id, caller.key_id, caller.sees_all]
            )

    headers = {**headers, **({"Authorization": f"Bearer {key}"} if key else {})}
    return View.as_view()(APIRequestFactory().get("/api/v1/payments/", headers=headers))


def make(kind: str = "secret", user: User | None = None, scopes: Any = ()) -> tuple[str, ApiKey]:
    return api_keys.create(kind=kind, name="till", user=user, scopes=scopes)


@pytest.mark.parametrize(("kind", "prefix", "scopes"), [
    ("secret", "shop_sk_", ()), ("restricted", "shop_rk_", ("payments:read",)), ("publishable", "shop_pk_", ()),
])  # fmt: skip
def test_a_key_is_shown_once_and_stored_as_a_hash(kind: str, prefix: str, scopes: Any) -> None:
    key, row = make(kind, scopes=scopes)
    assert re.fullmatch(prefix + r"[\w-]{43}", key)
    row.refresh_from_db()
    assert (row.kind, row.name, row.scopes, row.shown, row.token_hash) == (
        kind, "till", list(scopes), key[:12], ids.hash_token(key),
    )  # fmt: skip
    assert key[12:] not in str(ApiKey.objects.values())


def test_the_shops_secret_key_may_everything_and_sees_all() -> None:
    key, row = make()
    for scope in api_keys.SCOPES:
        answer = ask(key, scope=scope)
        assert (answer.status_code, answer.data) == (
            200,
            [None, "secret", f"key:{row.pk}", None, row.pk, True],
        )


def test_a_secret_key_with_an_owner_acts_for_the_owner() -> None:
    user = factories.user()
    key, row = make(user=user)
    assert ask(key).data == [user.pk, "secret", f"user:{user.pk}", user.pk, row.pk, False]


def test_a_restricted_key_may_exactly_its_scopes_and_what_they_imply() -> None:
    key, _row = make("restricted", scopes=["payments:write", "refunds:read"])
    allowed = {scope for scope in api_keys.SCOPES if ask(key, scope=scope).status_code == 200}
    assert allowed == {"payments:write", "payments:read", "payments:pay", "refunds:read"}
    refused = ask(key, scope="refunds:write")
    assert (refused.status_code, refused.data["error"]["code"]) == (403, "FORBIDDEN")


def test_a_publishable_key_pays_and_nothing_else() -> None:
    key, row = make("publishable", user=factories.user())
    allowed = {scope for scope in api_keys.SCOPES if ask(key, scope=scope).status_code == 200}
    assert allowed == {"payments:pay"}
    assert ask(key, scope="payments:pay").data[2] == f"key:{row.pk}"


@pytest.mark.parametrize("kind", ["restricted", "publishable"])
def test_a_small_key_of_staff_opens_no_staff_door(kind: str) -> None:
    key, _row = make(kind, user=factories.staff(), scopes=["payments:read"] if kind == "restricted" else ())
    assert ask(key, permission=IsAdminUser).status_code == 403


def test_a_user_token_may_a_shoppers_things() -> None:
    token, _row = tokens.issue(factories.user())
    allowed = {scope for scope in api_keys.SCOPES if ask(token, scope=scope).status_code == 200}
    assert allowed == set(api_keys.SCOPES) - set(authentication.STAFF_SCOPES)


def test_staff_may_what_their_permissions_say() -> None:
    token, _row = tokens.issue(factories.staff())
    assert ask(token, scope="refunds:write").status_code == 200
    clerk, _row = tokens.issue(factories.user(is_staff=True))
    assert ask(clerk, scope="refunds:write").status_code == 403


def test_somebody_on_a_page_may_what_their_token_might() -> None:
    class View(APIView):
        permission_classes = [authentication.has_scope("payments:read")]

        def get(self, request: Request) -> Response:
            return Response()

    request = APIRequestFactory().get("/api/v1/payments/")
    assert View.as_view()(request).status_code == 401
    force_authenticate(request, factories.user())
    assert View.as_view()(request).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("secret", 403), ("restricted", 403), ("publishable", 200)])
def test_a_servers_key_from_a_browser_is_refused(kind: str, status: int) -> None:
    key, row = make(kind, scopes=["payments:pay"] if kind == "restricted" else ())
    answer = ask(key, scope="payments:pay", Origin="https://shop.example.com")
    assert answer.status_code == status
    if status == 403:
        assert "browser" in answer.data["error"]["message"]
        row.refresh_from_db()
        assert row.last_used_at is None


def test_what_ended_opens_nothing() -> None:
    user = factories.user()
    (revoked, row), (orphan, _row) = make(), make(user=user)
    assert (api_keys.revoke(row.pk), api_keys.revoke(row.pk)) == (True, False)
    User.objects.filter(pk=user.pk).update(is_active=False)
    for key in (revoked, orphan, "shop_sk_" + "x" * 43, ""):
        answer = ask(key)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.data["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("bad", [
    {"kind": "restricted"}, {"kind": "secret", "scopes": ["payments:read"]}, {"kind": "other"},
    {"kind": "restricted", "scopes": ["everything"]}, {"kind": "secret", "name": " "},
])  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(bad: dict[str, Any]) -> None:
    with pytest.raises(api_keys.BadKey):
        api_keys.create(**{"name": "till", **bad})
    assert ApiKey.objects.count() == 0


def test_the_table_refuses_what_the_service_would() -> None:
    with pytest.raises(IntegrityError):
        ApiKey.objects.create(kind="secret", name="x", scopes=["payments:read"], token_hash="a", shown="a")


def test_there_is_no_scope_by_another_name() -> None:
    with pytest.raises(ValueError, match="no scope"):
        authentication.has_scope("payment:write")


def test_a_key_or_token_in_a_log_is_redacted() -> None:
    for secret in (
        make()[0],
        make("restricted", scopes=["events:read"])[0],
        tokens.issue(factories.user())[0],
    ):
        assert secret[12:] not in str(redaction.scrub(f"got {secret} there"))


def test_the_command_prints_the_key_alone_on_its_last_line() -> None:
    user = factories.user("alice@example.com")
    out = StringIO()
    call_command(
        "create_api_key", "--kind", "restricted", "--name", "till", "--user", "Alice@Example.com",
        "--scopes", "payments:read,refunds:read", "events:read", stdout=out,
    )  # fmt: skip
    row = api_keys.find(out.getvalue().splitlines()[-1])
    assert row is not None
    assert (row.user, row.scopes) == (user, ["events:read", "payments:read", "refunds:read"])
    with pytest.raises(CommandError, match="needs scopes"):
        call_command("create_api_key", "--kind", "restricted", "--name", "x", stdout=out)
    with pytest.raises(CommandError, match="nobody"):
        call_command(
            "create_api_key", "--kind", "secret", "--name", "x", "--user", "e@example.com", stdout=out
        )
    assert ApiKey.objects.count() == 1
