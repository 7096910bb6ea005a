"""Seed 4: no token of a caller, no callback token and no openid is anywhere that it was not made for."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings

from pimpshop.core.models import IdempotencyRecord
from tests import factories
from tests.api.credit_callers import OPENID, TOKEN, Shopper, alice, books, callback
from tests.support import leaks
from tests.support.leaks import Secret
from tests.support.wechat_books import WechatBooks

__all__ = ["alice", "books"]
#: Where an openid is at home: who somebody is at WeChat, and for whom a payment was opened.
HOMES = {"accounts_wechatidentity.openid", "payments_paymentintent.metadata"}


def everything(alice: Shopper, books: WechatBooks) -> None:
    """Each call once, well and badly."""
    key = {"Idempotency-Key": "one"}
    order = alice.order()
    first = alice.post(f"/pay/{order.pk}", **key)
    assert alice.post(f"/pay/{order.pk}", **key).json() == first.json()
    told = {"order_no": order.order_no, "payment_id": "4200001", "status": "SUCCESS", "amount": 9.9}
    callback(told, TOKEN + "x")
    callback({**told, "amount": 1})
    books.silent.add("query")
    callback(told)
    books.silent.clear()
    books.pays(order.order_no)
    assert alice.asks(order)["paid"] is True
    callback(told)
    alice.get("/")
    alice.get(f"/{order.pk}")
    books.refuse["jsapi"] = (400, "PARAM_ERROR")
    alice.post(f"/pay/{alice.order().pk}")
    Shopper(factories.user()).post(f"/pay/{order.pk}")
    assert IdempotencyRecord.objects.count() == 1


def test_no_token_and_no_openid_is_kept_or_logged(
    alice: Shopper, books: WechatBooks, caplog: Any, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    everything(alice, books)
    bearer = alice.headers["Authorization"].removeprefix("Bearer ")
    secrets = [
        Secret("callback token", TOKEN), Secret("bearer token", bearer), Secret("openid", OPENID),
        Secret("API v3 key", settings.WECHAT_API_V3_KEY),
    ]  # fmt: skip
    said = "\n".join([caplog.text, *(str(vars(record)) for record in caplog.records), *capfd.readouterr()])
    found = [*leaks.look("log", said, secrets), *leaks.in_redis(secrets), *leaks.in_database(secrets)]
    assert set(found) == {f"{home}: openid" for home in HOMES}


def test_an_openid_is_in_no_answer(alice: Shopper, books: WechatBooks) -> None:
    order = alice.order()
    paths = [f"/{order.pk}", f"/payment-status/{order.pk}", "/"]
    texts = [
        alice.post(f"/pay/{order.pk}").content.decode(),
        *(alice.get(path).content.decode() for path in paths),
    ]
    assert [text for text in texts if OPENID in text] == []
