"""Callers of seed 4's API for tests: somebody in the mini program, WeChat Pay's books, and what a refusal is like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from django.test import Client

from accounts.services import tokens
from orders.models import Order
from payments.models import PaymentIntent, Refund
from pimpshop.core.models import StaffItem
from tests import factories
from tests.support import goods, wechat, wechat_books
from tests.support.wechat_books import WechatBooks

OPENID = "oMini_tEsT-0123456789abcdefg"
TOKEN = "callback-token-of-the-tests"


class Shopper:
    """Speaks JSON with a token; answers Django's responses."""

    def __init__(self, user: Any = None, **headers: str) -> None:
        self.user, self.client = user, Client()
        self.headers = {**({"Authorization": f"Bearer {tokens.issue(user)[0]}"} if user else {}), **headers}

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"/api/orders{path}", raw, content_type="application/json", headers={**self.headers, **headers}
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api/orders{path}", headers={**self.headers, **headers})

    def order(self, pack: Any = None) -> Order:
        """A new order of a pack."""
        answer = self.post("/create", {"product_id": (pack or goods.pack()).number})
        assert answer.status_code == 200, answer.content
        return Order.objects.get(pk=answer.json()["order_id"])

    def pays(self, order: Order) -> dict[str, Any]:
        """A started payment: its payment_data."""
        answer = self.post(f"/pay/{order.pk}")
        assert answer.status_code == 200, answer.content
        data: dict[str, Any] = answer.json()["payment_data"]
        return data

    def asks(self, order: Order) -> dict[str, Any]:
        """payment-status, as if more than three seconds had passed since the last question."""
        PaymentIntent.objects.update(last_query_at=None)
        answer = self.get(f"/payment-status/{order.pk}")
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told


def in_mini_program(email: str = "alice@example.com", openid: str = OPENID) -> Shopper:
    user = factories.user(email)
    factories.wechat_identity(user, app_id=wechat.MINI_APP_ID, openid=openid)
    return Shopper(user)


def callback(body: Any, token: str | None = TOKEN) -> Any:
    return Shopper().post("/callback", body, **({} if token is None else {"X-Payment-Token": token}))


def set_up(settings: Any, mock: Any) -> WechatBooks:
    wechat_books.put_on(settings)
    settings.PAYMENT_CALLBACK_TOKEN = TOKEN
    return WechatBooks(mock)


@pytest.fixture
def books(transactional_db: None, settings: Any) -> Iterator[WechatBooks]:
    from tests.support.shop import assert_invariants

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield set_up(settings, mock)
    assert_invariants()


@pytest.fixture
def alice(books: WechatBooks) -> Shopper:
    return in_mini_program()


def everything(books: WechatBooks) -> list[Any]:
    """What a refusal may not change: rows, their states and the calls."""
    from credits.models import Posting

    kinds = (Order, PaymentIntent, Refund)
    rows = [list(kind.objects.order_by("pk").values_list("pk", "status")) for kind in kinds]
    return [*rows, Posting.objects.count(), StaffItem.objects.count(), len(books.calls)]


def assert_refused(answer: Any, status: int, detail: str | None = None) -> str:
    """A refusal in seed 4's shape; answers its words."""
    body: dict[str, Any] = json.loads(answer.content)
    assert (answer.status_code, set(body)) == (status, {"detail"}), answer.content[:300]
    said = body["detail"]
    assert isinstance(said, str)
    assert said
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
    if detail is not None:
        assert said == detail
    return said


def balance(user: Any) -> int:
    from credits import selectors

    return selectors.balance(user.pk)
